"""The state of a run from step to step: arrays only."""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class State:
    """Fields: step, int32 scalar; params; opt_state of optax; average, a moving average of params or {}."""

    step: Any
    params: Any
    opt_state: Any
    average: Any


def create(params: Any, optimizer: Any, average_decay: float) -> State:
    """The state before the first step."""
    average = jax.tree.map(jnp.array, params) if average_decay else {}
    return State(jnp.zeros((), jnp.int32), params, optimizer.init(params), average)


def scored_params(state: State) -> Any:
    """The parameters that are scored: the moving average where there is one."""
    return state.average or state.params


def parameter_count(params: Any) -> int:
    """Numbers in a pytree."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params))
