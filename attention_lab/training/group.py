"""The processes, perhaps on several hosts, that train one run: each holds some of its devices.

Every process runs the same loop on the same numbers. Arrays travel by XLA's collectives; what the host
decides (scores of dev, the clock, whether a run is finished) is decided by the first process and shared as
JSON through JAX's coordination service, where a process may wait for as long as another one scores.
"""

import contextlib
import itertools
import json
import os
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from attention_lab.storage.device_errors import DeviceError
from attention_lab.storage.errors import one_line

ADDRESS, COUNT, INDEX = "JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID"
HEARTBEAT = 30  # seconds of silence after which JAX takes a process for dead
PREEMPTION = "jax_enable_preemption_service"  # keeps SIGTERM from Python
WAIT = 5  # seconds of one request to the coordination service, repeated so that Ctrl-C is heard between
LAST = 2  # seconds by which the first process ends later than others: JAX ends them when its service is gone
# What XLA's errors, which begin with a code, say where another process is gone. The codes left out are of
# this process's memory and of what it was given.
LOST = re.compile(r"UNAVAILABLE: |(?!RESOURCE_EXHAUSTED|INVALID_ARGUMENT)[A-Z_]+: "
                  r".*(gloo|nccl|coordination|heartbeat|connection|socket closed)", re.IGNORECASE | re.DOTALL)
T = TypeVar("T")


class Group:
    """This process among those of a run; alone where the run has one. Fields: index, count."""

    def __init__(self, index: int = 0, count: int = 1):
        self.index, self.count = index, count
        self._keys = (f"attention_lab/{number}" for number in itertools.count())

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.index == 0

    def share(self, value: Any = None) -> Any:
        """The first process's value, what JSON can hold; all processes call it in the same order."""
        if self.count == 1:
            return value
        key = next(self._keys)
        if self.first:
            _client().key_value_set(key, _json(value))
            return value
        return json.loads(_wait_for(key))

    def gather(self, value: Any) -> list[Any]:
        """The values of all processes, what JSON can hold."""
        if self.count == 1:
            return [value]
        key = next(self._keys)
        _client().key_value_set(f"{key}/{self.index}", _json(value))
        return [json.loads(_wait_for(f"{key}/{index}")) for index in range(self.count)]

    def agreed(self, action: Callable[[], T]) -> T:
        """What `action` returns here, if it succeeds on every process.

        Raises:
          ValueError, OSError, DeviceError: as of `action`; of another process a ValueError that names it.
        """
        value, problem = None, None
        try:
            value = action()
        except (ValueError, OSError, DeviceError) as error:
            problem = error
        lines = self.gather(problem and one_line(problem))
        failed = [(index, line) for index, line in enumerate(lines) if line is not None]
        if failed and self.count > 1:
            with contextlib.suppress(jax.errors.JaxRuntimeError):  # all hear it before the first one ends
                _client().wait_at_barrier(next(self._keys), 1000 * WAIT)
            if self.first:
                time.sleep(LAST)
        if problem is not None:
            raise problem
        for index, line in failed:
            raise ValueError(f"process {index}: {line}" if index else line)
        return value

    def local(self, tree: Any) -> Any:
        """A copy of replicated arrays for this process to compute with alone; waits until they are there."""
        if self.count == 1:
            return tree
        return jax.block_until_ready(jax.tree.map(lambda x: x.addressable_data(0), tree))

    def spread(self, tree: Any, template: Any) -> Any:
        """The first process's arrays, bit for bit, on every device.

        Args:
          tree: arrays on the first process, ignored on the others.
          template: of shapes, types and replicated shardings.
        """
        numbers = [np.asarray(leaf) for leaf in jax.tree.leaves(tree)] if self.first else [
            np.zeros(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(template)]
        # As bytes: a sum over processes would make 0.0 of -0.0.
        sent = multihost_utils.broadcast_one_to_all([_bytes(array) for array in numbers])
        arrays = [received.view(array.dtype).reshape(array.shape) for array, received in zip(numbers, sent)]
        shardings = [leaf.sharding for leaf in jax.tree.leaves(template)]
        return jax.tree.unflatten(jax.tree.structure(template), [
            jax.make_array_from_callback(array.shape, sharding, array.__getitem__)
            for array, sharding in zip(arrays, shardings)])

    def leave(self) -> None:
        """Ends the group when every process has called it."""
        if self.count > 1:
            jax.distributed.shutdown()


ALONE = Group()


def join(wait: float) -> Group:
    """Joins the group that the environment describes; before JAX has used a device.

    Read are JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID, or what Slurm, Open MPI,
    Kubernetes or a TPU pod say, as `jax.distributed.initialize` detects them.

    Args:
      wait: seconds in which all processes have to be there.
    Raises:
      ValueError: no group is described, or not as JAX allows. JAX ends the process by itself if the others do
        not come or leave later.
    """
    address, count, index = os.environ.get(ADDRESS) or None, _number(COUNT, 1), _number(INDEX, 0)
    if address and not re.fullmatch(r".+:\d+", address):
        raise ValueError(f"{ADDRESS}={address}: allowed is HOST:PORT, of the first process")
    if count is not None and index is not None and index >= count:
        raise ValueError(f"{INDEX}={index}: allowed are 0 to {count - 1}, as {COUNT} is {count}")
    if PREEMPTION in jax.config.values:
        jax.config.update(PREEMPTION, False)
    try:
        jax.distributed.initialize(address, count, index, initialization_timeout=max(1, round(wait)),
                                   heartbeat_timeout_seconds=HEARTBEAT)
    except ValueError as error:
        names = {ADDRESS: address, COUNT: count, INDEX: index}
        unset = [name for name, value in names.items() if value is None]
        why = one_line(error) if not unset else (
            f"{', '.join(unset)} {'is' if len(unset) == 1 else 'are'} not set, and neither Slurm, Open "
            "MPI, Kubernetes nor a TPU pod was found")
        raise ValueError(f"no group of processes is described: {why}") from error
    except jax.errors.JaxRuntimeError as error:
        if "RPC server" not in str(error):
            raise
        given = jax._src.distributed.global_state.coordinator_address
        raise ValueError(f"{ADDRESS}={given}: this process, the first, can't listen on that port: give "
                         "a free one") from error
    jax.devices()  # the processes tell each other theirs
    return Group(jax.process_index(), jax.process_count())


def lost(error: BaseException) -> bool:
    """Whether an error of XLA, or a DeviceError made of one, says that another process is gone."""
    error = error.__cause__ if isinstance(error, DeviceError) and error.__cause__ else error
    return isinstance(error, (RuntimeError, ValueError)) and bool(LOST.match(str(error)))


def _number(name: str, low: int) -> int | None:
    text = os.environ.get(name, "").strip()
    if text and not (text.isascii() and text.isdigit() and int(text) >= low):
        raise ValueError(f"{name}={text}: allowed are whole numbers from {low}")
    return int(text) if text else None


def _bytes(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _json(value: Any) -> str:
    return json.dumps(value, default=lambda number: number.tolist())  # of numpy; NaN stays NaN


def _client() -> Any:
    return jax._src.distributed.global_state.client


def _wait_for(key: str) -> str:
    while True:
        try:
            return _client().blocking_key_value_get(key, 1000 * WAIT)
        except jax.errors.JaxRuntimeError as error:
            if "DEADLINE_EXCEEDED" not in str(error):
                raise
