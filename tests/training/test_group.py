"""What the environment must say of a group, and what its processes agree on."""

import jax
import pytest

from attention_lab.storage.device_errors import DeviceError
from attention_lab.tasks.train import check_alike
from attention_lab.training import devices, group
from attention_lab.training.group import ALONE, Group, join, lost


@pytest.fixture
def describe(monkeypatch):
    """Sets the environment of a group, and gives what jax would be initialized with."""
    asked = []
    monkeypatch.setattr(jax.distributed, "initialize", lambda *args, **known: asked.append((args, known)))

    def described(address="", count="", index=""):
        for name, value in ((group.ADDRESS, address), (group.COUNT, count), (group.INDEX, index)):
            monkeypatch.setenv(name, value)
        return asked

    return described


def test_the_environment_is_handed_to_jax(describe):
    asked = describe("host:1234", "3", "2")
    assert join(7.0).count == 1  # of this process, which has started without a group
    assert asked == [(("host:1234", 3, 2), {"initialization_timeout": 7, "heartbeat_timeout_seconds": 30})]
    describe()
    join(0.1)
    assert asked[1][0] == (None, None, None)  # jax looks for Slurm and its like


@pytest.mark.parametrize("given, line", [
    (("host", "2", "0"), "JAX_COORDINATOR_ADDRESS=host: allowed is HOST:PORT, of the first process"),
    (("host:1", "two", "0"), "JAX_NUM_PROCESSES=two: allowed are whole numbers from 1"),
    (("host:1", "0", "0"), "JAX_NUM_PROCESSES=0: allowed are whole numbers from 1"),
    (("host:1", "2", "-1"), "JAX_PROCESS_ID=-1: allowed are whole numbers from 0"),
    (("host:1", "2", "2"), "JAX_PROCESS_ID=2: allowed are 0 to 1, as JAX_NUM_PROCESSES is 2"),
])
def test_a_wrong_description_is_named(describe, given, line):
    assert describe(*given) == []
    with pytest.raises(ValueError, match="^" + line.replace(".", r"\.") + "$"):
        join(1)


def test_what_is_not_set_is_named(monkeypatch, describe):
    describe("host:1", "", "0")

    def refuse(*args, **known):
        raise ValueError("Number of processes must be defined.")

    monkeypatch.setattr(jax.distributed, "initialize", refuse)
    with pytest.raises(ValueError, match="no group of processes is described: JAX_NUM_PROCESSES is not set"):
        join(1)
    describe()
    with pytest.raises(ValueError, match="ADDRESS, JAX_NUM_PROCESSES, JAX_PROCESS_ID are not set, and "
                       "neither Slurm, Open MPI, Kubernetes nor a TPU pod was found"):
        join(1)


def test_alone_nothing_is_asked():
    assert ALONE.first and ALONE.share({"a": 1}) == {"a": 1} and ALONE.gather(3) == [3]
    assert ALONE.agreed(lambda: 5) == 5
    with pytest.raises(OSError, match="full"):
        ALONE.agreed(lambda: (_ for _ in ()).throw(OSError("full")))
    ALONE.leave()


class Of(Group):
    """The process `index` of those that give these values."""

    def __init__(self, index, *values):
        super().__init__(index, 1)
        self.values = values

    def gather(self, value):
        assert value == self.values[self.index]
        return list(self.values)


def test_an_error_of_another_process_names_it():
    with pytest.raises(ValueError, match="^process 2: a: no such file$"):
        Of(0, None, None, "a: no such file").agreed(lambda: 1)
    with pytest.raises(ValueError, match="^the first's own$"):
        Of(1, "the first's own", None).agreed(lambda: 1)
    with pytest.raises(ValueError, match="^mine$"):
        Of(1, "the first's own", "mine").agreed(lambda: (_ for _ in ()).throw(ValueError("mine")))


def test_the_first_difference_is_named():
    ours, theirs = {"seed": "3", "sizes": "5,7"}, {"seed": "3", "sizes": "5,11"}
    check_alike(Of(0, ours, ours), {"seed": 3, "sizes": (5, 7)})
    with pytest.raises(ValueError, match="sizes is 5,11 in process 1 and 5,7 in process 0"):
        check_alike(Of(0, ours, theirs), {"seed": 3, "sizes": (5, 7)})


@pytest.mark.parametrize("error, expected", [
    (ValueError("UNKNOWN: Gloo all-reduce failed: [pair.cc:547] Connection closed by peer"), True),
    (RuntimeError("UNAVAILABLE: failed to connect to all addresses"), True),
    (ValueError("the coordination of gloo"), False),
    (RuntimeError("RESOURCE_EXHAUSTED: Out of memory"), False),
    (RuntimeError("RESOURCE_EXHAUSTED: Out of memory while allocating for nccl"), False),
    (ValueError("INVALID_ARGUMENT: the connection has no such option"), False),
    (OSError(28, "UNAVAILABLE: "), False),
])
def test_errors_of_a_lost_process(error, expected):
    assert lost(error) == expected
    shown = DeviceError("JAX failed")
    shown.__cause__ = error
    assert lost(shown) == expected


def test_several_processes_share_all_devices(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    assert devices.data_mesh(0).size == devices.data_mesh(4).size == 4
    with pytest.raises(ValueError, match="training.devices=3 but 2 processes have 4; allowed are 0"):
        devices.data_mesh(3)
