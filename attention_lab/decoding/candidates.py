"""Shared by greedy and beam search: allowed tokens, their log p, and checks of arguments."""

import jax
import jax.numpy as jnp
from jax import Array


def allowed_logits(logits: Array, banned: tuple[int, ...]) -> tuple[Array, Array]:
    """Logits (R, N) float32, -inf where banned or NaN, and the log sum exp of all of them (R,)."""
    logits = logits.astype(jnp.float32)
    normaliser = jax.nn.logsumexp(logits, axis=-1)
    forbidden = jnp.isin(jnp.arange(logits.shape[-1]), jnp.array(banned))
    return jnp.where(forbidden[None] | jnp.isnan(logits), -jnp.inf, logits), normaliser


def log_probability(logit: Array, normaliser: Array) -> Array:
    """`logit - normaliser`; -inf where that is no number, so that a broken model ends."""
    log_p = logit - normaliser
    return jnp.where(jnp.isnan(log_p), -jnp.inf, log_p)


def check(bos: int, eos: int, pad: int, **sizes: int) -> None:
    """ValueError, naming the argument, unless the three ids differ and every size is at least 1."""
    if len({bos, eos, pad}) < 3:
        raise ValueError(f"bos={bos}, eos={eos}, pad={pad} must be three different ids")
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name}={size} is not a size; it must be at least 1")
