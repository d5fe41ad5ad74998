"""Shapes of the learning rate over steps, chosen by optimizer.schedule: shares of the peak, from 0 to 1."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from attention_lab.config.choices import look_up


def inverse_sqrt(n: jax.Array, warmup: int, total_steps: int) -> jax.Array:
    """Linear to 1 at n = warmup, then sqrt(warmup / n) (Vaswani et al. 2017, 5.3)."""
    return jnp.where(n < warmup, jnp.minimum(n / warmup, 1.0), jnp.sqrt(warmup / jnp.maximum(n, warmup)))


def cosine(n: jax.Array, warmup: int, total_steps: int) -> jax.Array:
    """Linear to 1 at n = warmup, then half a cosine that reaches 0 at n = total_steps."""
    share = jnp.clip((n - warmup) / max(total_steps - warmup, 1), 0.0, 1.0)
    return jnp.minimum(n / warmup, 1.0) * 0.5 * (1.0 + jnp.cos(jnp.pi * share))


def constant(n: jax.Array, warmup: int, total_steps: int) -> jax.Array:
    """Linear to 1 at n = warmup, then 1."""
    return jnp.minimum(n / warmup, 1.0)


SCHEDULES = {"inverse_sqrt": inverse_sqrt, "cosine": cosine, "constant": constant}


def schedule(name: str, warmup_steps: int, total_steps: int) -> Callable:
    """step, from 0 -> share of the peak rate; the first step is n = 1 of the formulas above.

    Raises:
      ValueError: an unknown name.
    """
    shape = look_up(SCHEDULES, "optimizer.schedule", name)
    return lambda step: shape(jnp.asarray(step, jnp.float32) + 1.0, max(warmup_steps, 1), total_steps)
