"""One axis of devices over which each batch is sharded; parameters are replicated."""

from typing import Any

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from attention_lab.storage import environment
from attention_lab.storage.device_errors import DeviceError


def data_mesh(count: int) -> jax.sharding.Mesh:
    """A mesh of the first `count` devices (0: all) along the axis "data".

    Raises:
      ValueError: there are fewer, or several processes with other devices than these.
    """
    devices = jax.devices()
    if count > len(devices):
        raise ValueError(f"training.devices={count} but {len(devices)} are visible; allowed are 0 "
                         f"(all) to {len(devices)}")
    count = count or len(devices)
    if jax.process_count() > 1 and count < len(devices):
        raise ValueError(f"training.devices={count} but {jax.process_count()} processes have {len(devices)}; "
                         f"allowed are 0 (all) and {len(devices)}")
    # Auto axes: linen's Embed and plain indexing refuse explicitly sharded arrays.
    return jax.make_mesh((count,), ("data",), devices=devices[:count], axis_types=(AxisType.Auto,))


def replicated(mesh: jax.sharding.Mesh) -> NamedSharding:
    """The sharding of parameters and state: replicated on every device."""
    return NamedSharding(mesh, PartitionSpec())


def shard(batch: Any, mesh: jax.sharding.Mesh) -> Any:
    """A batch whose rows, divisible by the number of devices, are sharded over them.

    Each process places the rows of its own devices.
    """
    over = NamedSharding(mesh, PartitionSpec("data"))
    if not mesh.is_multi_process:
        return jax.device_put(batch, over)
    return jax.tree.map(lambda x: jax.make_array_from_callback(x.shape, over, x.__getitem__), batch)


def check_memory(state: Any, devices: int) -> None:
    """DeviceError if a CPU's machine lacks memory for a state (of shapes) and its gradient on each device.

    The system would grant such memory and kill the process once it is used.
    """
    leaves = [*jax.tree.leaves(state), *jax.tree.leaves(state.params)]
    needed, there = devices * sum(leaf.size * leaf.dtype.itemsize for leaf in leaves), environment.memory()
    if jax.default_backend() == "cpu" and needed > there:
        raise DeviceError(f"out of memory: parameters, their gradient and the optimizer's state take "
                          f"{needed / 1e9:,.1f} GB; the machine has {there / 1e9:,.1f} GB")
