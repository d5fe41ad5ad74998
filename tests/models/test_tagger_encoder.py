"""The encoder: a causal one sees no future, and a small first query stands in for the scale."""

import jax
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab import models

N = 19
SOURCE = np.random.default_rng(0).integers(4, N, (3, 7)).astype(np.int32)


def logits(changes=None, source=SOURCE, scale=None):
    config = configs.replace(configs.Config(), {
        "data.source": "recall", "model.kind": "encoder", "model.width": 12, "model.hidden": 10,
        "model.num_heads": 3, "model.causal": True} | (changes or {}))
    structure, hyper = configs.split(config)
    if scale is not None:
        hyper = hyper._replace(attention_scale=np.float32(scale))
    model = models.build(structure, N)
    output = model.apply(model.init(jax.random.key(0)), {"source": source, "example": np.arange(3)}, hyper)
    return output.hidden @ output.readout.T


@pytest.mark.parametrize("causal", [True, False])
def test_the_future_is_hidden_from_a_causal_one_alone(causal):
    changed = SOURCE.copy()
    changed[:, 4] = 4 + (changed[:, 4] + 1) % (N - 4)
    before, after = (logits({"model.causal": causal}, source) for source in (SOURCE, changed))
    assert (np.abs(before[:, :4] - after[:, :4]).max() == 0) == causal
    assert np.abs(before[:, 4:] - after[:, 4:]).max() > 1e-3


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "rotary"])
def test_padding_changes_nothing(positions):
    padded = np.pad(SOURCE, ((0, 0), (0, 4)))
    changes = {"model.positions": positions, "model.causal": False}
    np.testing.assert_allclose(logits(changes, padded)[:, :7], logits(changes), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("key_size", [4, 64])
def test_a_small_query_without_the_scale_equals_the_scaled_arm_at_the_start(key_size):
    size = {"model.key_size": key_size}
    scaled = logits(size)
    small = logits(size | {"attention.small_query": True}, scale=1.0)
    np.testing.assert_allclose(small, scaled, rtol=1e-5, atol=1e-5)
    assert np.abs(scaled - logits(size, scale=1.0)).max() > 1e-2


def test_a_gain_of_the_query_is_at_the_start_a_factor_on_the_logits():
    scaled = logits({}, scale=0.3)
    gained = logits({"attention.query_gain": 6.0}, scale=0.05)
    np.testing.assert_allclose(gained, scaled, rtol=1e-5, atol=1e-5)
    assert np.abs(scaled - logits({}, scale=0.05)).max() > 1e-2
