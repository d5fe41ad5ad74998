"""How a token's place enters: sinusoids added to it, or rotations of queries and keys."""

import jax
import jax.numpy as jnp


def place(x: jax.Array, positions: jax.Array, kind: str, table: jax.Array | None) -> jax.Array:
    """Adds to embeddings x (B, T, D) where they stand; `kind` as in `model.positions`.

    Args:
      x: float (B, T, D).
      positions: (T,) or (B, T), integers.
      kind: "sinusoidal", "learned" (rows of `table`), or "rotary", which adds nothing here.
      table: (longest, D), or None.
    """
    if kind == "sinusoidal":
        return x + jnp.broadcast_to(sinusoids(positions, x.shape[-1]), x.shape)
    if kind == "learned":
        return x + jnp.broadcast_to(table[positions], x.shape)
    return x


def sinusoids(positions: jax.Array, width: int) -> jax.Array:
    """Sines and cosines of geometrically falling frequency (Vaswani et al. 2017, 3.5).

    Args:
      positions: any shape (...), integers.
      width: D, at least 2; for odd D the last cosine is left out.
    Returns:
      float32 (..., D): sines first, cosines after.
    """
    half = (width + 1) // 2
    rates = jnp.exp(-jnp.log(10000.0) * jnp.arange(half, dtype=jnp.float32) / max(half - 1, 1))
    angles = positions[..., None].astype(jnp.float32) * jnp.expand_dims(rates, range(positions.ndim))
    return jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=-1)[..., :width]


def rotate(x: jax.Array, positions: jax.Array) -> jax.Array:
    """Rotates pairs of units by an angle that grows with the place (Su et al. 2021, RoFormer).

    After it, the product of a query and a key depends on their places by the difference alone.

    Args:
      x: queries or keys, (B, H, T, K), K even.
      positions: (T,) or (B, T), integers.
    Returns:
      the same shape and type.
    """
    half = x.shape[-1] // 2
    rates = 10000.0 ** (-jnp.arange(half, dtype=jnp.float32) / half)
    angles = jnp.broadcast_to(positions, (x.shape[0], x.shape[2]))[:, None, :, None]
    angles = angles * rates[None, None, None, :]
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    first, second = jnp.split(x.astype(jnp.float32), 2, axis=-1)
    turned = jnp.concatenate([first * cos - second * sin, first * sin + second * cos], axis=-1)
    return turned.astype(x.dtype)
