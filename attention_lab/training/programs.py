"""The compiled functions of a training run; runs that differ in Hyper alone share them."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax

from attention_lab.config import Hyper, Structure
from attention_lab.training.devices import data_mesh, replicated
from attention_lab.training.optimizer import make_optimizer
from attention_lab.training.state import State, create
from attention_lab.training.step import make_step, run_keys
from attention_lab.training.task import Task


class Programs(NamedTuple):
    """Functions under jit, and where their arrays lie.

    Fields:
      mesh: the devices that share each batch.
      start: hyper -> State before the first step.
      update: (state, batch, hyper) -> (state, {name: Sums}); the state that goes in is used up.
      dev_loss: (params, batch, hyper) -> {name: Sums}.
      template: State of shapes and shardings, for `checkpoint.restore`.
    """

    mesh: jax.sharding.Mesh
    start: Callable
    update: Callable
    dev_loss: Callable
    template: State

    def placed(self, state: State) -> State:
        """A state on the devices of the mesh, whole on each."""
        return jax.device_put(state, replicated(self.mesh))


def programs(task: Task, structure: Structure, total_steps: int | None) -> Programs:
    """The programs of a task; they compile when they are first called.

    Raises:
      ValueError: fewer devices than the structure asks for.
    """
    mesh = data_mesh(structure.training.devices)
    start = partial(initial_state, task, structure)
    template = jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=replicated(mesh)),
        jax.eval_shape(start, _any_hyper()))
    return Programs(mesh, jax.jit(start, out_shardings=replicated(mesh)),
                    jax.jit(make_step(task, structure, total_steps or 0), donate_argnums=0),
                    jax.jit(partial(_all_sums, task)), template)


def initial_state(task: Task, structure: Structure, hyper: Hyper) -> State:
    """The state before the first step, from the run's seed."""
    params = task.init(run_keys(hyper.seed)[0])
    return create(params, make_optimizer(structure, hyper, 1), structure.training.average_decay)


def _all_sums(task: Task, params: Any, batch: Any, hyper: Hyper) -> dict:
    loss, logged = task.loss(params, batch, hyper, None)
    return {"loss": loss, **logged}


def _any_hyper() -> Hyper:
    number = jax.ShapeDtypeStruct((), "float32")
    return Hyper(**{name: number for name in Hyper._fields})._replace(seed=jax.ShapeDtypeStruct((), "uint32"))
