"""Adam with decoupled weight decay, clipped, under a schedule of unit height times a traced rate."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from attention_lab.config import Hyper, Structure
from attention_lab.config.choices import look_up
from attention_lab.config.fields import Optimizer


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
    """step, from 0 -> share of the peak rate; the first step is n = 1 of the formulas above."""
    shape = look_up(SCHEDULES, "optimizer.schedule", name)
    return lambda step: shape(jnp.asarray(step, jnp.float32) + 1.0, max(warmup_steps, 1), total_steps)


def make_optimizer(optimizer: Optimizer, hyper: Hyper, total_steps: int) -> optax.GradientTransformation:
    """The chain clip, Adam, weight decay, rate; `hyper` may be traced, so rebuild it inside the step."""
    shape = schedule(optimizer.schedule, optimizer.warmup_steps, total_steps)
    clip = [optax.clip_by_global_norm(optimizer.clip_norm)] if optimizer.clip_norm else []
    factor = [] if optimizer.query_key_rate == 1.0 else [
        optax.masked(optax.scale(optimizer.query_key_rate), queries_and_keys)]
    return optax.chain(
        *clip,
        optax.scale_by_adam(optimizer.beta1, optimizer.beta2, optimizer.epsilon),
        optax.add_decayed_weights(hyper.weight_decay),
        *factor,
        optax.scale_by_schedule(lambda n: -hyper.learning_rate * shape(n)))


def queries_and_keys(params: Any) -> Any:
    """A tree like params: True = belongs to a projection to queries or keys."""
    return jax.tree_util.tree_map_with_path(
        lambda path, _: path[-1].key.startswith(("query_", "key_")), params)


class Recipe(NamedTuple):
    """The part of a config that a training step reads besides its loss; hashable, so that it keys a program.

    Fields: optimizer, without what is in Hyper; total_steps, where the schedule ends, 0 if it has no end;
    accumulate, parts of a batch; average_decay, of the moving average of parameters.
    """

    optimizer: Optimizer
    total_steps: int
    accumulate: int
    average_decay: float


def recipe(structure: Structure, total_steps: int | None) -> Recipe:
    """The recipe of a static spec; the duration, None with training.max_minutes, matters to cosine alone."""
    ends = structure.optimizer.schedule == "cosine"
    return Recipe(structure.optimizer, total_steps or 0 if ends else 0, structure.training.accumulate,
                  structure.training.average_decay)
