"""model.kind=linear_attention is the encoder with linear scores, bit for bit, whatever is read from it."""

import jax
import numpy as np
import pytest

from attention_lab import models
from attention_lab.attention import counterfactual
from attention_lab.config import Config, replace, split
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.tasks.registry import TASKS
from attention_lab.tasks.views import _title

N = 19
SIZES = {"model.width": 12, "model.hidden": 10, "model.num_heads": 3}
TOKENS = SIZES | {"data.source": "recall", "model.shift": True}
CLASSES = SIZES | {"data.source": "senses", "model.pooling": "additive"}
LINEAR = {"model.kind": "linear_attention"}
SOURCE = np.random.default_rng(0).integers(4, N, (5, 7)).astype(np.int32)
BATCH = {"source": SOURCE, "target": SOURCE, "example": np.arange(5), "word": np.zeros(5, np.int32),
         "position": np.full(5, 2, np.int32)}


def outputs(values, key=None, **more):
    """All leaves of a forward pass, with weights, by the model of a config that is allowed."""
    config = merge(Config(), values)
    check(config)
    structure, hyper = split(config)
    model = models.build(structure, N, (2, 3))
    params = model.init(jax.random.key(0))
    return jax.tree.leaves(model.apply(params, BATCH, hyper, key, with_weights=True, readouts=("entropy",),
                                       **more))


@pytest.mark.parametrize("base", [TOKENS, TOKENS | {"model.causal": True}, CLASSES])
def test_it_is_the_encoder_with_linear_scores(base):
    changed = {"encoder": counterfactual.zero_max()}
    for more in ({}, {"key": jax.random.key(2)}, {"intervention": changed}):
        kind = outputs(base | LINEAR, **more)
        encoder = outputs(base | {"model.kind": "encoder", "attention.compatibility": "linear"}, **more)
        assert len(kind) == len(encoder) > 3
        for a, b in zip(kind, encoder):
            np.testing.assert_array_equal(a, b)
    kind, dot = outputs(base | LINEAR), outputs(base | {"model.kind": "encoder"})
    assert any(np.abs(np.float32(a) - np.float32(b)).max() > 1e-3 for a, b in zip(kind, dot))


def test_every_task_of_the_encoder_trains_it():
    assert [name for name, task in TASKS.items() if "linear_attention" in task.kinds] == [
        name for name, task in TASKS.items() if "encoder" in task.kinds]
    assert models.MODELS["linear_attention"] == models.MODELS["encoder"]


def test_its_title_names_it():
    assert _title(merge(Config(), TOKENS | LINEAR)) == "Linear attention, 2 layers of 3 heads"


def test_the_kind_decides_the_score_unless_that_is_given():
    for before in ("dot", "additive", "linear"):
        config = merge(merge(Config(), {"attention.compatibility": before}), TOKENS | LINEAR)
        assert config.attention.compatibility == "linear"
    assert merge(merge(Config(), TOKENS | LINEAR), {"model.kind": "gru"}).attention.compatibility == "none"


@pytest.mark.parametrize("values, said", [
    ({"attention.compatibility": "dot"},
     "attention.compatibility=dot: model.kind=linear_attention has linear scores; linear is allowed, or "
     "model.kind=encoder"),
    ({"attention.compatibility": "none"}, "attention.compatibility=none"),
    ({"model.bidirectional": True}, "model.bidirectional=true means nothing to model.kind=linear_attention"),
    ({"data.source": "grammar", "model.shift": False},
     "model.kind=linear_attention does not fit data.source=grammar"),
    ({"data.source": "text", "model.shift": False}, "model.causal=false: with data.source=text"),
    ({"attention.scale": 2.0}, "attention.scale=2.0: model.kind=linear_attention has a scale of 1"),
    ({"attention.scale": "inverse_sqrt"}, "attention.scale=inverse_sqrt: model.kind=linear_attention has"),
    ({"attention.implementation": "xla"}, "attention.implementation=xla computes dot alone"),
])
def test_what_it_can_not_follow_is_refused_in_a_line(values, said):
    with pytest.raises(ValueError, match=said) as error:
        check(merge(Config(), TOKENS | LINEAR | values))
    assert "\n" not in str(error.value)


def test_a_config_with_another_score_is_refused():
    with pytest.raises(ValueError, match="compatibility=dot: model.kind=linear_attention has linear scores"):
        check(replace(Config(), TOKENS | LINEAR))
