"""Other ways to compute the same heads: name -> function (q, k, v, mask, scale) -> context.

Shapes: q (B, H, T, K), k (B, H, S, K), v (B, H, S, V), mask bool with four axes that broadcast to
(B, H, T, S), scale () or (H,), maybe traced. They compute dot alone and never return the weights.
Tests hold each of them equal to the reference.
"""

import jax
import jax.numpy as jnp

from attention_lab.attention.guards import bad_rows, finite


def xla(q: jax.Array, k: jax.Array, v: jax.Array, mask: jax.Array, scale: jax.Array) -> jax.Array:
    """`jax.nn.dot_product_attention`, made to keep the contract on empty rows and bad numbers.

    The library gives an empty row the mean of the masked values and lets 0 * NaN through. So it is
    given finite numbers, and the rows that it must not speak for are set afterwards; a row that
    sees something bad is therefore NaN, but passes no gradient on. A bad cotangent of a clean row
    is not kept to that row, as the reference keeps it.
    """
    wide = jnp.float32
    q = q.astype(wide) * jnp.reshape(jnp.asarray(scale, wide), (1, -1, 1, 1))
    mask = jnp.broadcast_to(mask, (*q.shape[:3], k.shape[2]))
    bad_pairs = bad_rows(q)[..., :, None] | (bad_rows(k) | bad_rows(v))[..., None, :]
    # It wants axes (B, T, H, K), and one size for K and V: columns of zeros change neither.
    size = max(q.shape[-1], v.shape[-1])
    query, key, value = (
        jnp.pad(jnp.swapaxes(finite(x).astype(wide), 1, 2),
                ((0, 0), (0, 0), (0, 0), (0, size - x.shape[-1]))) for x in (q, k, v))
    context = jax.nn.dot_product_attention(query, key, value, mask=mask, scale=1.0,
                                           implementation="xla")
    context = jnp.swapaxes(context, 1, 2)[..., :v.shape[-1]]
    context = jnp.where(jnp.any(mask, axis=-1, keepdims=True), context, 0)
    spoilt = jnp.any(mask & bad_pairs, axis=-1, keepdims=True)
    return jnp.where(spoilt, jnp.nan, context).astype(v.dtype)


IMPLEMENTATIONS = {"xla": xla}
