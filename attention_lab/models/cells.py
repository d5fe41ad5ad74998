"""Recurrent cells as pure steps, and the scan that lets padding change nothing.

A state is a tuple, (h,) or for the LSTM (h, c), each (B, H). What a cell takes from its input is made for
all positions at once, x W + b, so that a step has one product left.
"""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from attention_lab.config import Structure
from attention_lab.models.products import product

GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def rnn_step(state: tuple, x: jax.Array, recur: Callable) -> tuple:
    """h' = tanh(x + U h) (Elman 1990)."""
    return (jnp.tanh(x + recur(state[0])),)


def gru_step(state: tuple, x: jax.Array, recur: Callable, bias: jax.Array) -> tuple:
    """r, z = sigmoid(.), n = tanh(x_n + r (U_n h + bias)), h' = (1 - z) n + z h (Cho et al. 2014).

    The reset gate comes after the product, as in flax, and not before it, U_n (r h).
    """
    h, = state
    (x_r, x_z, x_n), (u_r, u_z, u_n) = jnp.split(x, 3, axis=-1), jnp.split(recur(h), 3, axis=-1)
    r, z = jax.nn.sigmoid(x_r + u_r), jax.nn.sigmoid(x_z + u_z)
    return ((1.0 - z) * jnp.tanh(x_n + r * (u_n + bias[None, :])) + z * h,)


def lstm_step(state: tuple, x: jax.Array, recur: Callable) -> tuple:
    """c' = f c + i tanh(g), h' = o tanh(c'), with i, f, o = sigmoid(.) (Hochreiter & Schmidhuber 1997)."""
    h, c = state
    i, f, g, o = jnp.split(x + recur(h), 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


class Cell(nn.Module):
    """The parameters of one cell: rnn, gru or lstm, of `units` H."""

    structure: Structure
    units: int
    inputs: int

    def setup(self):
        kind = self.structure.model.kind
        gates, H = GATES[kind], self.units
        self.kernel = self.param("kernel", nn.initializers.xavier_uniform(), (self.inputs, gates * H))
        # Gate by gate: an orthogonal map keeps lengths.
        self.recurrent = self.param("recurrent", lambda key, shape: jnp.concatenate(
            [nn.initializers.orthogonal()(one, (H, H)) for one in jax.random.split(key, gates)], axis=1),
            (H, gates * H))
        self.bias = self.param("bias", lambda key, shape: jnp.zeros(shape).at[H:2 * H].set(
            self.structure.model.forget_bias if kind == "lstm" else 0.0), (gates * H,))
        if kind == "gru":
            self.candidate_bias = self.param("candidate_bias", nn.initializers.zeros, (H,))

    def read(self, x):
        """x W + b for all positions, (B, T, D) -> (B, T, G H)."""
        return product(x, self.kernel, self.structure.training.precision) + self.bias[None, None, :]

    def step(self):
        """(state, what was read at one position (B, G H)) -> state; pure, for `jax.lax.scan`."""
        recurrent, precision = self.recurrent, self.structure.training.precision

        def recur(h):
            return product(h, recurrent, precision)

        if self.structure.model.kind == "gru":
            bias = self.candidate_bias
            return lambda state, x: gru_step(state, x, recur, bias)
        one = {"rnn": rnn_step, "lstm": lstm_step}[self.structure.model.kind]
        return lambda state, x: one(state, x, recur)

    def blank(self, rows):
        """The state before anything was read."""
        return (jnp.zeros((rows, self.units)),) * (2 if self.structure.model.kind == "lstm" else 1)


def scan(step: Callable, state: tuple, read: jax.Array, mask: jax.Array, reverse: bool = False
         ) -> tuple[tuple, jax.Array]:
    """Runs a cell over positions; where the mask is False the state stays as it is.

    Args:
      step: of `Cell.step`. state: before the first position.
      read: (B, T, G H). mask: bool (B, T), True for a token.
      reverse: from the last position to the first.
    Returns:
      The last state, and h at every position (B, T, H).
    """
    def one(state, at):
        x, real = at
        new = tuple(jnp.where(real[:, None], after, before) for after, before in zip(step(state, x), state))
        return new, new[0]

    state, out = jax.lax.scan(one, state, (read.swapaxes(0, 1), mask.swapaxes(0, 1)), reverse=reverse)
    return state, out.swapaxes(0, 1)
