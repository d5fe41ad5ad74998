"""What the machine can't do for JAX is one kind of error, in one line; a bug keeps its own."""

import jax
import pytest

import attention_lab
from attention_lab.storage import environment
from attention_lab.storage.device_errors import DeviceError, device_errors, device_line, out_of_memory
from attention_lab.training import devices
from attention_lab.training.state import State

NO_MEMORY = "INTERNAL: Error dispatching computation: Out of memory\n  allocating 64 bytes."


@pytest.mark.parametrize("error, line", [
    (MemoryError("Unable to allocate 4 GiB"), "out of memory: Unable to allocate 4 GiB"),
    (MemoryError(), "out of memory: Python got none from the system"),
    (jax.errors.JaxRuntimeError(NO_MEMORY), f"out of memory: {' '.join(NO_MEMORY.split())}"),
    (jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: 3G\n" + "x" * 999),
     "out of memory: RESOURCE_EXHAUSTED: 3G " + "x" * 277 + " ..."),
    (jax.errors.JaxRuntimeError("UNIMPLEMENTED: no such\ninstruction"),
     "JAX failed: UNIMPLEMENTED: no such instruction"),
])
def test_what_jax_raises_is_one_line(error, line):
    with pytest.raises(DeviceError) as raised:
        with device_errors():
            raise error
    assert str(raised.value) == line == device_line(raised.value)
    assert raised.value.__cause__ is error and out_of_memory(error) == line.startswith("out of")


@pytest.mark.parametrize("error", [
    RuntimeError("a bug"), AssertionError("a bug"), RecursionError("a bug"), KeyError("a bug"),
    ValueError("x"),
    jax.errors.JaxRuntimeError("INTERNAL: callback: Traceback (most recent call last):\n  a bug")])
def test_a_bug_stays_what_it_is(error):
    with pytest.raises(type(error)) as raised:
        with device_errors():
            raise error
    assert raised.value is error and device_line(error) == ""


def test_a_missing_device_is_one_line(monkeypatch):
    monkeypatch.setattr(environment, "missing_device", lambda: "JAX_PLATFORMS=cuda: there is none")
    with pytest.raises(attention_lab.DeviceError, match="^JAX_PLATFORMS=cuda: there is none$"):
        with device_errors():
            raise RuntimeError("Unable to initialize backend 'cuda'")


def test_a_state_that_the_machine_cannot_take_is_refused_before_it_is_made(monkeypatch):
    state = State(jax.ShapeDtypeStruct((), "int32"), {"w": jax.ShapeDtypeStruct((3, 5), "float32")}, (), {})
    monkeypatch.setattr(environment, "memory", lambda: 2 * (4 + 2 * 60))
    devices.check_memory(state, 2)
    with pytest.raises(DeviceError, match="out of memory: .* take 0.0 GB; the machine has 0.0 GB"):
        devices.check_memory(state, 3)


def test_memory_is_that_of_this_machine():
    assert 2 ** 28 < environment.memory() < 2 ** 50
