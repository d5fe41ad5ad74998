"""What attention gets inside a model: the weights that it makes of them are the model's own."""

import jax
import numpy as np
import pytest

from attention_lab import attention
from attention_lab import config as configs
from attention_lab import models

N, LAYERS = 19, 2


@pytest.mark.parametrize("kind", ["encoder", "transformer"])
def test_they_give_the_models_own_weights(kind):
    config = configs.replace(configs.Config(), {
        "data.source": "recall" if kind == "encoder" else "grammar", "model.kind": kind, "model.width": 12,
        "model.hidden": 10, "model.num_heads": 3, "model.num_layers": LAYERS, "model.value_size": 5})
    structure, hyper = configs.split(config)
    model = models.build(structure, N)
    source, target = (np.random.default_rng(0).integers(4, N, (3, length)).astype(np.int32)
                      for length in (7, 5))
    batch = {"source": source, "target": target, "example": np.arange(3)}
    params = model.init(jax.random.key(0))
    wanted = model.apply(params, batch, hyper, with_weights=True).weights
    found = model.projections(params, batch, hyper)
    assert set(found) == set(wanted)
    for name, layers in found.items():
        assert len(layers) == LAYERS
        mask = attention.causal(5) if name == "decoder" else None
        for layer, (q, k, v) in enumerate(layers):
            assert v.shape[-1] == 5 and v.shape[:3] == k.shape[:3]
            _, weights = attention.multi_head(q, k, v, mask, hyper.attention_scale, return_weights=True)
            np.testing.assert_allclose(weights, wanted[name][layer], rtol=1e-5, atol=1e-6)


def test_values_are_what_a_head_adds_where_it_looks_at_one_word():
    H, V = 3, 5
    config = configs.replace(configs.Config(), {
        "model.width": 12, "model.hidden": 10, "model.num_heads": H, "model.num_layers": 1,
        "model.value_size": V})
    structure, hyper = configs.split(config)
    model = models.build(structure, N)
    params = model.init(jax.random.key(0))
    batch = {"source": np.array([[4, 9, 7]], np.int32), "target": np.array([[5, 6]], np.int32),
             "example": np.arange(1)}
    _, _, v = model.projections(params, batch, hyper)["cross"][0]
    kernel = params["decoder_0"]["cross"]["output"]["kernel"]
    found = model.values(params, batch, hyper)
    assert found.shape == (1, 1, H, 3)
    for head in range(H):
        added = v[0, head] @ kernel[head * V:(head + 1) * V]
        np.testing.assert_allclose(found[0, 0, head], np.linalg.norm(added, axis=-1), rtol=1e-5)


def test_values_of_a_recurrent_network_are_its_states():
    config = configs.replace(configs.Config(), {"model.kind": "gru", "model.width": 6, "model.hidden": 4,
                                                "model.num_layers": 1, "model.bidirectional": True})
    structure, hyper = configs.split(config)
    model = models.build(structure, N)
    params = model.init(jax.random.key(0))
    source = np.array([[4, 9, 7]], np.int32)
    states = model.start(params, source, hyper, 2)["memory"]
    found = model.values(params, {"source": source}, hyper)
    np.testing.assert_allclose(found, np.sqrt((np.asarray(states) ** 2).sum(-1))[None, :, None], rtol=1e-5)
