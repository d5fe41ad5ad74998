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


def check_padding(changes):
    """Asserts that four more columns of padding change no logit of a real token."""
    model, params, hyper = built(changes)
    run = jax.jit(lambda batch: logits(model, params, batch, hyper, jax.random.key(3))[:, :5])
    _check_real(run(batch()), run(batch(4)))


def check_padding_and_gradient(changes):
    """Asserts that four more columns of padding change neither logit nor gradient of the real tokens."""
    model, params, hyper = built(changes)

    def total(params, batch):
        out = logits(model, params, batch, hyper, jax.random.key(3))[:, :5]
        return ((out * (batch["target"] > 0)[:, :5, None]) ** 2).sum(), out

    run = jax.jit(jax.grad(total, has_aux=True))
    (gradient, out), (padded_gradient, padded_out) = run(params, batch()), run(params, batch(4))
    _check_real(out, padded_out)
    norm = max(np.abs(leaf).max() for leaf in jax.tree.leaves(gradient))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=5e-6 * norm),
                 padded_gradient, gradient)


def _check_real(out, padded):
    real = batch()["target"] > 0
    np.testing.assert_allclose(padded[real], out[real], rtol=0, atol=2e-6 * np.abs(out).max())
