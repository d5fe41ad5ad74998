"""Adam with decoupled weight decay, clipped, under a schedule of unit height times a traced rate."""

from collections.abc import Callable

import jax.numpy as jnp
import optax

from attention_lab.config import Hyper, Structure


def schedule_shape(kind: str, warmup_steps: int, total_steps: int) -> Callable:
    """Share of the peak rate at step n (the first step is 0), between 0 and 1.

    Linear warm-up to 1 at n + 1 = warmup_steps; then sqrt(warmup / (n + 1)) (Vaswani et al. 2017, 5.3), a
    cosine that reaches 0 at total_steps, or 1.
    """
    warmup = max(warmup_steps, 1)

    def shape(n):
        n = jnp.asarray(n, jnp.float32) + 1.0
        rise = jnp.minimum(n / warmup, 1.0)
        if kind == "inverse_sqrt":
            return jnp.where(n < warmup, rise, jnp.sqrt(warmup / jnp.maximum(n, warmup)))
        if kind == "cosine":
            share = jnp.clip((n - warmup) / max(total_steps - warmup, 1), 0.0, 1.0)
            return rise * 0.5 * (1.0 + jnp.cos(jnp.pi * share))
        return rise

    return shape


def make_optimizer(structure: Structure, hyper: Hyper, total_steps: int) -> optax.GradientTransformation:
    """The chain clip, Adam, weight decay, rate; `hyper` may be traced, so rebuild it inside the step."""
    all_fields = structure.optimizer
    shape = schedule_shape(all_fields.schedule, all_fields.warmup_steps, total_steps)
    parts = [optax.clip_by_global_norm(all_fields.clip_norm)] if all_fields.clip_norm else []
    return optax.chain(
        *parts,
        optax.scale_by_adam(all_fields.beta1, all_fields.beta2, all_fields.epsilon),
        optax.add_decayed_weights(hyper.weight_decay),
        optax.scale_by_schedule(lambda n: -hyper.learning_rate * shape(n)))
