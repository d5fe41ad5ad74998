"""Memory maps: programs are forgotten where a process has used half of those that Linux allows it."""

import jax
import pytest

from attention_lab.storage import memory_maps


@pytest.fixture
def limit(tmp_path, monkeypatch):
    """Has the system allow `limit(number)` memory maps."""
    monkeypatch.setattr(memory_maps, "LIMIT", tmp_path / "max_map_count")
    return lambda number: memory_maps.LIMIT.write_text(f"{number}\n")


def counted():
    """A function that has been compiled, and the list of its traces."""
    traces = []

    @jax.jit
    def double(x):
        traces.append(1)
        return 2 * x

    double(3.0)
    return double, traces


def test_each_program_takes_maps():
    before = memory_maps.count()
    if not before:
        pytest.skip("this system does not tell")
    kept = [jax.jit(lambda x, shift=shift: jax.numpy.sort(x) + shift) for shift in range(7)]
    for function in kept:
        function(jax.numpy.ones(5))
    assert memory_maps.count() >= before + 7


def test_programs_stay_while_there_is_room(limit):
    double, traces = counted()
    limit(3 * memory_maps.count() + 100)
    assert not memory_maps.make_room(pytest.fail)
    double(3.0)
    assert len(traces) == 1


def test_programs_are_forgotten_above_half_of_the_limit(limit):
    if not memory_maps.count():
        pytest.skip("this system does not tell")
    double, traces = counted()
    limit(memory_maps.count())
    dropped = []
    assert memory_maps.make_room(lambda: dropped.append(1)) and dropped
    assert double(3.0) == 6
    assert len(traces) == 2


def test_a_system_without_a_limit_keeps_its_programs(limit):
    double, traces = counted()
    assert not memory_maps.make_room(pytest.fail)
    double(3.0)
    assert len(traces) == 1
