"""Every config file builds in every variant, says how it is run, and has a smoke variant."""

import importlib.util
import itertools
import pathlib

import pytest

from attention_lab.config import digest, replace
from attention_lab.config.registries import SOURCES
from attention_lab.config.rules import check

ROOT = pathlib.Path(__file__).parents[2]
FILES = sorted(path for path in (ROOT / "configs").glob("*.py") if path.name != "__init__.py")


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODULES = {path.stem: load(path) for path in FILES}
PAIRS = [(name, ",".join(names)) for name, module in MODULES.items()
         for size in (0, 1, 2) for names in itertools.combinations(module.VARIANTS, size)]


def with_paths(config):
    """The config with the path that its source needs, as a user would give it."""
    needed = SOURCES[config.data.source].location
    return replace(config, {needed: "elsewhere"}) if needed else config


@pytest.mark.parametrize("name, variant", PAIRS)
def test_every_variant_and_every_two_of_them_build(name, variant):
    check(with_paths(MODULES[name].get_config(variant)))


@pytest.mark.parametrize("name", MODULES)
def test_a_file_is_a_lab_book_entry(name):
    module = MODULES[name]
    assert f"--config=configs/{name}.py" in module.__doc__ and "Measured:" in module.__doc__
    for variant in module.VARIANTS:
        assert variant in module.__doc__


@pytest.mark.parametrize("name", MODULES)
def test_smoke_needs_no_file_and_is_small(name):
    config = MODULES[name].get_config("smoke")
    check(config)
    assert config.data.source in ("grammar", "recall", "echo", "marked", "senses", "text")
    assert not config.data.path
    assert config.training.steps <= 10 and config.model.width <= 32


@pytest.mark.parametrize("name", MODULES)
def test_an_unknown_variant_is_refused(name):
    with pytest.raises(ValueError, match="variant 'nonesuch' is not known: allowed are"):
        MODULES[name].get_config("nonesuch")


@pytest.mark.parametrize("name", MODULES)
def test_every_variant_changes_something_and_differs_from_the_others(name):
    module = MODULES[name]
    names = {digest(module.get_config(variant)) for variant in ["", *module.VARIANTS]}
    assert len(names) == 1 + len(module.VARIANTS)


def test_the_first_translator_keeps_its_early_parameters_under_the_same_name():
    config = MODULES["translation"].get_config("first")
    assert config.training.keep_views > 0
    assert digest(config) == digest(replace(config, {"training.keep_views": 0}))


def test_multi30k_is_the_set_up_called_transformer_tiny():
    config = MODULES["translation"].get_config("multi30k")
    model, training, optimizer = config.model, config.training, config.optimizer
    assert (model.num_layers, model.width, model.hidden, model.num_heads) == (4, 128, 256, 4)
    assert (training.dropout, training.label_smoothing, training.batch_tokens) == (0.3, 0.1, 4096)
    assert (optimizer.learning_rate, optimizer.warmup_steps, optimizer.schedule) == (
        0.005, 2000, "inverse_sqrt")
    assert config.model.tie_embeddings and config.data.tokenizer == "bpe"
    assert config.decoding.beam == 5
