"""Shared by greedy and beam search: allowed tokens, the best of them, their log p, checks of arguments."""

import jax
import jax.numpy as jnp
from jax import Array, lax

BLOCK = 48  # columns of a block of `top`


def allowed_logits(logits: Array, banned: tuple[int, ...]) -> Array:
    """Logits (R, N) as float32, -inf where banned or NaN."""
    logits, ids = logits.astype(jnp.float32), jnp.arange(logits.shape[-1])
    allowed = ~jnp.isnan(logits)
    for token in banned:
        allowed &= (ids != token)[None]
    return jnp.where(allowed, logits, -jnp.inf)


def log_probability(logit: Array, logits: Array) -> Array:
    """log p (R, ...) of tokens whose logits are `logit`, among `logits` (R, N).

    -inf where that is no number, so that a broken model ends.
    """
    normaliser = jax.nn.logsumexp(logits.astype(jnp.float32), axis=-1)
    log_p = logit - jnp.expand_dims(normaliser, range(1, logit.ndim))
    return jnp.where(jnp.isnan(log_p), -jnp.inf, log_p)


def top(x: Array, k: int) -> tuple[Array, Array]:
    """What `lax.top_k` gives for x (R, N), by the largest number of each block of columns.

    The k largest are in the k blocks whose largest numbers are largest, ties by place in both. On a CPU
    `lax.top_k` of thousands of columns takes several times as long, and so does `jnp.argmax`.

    >>> values, indices = top(jnp.array([[1.0, 3.0, 2.0, 3.0]]), 3)
    >>> values.tolist(), indices.tolist()
    ([[3.0, 3.0, 2.0]], [[1, 3, 2]])
    """
    R, N = x.shape
    count, ids = N // BLOCK, jnp.arange(N)
    if count <= k:
        return lax.top_k(x, k)
    last = count * BLOCK
    blocks = x[:, :last].reshape(R, count, BLOCK)
    best = jnp.sort(lax.top_k(jnp.max(blocks, axis=2), k)[1], axis=1)
    # In their order, so that ties stay in it; the columns behind the last block come last.
    within = jnp.take_along_axis(blocks, best[:, :, None], axis=1).reshape(R, -1)
    columns = ids[:last].reshape(count, BLOCK)[best].reshape(R, -1)
    values, places = lax.top_k(jnp.concatenate([within, x[:, last:]], axis=1), k)
    columns = jnp.concatenate([columns, jnp.broadcast_to(ids[last:], (R, N - last))], axis=1)
    return values, jnp.take_along_axis(columns, places, axis=1)


def check(bos: int, eos: int, pad: int, **sizes: int) -> None:
    """ValueError, naming the argument, unless the three ids differ and every size is at least 1."""
    if len({bos, eos, pad}) < 3:
        raise ValueError(f"bos={bos}, eos={eos}, pad={pad} must be three different ids")
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name}={size} is not a size; it must be at least 1")
