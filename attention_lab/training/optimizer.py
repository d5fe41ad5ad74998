"""Adam with decoupled weight decay, clipped, under a schedule of unit height times a traced rate."""

from typing import NamedTuple

import optax

from attention_lab.config import Hyper, Structure
from attention_lab.config.fields import Optimizer
from attention_lab.training.schedules import schedule


def make_optimizer(optimizer: Optimizer, hyper: Hyper, total_steps: int) -> optax.GradientTransformation:
    """The chain clip, Adam, weight decay, rate; `hyper` may be traced, so rebuild it inside the step."""
    shape = schedule(optimizer.schedule, optimizer.warmup_steps, total_steps)
    clip = [optax.clip_by_global_norm(optimizer.clip_norm)] if optimizer.clip_norm else []
    return optax.chain(
        *clip,
        optax.scale_by_adam(optimizer.beta1, optimizer.beta2, optimizer.epsilon),
        optax.add_decayed_weights(hyper.weight_decay),
        optax.scale_by_schedule(lambda n: -hyper.learning_rate * shape(n)))


class Recipe(NamedTuple):
    """What a training step reads of a config beside its loss; hashable, so that it keys a program.

    Fields:
      optimizer: its settings but for those in Hyper. total_steps: where the schedule ends; 0 where it has no
      end. accumulate: parts of a batch. average_decay: of the moving average of weights.
    """

    optimizer: Optimizer
    total_steps: int
    accumulate: int
    average_decay: float


def recipe(structure: Structure, total_steps: int | None) -> Recipe:
    """The recipe of a static spec; the duration, None where minutes rule, counts for a cosine alone."""
    ends = structure.optimizer.schedule == "cosine"
    return Recipe(structure.optimizer, total_steps or 0 if ends else 0, structure.training.accumulate,
                  structure.training.average_decay)
