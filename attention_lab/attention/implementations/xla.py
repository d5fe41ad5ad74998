"""`jax.nn.dot_product_attention` inside the contract of `attend`."""

import jax
import jax.numpy as jnp

from attention_lab.attention.masks import rows_and_keys, within


def attention(q, k, v, options, score, readouts, return_weights):
    """The library's context, 0 in rows that may attend to nothing, where the library averages all values."""
    T, S = q.shape[0], k.shape[0]
    mask = options.mask
    allowed = jnp.ones((1, 1), bool) if mask is None else within(mask, T, S)
    rows, keys = rows_and_keys(allowed)
    # The library wants axes (B, T, H, K), and one size for K and V: columns of zeros change neither.
    size = max(q.shape[-1], v.shape[-1])
    query, key, value = (
        jnp.pad(jnp.where(used, x, 0).astype(jnp.float32), ((0, 0), (0, size - x.shape[-1])))[None, :, None]
        for x, used in ((q, rows), (k, keys), (v, keys)))
    context = jax.nn.dot_product_attention(
        (query * options.scale).astype(jnp.float32), key, value, scale=1.0, implementation="xla",
        mask=None if mask is None else jnp.broadcast_to(allowed, (T, S))[None, None])
    return jnp.where(rows, context[0, :, 0, :v.shape[-1]], 0).astype(v.dtype), None, {}
