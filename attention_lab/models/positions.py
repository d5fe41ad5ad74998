"""How a token's position enters: vectors added to it, or rotations of queries and keys."""

from collections.abc import Callable
from typing import NamedTuple

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from attention_lab.config import LEARNED_POSITIONS
from attention_lab.config.choices import look_up


class Positions(NamedTuple):
    """A value of `model.positions`.

    Fields:
      vectors: (positions (T,) or (B, T), D, table or None) -> (T, D) or (B, T, D), added to embeddings.
      learned: whether it has a table (longest, D).
      turn: (x (B, H, T, K), positions) -> queries or keys, rotated.
    """

    vectors: Callable | None = None
    learned: bool = False
    turn: Callable | None = None


def sinusoids(positions: jax.Array, width: int, table: None = None) -> jax.Array:
    """Sines, then cosines, of geometrically falling frequency (Vaswani et al. 2017, 3.5).

    Integers (...) give float32 (..., D) for a width D of at least 2; for odd D the last cosine is left out.
    """
    half = (width + 1) // 2
    rates = jnp.exp(-jnp.log(10000.0) * jnp.arange(half, dtype=jnp.float32) / max(half - 1, 1))
    angles = positions[..., None].astype(jnp.float32) * jnp.expand_dims(rates, range(positions.ndim))
    return jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=-1)[..., :width]


def rotate(x: jax.Array, positions: jax.Array) -> jax.Array:
    """Rotates pairs of units by an angle that grows with the position (Su et al. 2021, RoFormer).

    After it, the product of a query and a key depends on the difference of their positions alone. x are
    queries or keys (B, H, T, K), K even; positions (T,) or (B, T).
    """
    chex.assert_rank(x, 4)
    half = x.shape[-1] // 2
    rates = 10000.0 ** (-jnp.arange(half, dtype=jnp.float32) / half)
    angles = jnp.broadcast_to(positions, (x.shape[0], x.shape[2]))[:, None, :, None]
    angles = angles * rates[None, None, None, :]
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    first, second = jnp.split(x.astype(jnp.float32), 2, axis=-1)
    turned = jnp.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)
    return turned.astype(x.dtype)


POSITIONS = {
    "sinusoidal": Positions(vectors=sinusoids),
    "learned": Positions(vectors=lambda positions, width, table: table[positions], learned=True),
    "rotary": Positions(turn=rotate),
}


def positions_of(kind: str) -> Positions:
    """The entry of POSITIONS that `model.positions` names."""
    return look_up(POSITIONS, "model.positions", kind)


def position_table(module: nn.Module, *lead: int) -> jax.Array | None:
    """Learned vectors of positions, (*lead, longest, D), created in a module; None where none are learned."""
    model = module.spec.model
    if not positions_of(model.positions).learned:
        return None
    return module.param("places", nn.initializers.normal(0.02), (*lead, LEARNED_POSITIONS, model.width))


def add_positions(x: jax.Array, positions: jax.Array, kind: str, table: jax.Array | None) -> jax.Array:
    """Adds to embeddings x (B, T, D) the vectors of their positions (T,) or (B, T), if `kind` has any."""
    vectors = positions_of(kind).vectors
    return x if vectors is None else x + jnp.broadcast_to(vectors(positions, x.shape[-1], table), x.shape)
