"""What keeps a library's kernel to the contract of `attend`: one head, one sentence, plain arrays.

A kernel knows causal masks and a set of keys that all rows share. Around it the scale, which may be traced,
is folded into the query; K and V are padded to one size and T and S to multiples of a block; rows that may
attend to nothing get one harmless key, and their context is then zero, as are its derivatives.
"""

import jax.numpy as jnp

from attention_lab.attention.implementations.reference import without_unused
from attention_lab.attention.masks import kind, used_rows, within


def by_kernel(kernel, q, k, v, options, rows_of, size_of, dtype=None):
    """The context (T, V) by a kernel.

    Args:
      kernel: (q (T', K'), k (S', K'), v (S', K'), causal, allowed) -> (T', K'), where `allowed`, bool (S',),
        has a key and is the same for all rows; None allows every key.
      rows_of, size_of: T' and S' are multiples of the one, K' of the other.
      dtype: of the kernel's arrays; None is that of the query.
    """
    (T, K), (S, V), mask = q.shape, v.shape, options.mask
    rows, causal, allowed = jnp.ones((1, 1), bool), False, None
    if mask is not None:
        rows, causal = used_rows(mask, T, S), bool(mask.form)
        k, v = without_unused(k, v, mask, T)
    size = _up(max(K, V), size_of)
    if mask is not None and kind(mask) != "causal":
        allowed = jnp.broadcast_to(within(mask, T, S)[-1], (S,))  # the last row has what any row has
    if allowed is None and _up(S, rows_of) != S and not (causal and T <= S):
        allowed = jnp.ones(S, bool)
    if allowed is not None:
        harmless = jnp.arange(_up(S, rows_of)) == 0
        allowed = jnp.pad(allowed, (0, _up(S, rows_of) - S))
        allowed = jnp.where(allowed.any(), allowed, harmless)

    def padded(x):
        more = _up(x.shape[0], rows_of) - x.shape[0]
        return jnp.pad(x, ((0, more), (0, size - x.shape[1]))).astype(dtype or q.dtype)

    query = jnp.where(rows, q, 0).astype(jnp.float32) * options.scale
    context = kernel(padded(query), padded(k), padded(v), causal, allowed)[:T, :V]
    return jnp.where(rows, context, 0).astype(v.dtype)


def _up(n, multiple):
    return -(-n // multiple) * multiple
