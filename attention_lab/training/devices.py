"""One axis of devices that share each batch; parameters are whole on each of them."""

from typing import Any

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec


def data_mesh(count: int) -> jax.sharding.Mesh:
    """A mesh of the first `count` devices (0: all) along the axis "data"; ValueError if there are fewer."""
    devices = jax.devices()
    if count > len(devices):
        raise ValueError(f"training.devices={count} but {len(devices)} are visible; allowed are 0 "
                         f"(all) to {len(devices)}")
    count = count or len(devices)
    # Auto axes: linen's Embed and plain indexing refuse explicitly sharded arrays.
    return jax.make_mesh((count,), ("data",), devices=devices[:count], axis_types=(AxisType.Auto,))


def replicated(mesh: jax.sharding.Mesh) -> NamedSharding:
    """Whole on every device: parameters and state."""
    return NamedSharding(mesh, PartitionSpec())


def shard(batch: Any, mesh: jax.sharding.Mesh) -> Any:
    """A batch with its rows, which divide by the devices, spread over them."""
    return jax.device_put(batch, NamedSharding(mesh, PartitionSpec("data")))
