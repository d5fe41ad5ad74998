"""Recurrent cells as pure steps, and a scan in which padding does not change the state.

A state is a tuple, (h,) or for the LSTM (h, c), each (B, H). x W + b is computed for all positions at once,
so that a step computes only one product, U h.
"""

import dataclasses
from collections.abc import Callable

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from attention_lab.config.choices import look_up
from attention_lab.models.products import GLOROT, product
from attention_lab.models.spec import ModelSpec


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


@dataclasses.dataclass(frozen=True)
class Recurrence:
    """A kind of cell.

    Fields:
      step: (state, x W + b, h -> U h, and the bias of the candidate if it has one) -> state.
      gates: their number. states: arrays in a state.
      forgets: whether the second gate is a forget gate, whose initial bias is `model.forget_bias`.
      candidate_bias: whether the candidate has a bias inside its reset.
    """

    step: Callable
    gates: int
    states: int = 1
    forgets: bool = False
    candidate_bias: bool = False


CELLS = {
    "rnn": Recurrence(rnn_step, gates=1),
    "gru": Recurrence(gru_step, gates=3, candidate_bias=True),
    "lstm": Recurrence(lstm_step, gates=4, states=2, forgets=True),
}


class Cell(nn.Module):
    """The parameters of one cell of the kind `model.kind`, of `units` H."""

    spec: ModelSpec
    units: int
    inputs: int

    def setup(self):
        self.recurrence = look_up(CELLS, "model.kind", self.spec.model.kind)
        gates, H = self.recurrence.gates, self.units
        self.kernel = self.param("kernel", GLOROT, (self.inputs, gates * H))
        # Orthogonal for each gate, so that U h has the length of h.
        self.recurrent = self.param("recurrent", lambda key, shape: jnp.concatenate(
            [nn.initializers.orthogonal()(k, (H, H)) for k in jax.random.split(key, gates)], axis=1),
            (H, gates * H))
        self.bias = self.param("bias", lambda key, shape: jnp.zeros(shape).at[H:2 * H].set(
            self.spec.model.forget_bias if self.recurrence.forgets else 0.0), (gates * H,))
        if self.recurrence.candidate_bias:
            self.candidate_bias = self.param("candidate_bias", nn.initializers.zeros, (H,))

    def project_inputs(self, x):
        """x W + b for all positions, (B, T, D) -> (B, T, G H)."""
        return product(x, self.kernel, self.spec.precision) + self.bias[None, None, :]

    def step(self):
        """(state, x W + b at one position (B, G H)) -> state; pure, for `jax.lax.scan`."""
        recurrent, precision, step = self.recurrent, self.spec.precision, self.recurrence.step
        biases = (self.candidate_bias,) if self.recurrence.candidate_bias else ()

        def recur(h):
            return product(h, recurrent, precision)

        return lambda state, x: step(state, x, recur, *biases)

    def initial_state(self, rows):
        """The state before the first position: zeros."""
        return (jnp.zeros((rows, self.units)),) * self.recurrence.states


def scan(step: Callable, state: tuple, inputs: jax.Array, mask: jax.Array, reverse: bool = False
         ) -> tuple[tuple, jax.Array]:
    """Runs a cell over positions; where the mask is False the state stays as it is.

    step is that of Cell.step(), inputs (B, T, G H) those of Cell.project_inputs(x); mask (B, T) is True for a
    token. Returns the last state, and h at every position (B, T, H).
    """
    chex.assert_equal_shape_prefix([inputs, mask], 2)

    def body(state, scanned):
        x, real = scanned
        new = tuple(jnp.where(real[:, None], after, before) for after, before in zip(step(state, x), state))
        return new, new[0]

    state, out = jax.lax.scan(body, state, (inputs.swapaxes(0, 1), mask.swapaxes(0, 1)), reverse=reverse)
    return state, out.swapaxes(0, 1)
