"""Several runs of one Structure as one program: one after another, or side by side, over devices.

Each run is computed by one device. By `map` the numbers of a model without recurrence are those of the run
alone, bit for bit, on a CPU as XLA compiles by default (tested with jax 0.10.2 and 0.12.0.1); see
`why_map_rounds`. By `vmap` products are batched, which rounds differently.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from attention_lab.config import RECURRENT, Structure
from attention_lab.training.optimizer import recipe
from attention_lab.training.step import make_step
from attention_lab.training.task import Batch, Task

# Transformations of a function of one run into one of several, with runs as the leading axis.
WAYS = {"map": lambda run: lambda *stacked: jax.lax.map(lambda each: run(*each), stacked), "vmap": jax.vmap}
# Flags under which XLA compiles programs as by default, except for those that it computes wrongly.
HARMLESS = ("--xla_force_host_platform_device_count", "--xla_cpu_collective_call_terminate_timeout_seconds",
            "--xla_cpu_experimental_ynn_fusion_type=-reduce", "--xla_backend_optimization_level=3",
            "--xla_cpu_use_fusion_emitters=true")


class Together(NamedTuple):
    """The program of several runs.

    Fields:
      how: one of WAYS. mesh: the devices that share the runs.
      update: (states, batches, hypers) -> (states, {name: Sums}), where states and hypers lead with the axis
        of runs, batches and sums with those of runs and steps. The given states are donated.
    """

    how: str
    mesh: jax.sharding.Mesh
    update: Callable

    def stacked(self, trees: Sequence[Any]) -> Any:
        """A tree for each run -> one whose leaves lead with runs; the last repeated to fill the devices."""
        return self._placed(jax.device_get(list(trees)), jnp.stack)

    def batches(self, rows: Sequence[Sequence[Batch]]) -> Batch:
        """For each step a batch of each run -> leaves that lead with runs, then steps."""
        return self._placed([_stacked(steps, np.stack) for steps in zip(*rows)], np.stack)

    def of_run(self, tree: Any, index: int) -> Any:
        """The tree of one run out of `stacked`, read from the device that has it, without the others."""
        def pick(leaf):
            begins = [(shard.index[0].start or 0, shard) for shard in leaf.addressable_shards]
            first, shard = max((pair for pair in begins if pair[0] <= index), key=lambda pair: pair[0])
            return shard.data[index - first]
        return jax.tree.map(pick, tree)

    def _placed(self, trees, stack):
        trees += trees[-1:] * (-len(trees) % self.mesh.size)
        return jax.device_put(_stacked(trees, stack), NamedSharding(self.mesh, PartitionSpec("runs")))


def _stacked(trees, stack):
    return jax.tree.map(lambda *leaves: stack(leaves), *trees)


def why_map_rounds(structure: Structure) -> str:
    """Why `map` may differ by rounding from each run alone; "" where tests show equal bytes."""
    flags = [flag for flag in os.environ.get("XLA_FLAGS", "").split() if not flag.startswith(HARMLESS)]
    if flags or jax.config.values["jax_disable_most_optimizations"]:
        return "XLA does not compile by default"
    if jax.default_backend() != "cpu":
        return "this is not a CPU"
    return "its networks are recurrent" if structure.model.kind in RECURRENT else ""


def together(task: Task, structure: Structure, total_steps: int | None, how: str,
             devices: int | None = None) -> Together:
    """The program of several runs by one of WAYS, on so many devices (None: all); it compiles when called."""
    if how not in WAYS:
        raise ValueError(f"how={how!r}; allowed are {', '.join(WAYS)}")
    count = devices or jax.local_device_count()
    mesh = jax.make_mesh((count,), ("runs",), devices=jax.local_devices()[:count],
                         axis_types=(AxisType.Auto,))
    step = make_step(task.loss, recipe(structure, total_steps))

    def steps(state, batches, hyper):
        return jax.lax.scan(lambda state, batch: step(state, batch, hyper), state, batches)

    runs = WAYS[how](steps)
    over = PartitionSpec("runs")
    if count > 1:
        runs = jax.shard_map(runs, mesh=mesh, in_specs=over, out_specs=over, check_vma=False)
    return Together(how, mesh, jax.jit(runs, donate_argnums=0))
