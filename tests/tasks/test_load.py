"""Runs trained and read back from Python, and models that are freed."""

import gc
import json
import shutil
import subprocess
import sys
import weakref
from pathlib import Path

import jax
import numpy as np
import pytest

import attention_lab
from attention_lab.config import Config, replace, split
from attention_lab.data import tokenizers
from attention_lab.tasks.classification.classifier import Classifier
from attention_lab.tasks.registry import TASKS
from attention_lab.tasks.translation.translator import Translator
from configs.disambiguation import get_config as get_senses
from configs.recall import get_config as get_recall

SMALL = {"training.steps": 2, "training.devices": 1, "model.num_layers": 1}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """{task: folder of a finished run}."""
    parent = tmp_path_factory.mktemp("runs")
    configs = {"translation": "configs/translation.py:smoke", "classification": get_senses("smoke"),
               "sequences": get_recall("smoke")}
    for name, config in configs.items():
        attention_lab.train(config, parent / name, **SMALL)
    return {name: parent / name for name in configs}


def test_a_run_is_trained_once_and_read_back(folders):
    first = attention_lab.load(folders["translation"])
    written = (folders["translation"] / "result.json").stat().st_mtime_ns
    again = attention_lab.train(Path("configs/translation.py:smoke"), folders["translation"], **SMALL)
    assert (folders["translation"] / "result.json").stat().st_mtime_ns == written
    np.testing.assert_array_equal(again.params["embedding"], first.params["embedding"])
    assert first.config.training.steps == 2 and first.config == first.run.config


def test_it_translates_line_by_line_and_shows_its_attention(folders):
    model = attention_lab.load(folders["translation"])
    lines = ["The dog sees a cat.", " ", "A cat."]
    texts = model.translate(lines, beam=1)
    assert len(texts) == 3 and texts[1] == ""
    assert texts[2] == model.translate(lines[2:], beam=1)[0]
    seen, = model.attention(["The dog sees a cat."], ["Le chien voit l'herbe."])
    assert seen.source[:2] == model.translator.tokenizer.tokens(
        model.translator.tokenizer.encode(["the dog"])[0])
    assert seen.cross.shape[-2:] == (len(seen.target), len(seen.source))
    np.testing.assert_allclose(seen.cross.sum(axis=-1), 1.0, rtol=1e-5)


def test_it_classifies_the_words_that_it_knows(folders):
    model = attention_lab.load(folders["classification"])
    word = next(iter(model.classifier.classes))
    with pytest.raises(ValueError, match=r"sentences\[1\] has 20003 tokens.* at most [0-9]+ tokens"):
        model.classify(["nothing here .", "the " * 20000 + f"{word} ."])
    none, some = model.classify(["nothing here .", f"the {word} ."])
    assert none == [] and [(one.word, one.position) for one in some] == [(word, 1)]
    assert sum(some[0].probabilities.values()) == pytest.approx(1.0, rel=1e-5)
    assert some[0].label == max(some[0].probabilities, key=some[0].probabilities.get)
    weights, = model.attention([f"the {word} ."])
    assert weights["encoder"].shape[-1] == 4


def test_what_a_model_does_not_do_is_one_line(folders):
    recall = attention_lab.load(folders["sequences"])
    assert recall.params and recall.model.model.apply
    with pytest.raises(ValueError, match="sequences does not translate: its data.source is recall$"):
        recall.translate(["a"])
    with pytest.raises(ValueError, match="translation does not classify: its data.source is grammar$"):
        attention_lab.load(folders["translation"]).classify(["a"])
    with pytest.raises(ValueError, match="training.step is not a field of the config; did you mean"):
        attention_lab.train("configs/recall.py:smoke", folders["sequences"] / "x", training__step=3)


@pytest.mark.parametrize("task, name, said", [
    ("translation", "tokenizer.json", "is not the file that the run wrote"),
    ("classification", "tokenizer.json", "is not the file that the run wrote"),
    ("classification", "classes.json", "is not the file that the run wrote"),
    ("translation", "config.json", "is not the config that the run was trained with")])
def test_a_file_of_a_run_that_was_swapped_is_refused(folders, tmp_path, task, name, said):
    folder = shutil.copytree(folders[task], tmp_path / "run")
    tree = json.loads((folder / name).read_text())
    if name == "tokenizer.json":  # the same words and pieces, two of them under each other's number
        vocabulary = tree["model"]["vocab"]
        first, second = list(vocabulary)[-2:]
        vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    elif name == "classes.json":
        tree["classes"] = {word: labels[::-1] for word, labels in tree["classes"].items()}
    else:
        tree["model"]["positions"] = "rotary"
    (folder / name).write_text(json.dumps(tree))
    with pytest.raises(ValueError, match=f"{name} {said}") as refused:
        attention_lab.load(folder)
    assert "\n" not in str(refused.value)
    facts = json.loads((folder / "run.json").read_text())
    assert {name, "predictions.tsv"} <= {"config.json", *facts["files"]}
    del facts["files"], facts["config"]  # as in runs of older versions
    (folder / "run.json").write_text(json.dumps(facts))
    attention_lab.load(folder)


def test_a_run_whose_paths_have_moved_is_read(folders, tmp_path):
    folder = shutil.copytree(folders["classification"], tmp_path / "run")
    tree = json.loads((folder / "config.json").read_text())
    tree["data"]["vectors"], tree["training"]["log_every"] = "elsewhere.vec", 7
    (folder / "config.json").write_text(json.dumps(tree))
    attention_lab.load(folder)


def test_scores_are_called_as_their_tasks_say(folders):
    for name, folder in folders.items():
        result = attention_lab.load(folder).run.result
        wanted = {f"{part}_{score}" for part in ("dev", "test") for score in TASKS[name].scores}
        assert wanted <= set(result)


def test_importing_starts_no_jax():
    code = "import attention_lab, sys; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_models_that_nobody_holds_are_freed():
    tokenizer = tokenizers.train("word", ["the dog sees the cat"], 20)
    config = replace(Config(), {"model.width": 8, "model.hidden": 8, "model.num_layers": 1,
                                "model.num_heads": 1, "decoding.max_length": 4})
    translator = Translator(config, tokenizer, (6,))
    params = translator.model.init(jax.random.key(0))
    translator.translate(params, ["the dog"], beam=1)
    translator.attention(params, ["the dog"], ["the cat"])
    senses = replace(config, {"data.source": "senses", "model.kind": "encoder"})
    classifier = Classifier(senses, tokenizer, {"dog": ("a", "b")}, {}, (6,))
    freed = [weakref.ref(translator), weakref.ref(classifier), weakref.ref(tokenizer)]
    del translator, classifier, tokenizer
    gc.collect()
    assert [one() for one in freed] == [None] * 3


def test_equal_models_share_what_is_compiled():
    tokenizer = tokenizers.train("word", ["the dog sees the cat"], 20)
    base = replace(Config(), {"model.width": 8, "model.num_heads": 1})
    one = Translator(base, tokenizer, (6,))
    for changes, same in (({"decoding.beam": 2, "seed": 3, "attention.scale": 1.0}, True),
                          ({"data.source": "multi30k", "data.directory": "d"}, True),
                          ({"model.width": 16}, False), ({"attention.compatibility": "cosine"}, False)):
        other = Translator(replace(base, changes), tokenizer, (6,))
        assert (hash(other.model) == hash(one.model) and other.model == one.model) == same, changes
    assert split(base)[0] != base
