"""Failures of JAX or the machine (memory, devices, compilation) as one exception with a one-line message."""

import contextlib
import sys
from collections.abc import Iterator

from attention_lab.storage import environment

LONGEST = 300  # characters of JAX's message


class DeviceError(RuntimeError):
    """No memory is left, there is no such device, or JAX failed on it; the message is one line."""


@contextlib.contextmanager
def device_errors() -> Iterator[None]:
    """Converts errors of JAX and numpy about memory or devices, raised in the block, into a DeviceError."""
    try:
        yield
    except (MemoryError, RuntimeError, AssertionError) as error:
        line = "" if isinstance(error, DeviceError) else device_line(error)
        if not line:
            raise
        raise DeviceError(line) from error


def device_line(error: BaseException) -> str:
    """An error of JAX, of a device or of memory as one line; "" for any other error."""
    words = " ".join(str(error).split())
    if isinstance(error, DeviceError):
        return words
    if isinstance(error, MemoryError):
        return f"out of memory: {words or 'Python got none from the system'}"
    jax = sys.modules.get("jax")
    if jax is None or not isinstance(error, (RuntimeError, AssertionError)):
        return ""
    if not isinstance(error, jax.errors.JaxRuntimeError):
        # jax raises one or the other where there is no device, depending on its version.
        return "" if isinstance(error, RecursionError) else environment.missing_device()
    if "Traceback (most recent call last)" in str(error):
        return ""  # of Python that JAX called back
    short = words if len(words) <= LONGEST else words[:LONGEST] + " ..."
    return f"{'out of memory' if out_of_memory(error) else 'JAX failed'}: {short}"


def out_of_memory(error: BaseException) -> bool:
    """Whether an error reports that the memory of the machine or of a device is exhausted."""
    return isinstance(error, MemoryError) or any(
        words in str(error) for words in ("RESOURCE_EXHAUSTED", "Out of memory", "out of memory"))
