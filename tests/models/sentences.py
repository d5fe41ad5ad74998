"""What tests of translation models share: a small batch of uneven sentences, and logits."""

import functools

import jax
import numpy as np

from attention_lab import config as configs
from attention_lab import models

N = 23


def built(changes):
    """(model, params, hyper) of the default config with changes; made once, for nothing changes them."""
    return _built(tuple(sorted(changes.items())))


@functools.cache
def _built(changes):
    structure, hyper = configs.split(configs.replace(configs.Config(), dict(changes)))
    model = models.build(structure, N)
    return model, model.init(jax.random.key(0)), hyper


def whole(changes):
    """Logits of `batch()` by the model of these changes, made once."""
    return _whole(tuple(sorted(changes.items())))


@functools.cache
def _whole(changes):
    model, params, hyper = _built(changes)
    return logits(model, params, batch(), hyper)


def batch(padding=0):
    """Three pairs, the second source and the third target shorter."""
    rng = np.random.default_rng(1)
    source, target = rng.integers(4, N, (3, 7)), rng.integers(4, N, (3, 5))
    source[1, 4:], target[2, 3:] = 0, 0
    return {"source": np.pad(source, ((0, 0), (0, padding))).astype(np.int32),
            "target": np.pad(target, ((0, 0), (0, padding))).astype(np.int32),
            "example": np.array([5, 8, 2], np.int32)}


def logits(model, params, batch, hyper, key=None):
    """(B, T, N), of the whole target at once."""
    output = model.apply(params, batch, hyper, key)
    return output.hidden @ output.readout.T
