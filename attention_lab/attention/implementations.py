"""Ways to compute the same heads: name -> function of (q, k, v, mask, scale), context alone.

Shapes: q (B, H, T, K), k (B, H, S, K), v (B, H, S, V), mask bool with four axes that broadcast to
(B, H, T, S), scale a number or an array, () or (H,). Each is held equal to the reference by tests.
"""

import jax
import jax.numpy as jnp

from attention_lab.attention.guards import finite


def xla(q, k, v, mask, scale):
    """`jax.nn.dot_product_attention`, dot only; rows that see something bad are NaN but pass no gradient."""
    B, H, T, _ = q.shape
    S = k.shape[2]
    # The library takes no scale that is an array, so it goes into the queries, in float32.
    q = q.astype(jnp.float32) * jnp.reshape(jnp.asarray(scale, jnp.float32), (1, -1, 1, 1))
    bad = [jnp.any(~jnp.isfinite(x), axis=-1) for x in (q, k, v)]
    allowed = jnp.broadcast_to(mask, (B, H, T, S))
    hit = jnp.any(allowed & (bad[0][..., :, None] | (bad[1] | bad[2])[..., None, :]), axis=-1)
    query, key, value = (jnp.swapaxes(finite(x).astype(jnp.float32), 1, 2) for x in (q, k, v))
    if v.shape[-1] != q.shape[-1]:
        # The library wants keys and values of one size; columns of zeros change neither.
        width = max(v.shape[-1], q.shape[-1])
        query, key, value = (
            jnp.pad(x, ((0, 0),) * 3 + ((0, width - x.shape[-1]),)) for x in (query, key, value))
    context = jax.nn.dot_product_attention(query, key, value, mask=allowed, scale=1.0,
                                           implementation="xla")
    context = jnp.swapaxes(context, 1, 2)[..., :v.shape[-1]]
    context = jnp.where(jnp.any(allowed, axis=-1, keepdims=True), context, 0)
    return jnp.where(hit[..., None], jnp.nan, context).astype(v.dtype)


IMPLEMENTATIONS = {"xla": xla}
