"""Cross-entropy over a large vocabulary, in chunks of positions, as (sum, count) pairs."""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from attention_lab.config import Hyper
from attention_lab.data.vocabulary import PAD
from attention_lab.models import Model
from attention_lab.models.products import product
from attention_lab.training.readouts import terms
from attention_lab.training.task import Batch, Sums

CHUNK_TOKENS = 512  # target tokens whose logits are in memory at once


def _chunk(hidden, readout, target, real, label_smoothing, precision):
    """Smoothed and plain cross-entropy summed over real (B, t) tokens; hidden (B, t, D), readout (N, D)."""
    logits = product(hidden, readout.T, precision)
    normaliser = jax.nn.logsumexp(logits, axis=-1)
    plain = normaliser - jnp.take_along_axis(logits, target[..., None], axis=-1)[..., 0]
    uniform = normaliser - logits.mean(axis=-1)
    smoothed = (1.0 - label_smoothing) * plain + label_smoothing * uniform
    return (smoothed * real).sum(), (plain * real).sum()


def _cut(hidden, target, real):
    """Chunks of whole positions, so that a device keeps its rows: (C, B, t, D), (C, B, t), (C, B, t)."""
    B, T, D = hidden.shape
    width = next(t for t in range(min(T, max(1, CHUNK_TOKENS // B)), 0, -1) if T % t == 0)
    cut = partial(jnp.reshape, shape=(B, T // width, width))
    pieces = hidden.reshape(B, T // width, width, D).swapaxes(0, 1)
    return pieces, cut(target).swapaxes(0, 1), cut(real).swapaxes(0, 1)


@partial(jax.custom_vjp, nondiff_argnums=(5,))
def _sums(hidden, readout, target, real, label_smoothing, precision):
    def body(sums, piece):
        h, y, m = piece
        smoothed, plain = _chunk(h, readout, y, m, label_smoothing, precision)
        return (sums[0] + smoothed, sums[1] + plain), None
    return jax.lax.scan(body, (0.0, 0.0), _cut(hidden, target, real))[0]


def _sums_forward(hidden, readout, target, real, label_smoothing, precision):
    # The loss is linear in its cotangent, so the gradient is computed while the logits are in memory.
    chunk = jax.value_and_grad(_chunk, argnums=(0, 1), has_aux=True)

    def body(carry, piece):
        smoothed, plain, d_readout = carry
        h, y, m = piece
        (s, p), (d_h, d_r) = chunk(h, readout, y, m, label_smoothing, precision)
        return (smoothed + s, plain + p, d_readout + d_r), d_h

    zero = (0.0, 0.0, jnp.zeros_like(readout))
    (smoothed, plain, d_readout), d_pieces = jax.lax.scan(body, zero, _cut(hidden, target, real))
    return (smoothed, plain), (d_pieces.swapaxes(0, 1).reshape(hidden.shape), d_readout)


def _sums_backward(precision, gradients, cotangents):
    d_hidden, d_readout = gradients
    factor = cotangents[0]
    return d_hidden * factor, d_readout * factor, None, None, None


_sums.defvjp(_sums_forward, _sums_backward)


def cross_entropy(hidden, readout, target, real, label_smoothing, precision="float32") -> tuple[Sums, Sums]:
    """Label-smoothed and plain cross-entropy of `hidden @ readout.T`, in nats.

    smoothed = (1 - e) * -log p(y) + e * mean_n -log p(n)  (Szegedy et al. 2016, section 7).
    Differentiable once, through the smoothed sum, in `hidden` and `readout`.

    Args:
      hidden: (B, T, D). readout: (N, D). target: int (B, T), the right token at each position.
      real: bool (B, T), True where the position counts.
      label_smoothing: e in [0, 1), may be traced.
      precision: of the products with the readout, as in `attention_lab.models.products`.
    Returns:
      (smoothed, plain), each Sums over the real positions.
    """
    real = real.astype(jnp.float32)
    smoothed, plain = _sums(hidden, readout, target, real, jnp.float32(label_smoothing), precision)
    count = real.sum()
    return Sums(smoothed, count), Sums(jax.lax.stop_gradient(plain), count)


@dataclasses.dataclass(frozen=True)
class TokenLoss:
    """The loss of a Task whose model predicts batch["target"] token by token, PAD left out.

    Equal, so that programs are shared, where all fields are.
    """

    model: Model
    precision: str
    readouts: tuple[str, ...] = ()

    def __call__(self, params: Any, batch: Batch, hyper: Hyper, key: jax.Array | None
                 ) -> tuple[Sums, dict[str, Sums]]:
        output = self.model.apply(params, batch, hyper, key, readouts=self.readouts)
        smoothed, plain = cross_entropy(output.hidden, output.readout, batch["target"],
                                        batch["target"] != PAD, hyper.label_smoothing, self.precision)
        penalty, logged = terms(output.readouts, batch, (batch["target"] != PAD).sum(axis=1), hyper)
        return Sums(smoothed.total + penalty, smoothed.count), {"cross_entropy": plain, **logged}
