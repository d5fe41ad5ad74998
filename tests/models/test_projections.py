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
        "model.kind": kind, "model.width": 12, "model.hidden": 10, "model.num_heads": 3,
        "model.num_layers": LAYERS, "model.value_size": 5})
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
