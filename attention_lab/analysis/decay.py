"""How much of an early word is left in the last state: log norms of d h_T / d x_(T-k).

Products of a hundred Jacobians overflow or underflow float32, so they are carried as a matrix of norm 1 and
the logarithm of its scale.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab import attention, models
from attention_lab.config import RECURRENT, Config, Hyper, Structure, replace
from attention_lab.models.cells import Cell

SCALE = 2.0 ** 60  # gradients are multiplied by this, so that they stay in float32


def cell(kind: str, units: int, inputs: int, forget_bias: float = 1.0) -> Cell:
    """A cell of H = `units` for inputs of size D = `inputs`."""
    config = replace(Config(), {"model.kind": kind, "model.forget_bias": forget_bias})
    return Cell(models.spec_of(config, 0), units, inputs)


def start(module: Cell, key: jax.Array) -> dict:
    """The parameters of a cell before training."""
    return module.init(key, jnp.zeros((1, 1, module.inputs)), method=Cell.project_inputs)["params"]


def recurrent_norms(module: Cell, params: dict, x: jax.Array) -> jax.Array:
    """log |d h_T / d x_(T-k)|, Frobenius, k = 0 to T - 1, of one sequence x (T, D); -inf where it is 0."""
    bound = module.bind({"params": params})
    step, H = bound.step(), module.units

    def flat(state, read):
        parts = tuple(part[None] for part in jnp.split(state, state.shape[0] // H))
        return jnp.concatenate(step(parts, read[None]), axis=-1)[0]

    blank = jnp.concatenate(bound.initial_state(1), axis=-1)[0]
    read = bound.project_inputs(x[None])[0]
    _, before = jax.lax.scan(lambda state, now: (flat(state, now), state), blank, read)

    def back(carry, at):
        jacobian, log_norm = carry  # d h_T / d state_t, scaled to norm 1, and the logarithm of its norm
        state, now = at
        of_state, of_read = jax.jacfwd(flat, (0, 1))(state, now)
        of_x = jnp.linalg.norm(jacobian @ of_read @ params["kernel"].T)
        jacobian = jacobian @ of_state
        norm = jnp.linalg.norm(jacobian)
        # Units that are saturated have a derivative of exactly 0.
        scaled = jacobian / jnp.where(norm > 0, norm, 1.0)
        return (scaled, log_norm + jnp.log(norm)), log_norm + jnp.log(of_x)

    last = jnp.eye(H, blank.shape[0])  # h comes first in a state
    norm = jnp.linalg.norm(last)
    _, norms = jax.lax.scan(back, (last / norm, jnp.log(norm)), (before, read), reverse=True)
    return norms[::-1]


def cell_path_rate(module: Cell, params: dict, x: jax.Array) -> jax.Array:
    """log |d c_T / d c_1| / (T - 1) of an LSTM along c alone, of one sequence x (T, D), T at least 2.

    The Frobenius norm is divided by that of the identity: the rate is 0 if nothing is forgotten. ValueError
    for a cell without c.
    """
    bound = module.bind({"params": params})
    step, state = bound.step(), bound.initial_state(1)
    if len(state) != 2:
        raise ValueError(f"model.kind={module.spec.model.kind} has no path along a cell: lstm has")

    def forward(state, now):
        h, c = state
        # With h constant, d c' / d c is diagonal: its product with ones is the diagonal.
        after, (_, forget) = jax.jvp(lambda c: step((h, c), now), (c,), (jnp.ones_like(c),))
        return after, jnp.log(forget[0])

    _, logs = jax.lax.scan(forward, state, bound.project_inputs(x[None])[0][:, None])
    whole = jax.nn.logsumexp(2.0 * logs[1:].sum(axis=0)) - jnp.log(module.units)
    return 0.5 * whole / (x.shape[0] - 1)


def mean_field_rate(gain: float, spread: float) -> float:
    """The slope of log |d h_T / d x_(T-k)| on k of an RNN with many units (Schoenholz et al. 2017, eq. 10).

    log g + log E[tanh'(z)^2] / 2, z normal, of variance q: the fixed point of q = g^2 E[tanh(z)^2] + s^2.

    Args:
      gain: g, the recurrent matrix is g times an orthogonal one. spread: s, the standard deviation of x W.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(101)  # E[f(z)] = sum of weights f(sqrt(q) nodes)
    weights /= weights.sum()
    q = before = spread ** 2
    for _ in range(10000):
        before, q = q, gain ** 2 * (weights @ np.tanh(np.sqrt(q) * nodes) ** 2) + spread ** 2
        if abs(q - before) <= 1e-12 * q:
            break
    slopes = 1.0 - np.tanh(np.sqrt(q) * nodes) ** 2
    return float(np.log(gain) + 0.5 * np.log(weights @ slopes ** 2))


def attention_norms(key: jax.Array, x: jax.Array, size: int) -> jax.Array:
    """log |d out_T / d x_(T-k)|, k = 0 to T - 1, of one head of attention before training, of x (T, D)."""
    draw = jax.nn.initializers.xavier_uniform()
    w_q, w_k, w_v = (draw(each, (x.shape[1], size)) for each in jax.random.split(key, 3))

    def last(x):
        return attention.attend(x[-1:] @ w_q, x @ w_k, x @ w_v)[0][0]

    return _log_norms(last, x)


def token_norms(structure: Structure, params: dict, hyper: Hyper, source: jax.Array) -> jax.Array:
    """log |d h_T / d x_(T-k)|, k = 0 to T - 1, of a model of sequences, for one sequence of ids (T,).

    x are the embeddings; h is the last state of a recurrent network of one layer, in other models the input
    of the readout. ValueError for several recurrent layers.
    """
    if structure.model.kind in RECURRENT and structure.model.num_layers > 1:
        raise ValueError(f"model.num_layers={structure.model.num_layers}: one recurrent layer is allowed")
    x = params["embedding"][source]
    if structure.model.kind in RECURRENT:
        module = Cell(models.spec_of(structure, 0), structure.model.hidden, structure.model.width)
        size = structure.model.width ** 0.5
        return recurrent_norms(module, params["cell_0"], x * size) + jnp.log(size)
    # Each position gets an id of its own, so that a row of the embedding is the input at one position. The
    # readout takes no part: with tied embeddings the model needs no other table.
    T = source.shape[0]
    model = models.build(replace(structure, {"model.tie_embeddings": True}), T + 1)
    batch = {"source": jnp.arange(1, T + 1)[None], "example": jnp.zeros((1,), jnp.int32)}

    def last(x):
        table = params | {"embedding": jnp.pad(x, ((1, 0), (0, 0)))}
        return model.apply(table, batch, hyper).hidden[0, -1]

    return _log_norms(last, x)


@partial(jax.jit, static_argnames="structure")
def sequence_norms(structure: Structure, params: dict, hyper: Hyper, sources: jax.Array) -> jax.Array:
    """`token_norms` of each of several sequences of ids, (N, T) -> (N, T). ValueError as there."""
    return jax.lax.map(lambda source: token_norms(structure, params, hyper, source), sources)


def _log_norms(last, x):
    """log |d last(x) / d x_(T-k)|, k = 0 to T - 1, also where the gradient or its square leaves float32."""
    jacobian = jax.jacrev(lambda x: SCALE * last(x))(x)
    largest = jnp.maximum(jnp.abs(jacobian).max(axis=(0, 2)), jnp.finfo(jnp.float32).tiny)
    scaled = jnp.linalg.norm(jacobian / largest[None, :, None], axis=(0, 2))
    return (jnp.log(scaled) + jnp.log(largest) - jnp.log(SCALE))[::-1]
