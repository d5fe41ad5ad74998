"""The compiled functions of a training run, keyed by what they read: the loss and the recipe."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax

from attention_lab.config import Hyper, Structure
from attention_lab.training.devices import check_memory, data_mesh, replicated
from attention_lab.training.group import ALONE, Group
from attention_lab.training.optimizer import Recipe, make_optimizer, recipe
from attention_lab.training.state import State, create
from attention_lab.training.step import make_step, run_keys
from attention_lab.training.task import Batch, Sums, Task


class Programs(NamedTuple):
    """Functions under jit, and where their arrays lie.

    Fields:
      mesh: the devices that share each batch. start: hyper -> State before the first step.
      update: (state, batch, hyper) -> (state, {name: Sums}); the given state is donated.
      dev_loss: (params, batch, hyper) -> {name: Sums}.
      template: State of shapes and shardings, for `checkpoint.restore`.
    """

    mesh: jax.sharding.Mesh
    start: Callable
    update: Callable
    dev_loss: Callable
    template: State

    def replicate(self, state: State) -> State:
        """Copies a state to every device of the mesh."""
        return jax.device_put(state, replicated(self.mesh))


def programs(task: Task, structure: Structure, total_steps: int | None, group: Group = ALONE) -> Programs:
    """The programs of a task; they compile when first called, once for all equal losses and recipes.

    group: the processes that hold the devices.

    Raises:
      DeviceError: the state does not fit into the machine's memory.
    """
    mesh, settings = data_mesh(structure.training.devices), recipe(structure, total_steps)
    number = jax.ShapeDtypeStruct((), "float32")
    hyper = Hyper(*[number] * len(Hyper._fields))._replace(seed=jax.ShapeDtypeStruct((), "uint32"))
    template = jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=replicated(mesh)),
        _start.eval_shape(task.init, settings, hyper))
    check_memory(template, len(mesh.local_devices))

    def start(hyper):
        state = _start(task.init, settings, hyper)
        return group.spread(state, template) if group.count > 1 else jax.device_put(state, replicated(mesh))

    return Programs(mesh, start, partial(_update, task.loss, settings), partial(_dev_loss, task.loss),
                    template)


def initial_state(init: Callable, recipe: Recipe, hyper: Hyper) -> State:
    """The state before the first step, from the run's seed; `init` is the task's."""
    optimizer = make_optimizer(recipe.optimizer, hyper, 1)
    return create(init(run_keys(hyper.seed)[0]), optimizer, recipe.average_decay)


_start = jax.jit(initial_state, static_argnums=(0, 1))


@partial(jax.jit, static_argnums=(0, 1), donate_argnums=2)
def _update(loss: Callable, recipe: Recipe, state: State, batch: Batch, hyper: Hyper
            ) -> tuple[State, dict[str, Sums]]:
    return make_step(loss, recipe)(state, batch, hyper)


@partial(jax.jit, static_argnums=0)
def _dev_loss(loss: Callable, params: Any, batch: Batch, hyper: Hyper) -> dict[str, Sums]:
    total, logged = loss(params, batch, hyper, None)
    return {"loss": total, **logged}
