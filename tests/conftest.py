"""What every test runs under: virtual devices, no silent broadcasting, our warnings as errors."""

import contextlib
import functools
import gc
import os
import pathlib

from attention_lab.storage import xla

# Before jax starts: sharding is tested on one machine. Virtual devices wait for each other, on starved cores
# longer than the forty seconds after which XLA aborts. Most of the time goes into compiling what then runs
# for milliseconds; where bits are compared it is compiled as training does: tests/training/test_bits.py.
xla.avoid_wrong_sums()
xla.add(xla.supported(["--xla_force_host_platform_device_count=4",
                      "--xla_cpu_collective_call_terminate_timeout_seconds=600", *xla.SHORT_COMPILATION]))

# Many tests train the same smoke config: what one has compiled the others read, a minute or two saved.
CACHE = pathlib.Path(__file__).parents[1] / ".pytest_cache" / "jax"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")

# Traced programs are millions of objects that stay: looking through them for garbage took a twentieth.
gc.set_threshold(100_000, 20, 20)

import hypothesis  # noqa: E402
import jax  # noqa: E402
import pytest  # noqa: E402

from attention_lab.attention import IMPLEMENTATIONS, choice  # noqa: E402
from attention_lab.attention.implementations import cudnn, splash, tokamax  # noqa: E402
from attention_lab.storage import memory_maps  # noqa: E402

jax.config.update("jax_numpy_rank_promotion", "raise")
# The same examples every time, so that a red test is red for everyone; slow machines are not late.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("fixed")


def pytest_configure(config):
    """Warnings that our own code causes are errors; other people's are theirs."""
    for package in ("attention_lab", "configs", "experiments"):
        config.addinivalue_line("filterwarnings", f"error:::{package}")


@pytest.hookimpl(trylast=True)  # when fixtures have let go of theirs
def pytest_runtest_teardown(item, nextitem):
    """Between modules makes room for programs: those of the whole suite need more maps than Linux allows."""
    if nextitem is None or nextitem.path != item.path:
        memory_maps.make_room()


@pytest.fixture(scope="session")
def data_folder():
    """The folder of real corpora, given by ATTENTION_LAB_DATA; skips the test without it."""
    folder = os.environ.get("ATTENTION_LAB_DATA")
    if not folder:
        pytest.skip("needs real corpora: set ATTENTION_LAB_DATA to their folder")
    path = pathlib.Path(folder)
    if not path.is_dir():
        pytest.fail(f"ATTENTION_LAB_DATA is {folder}, which is not a folder")
    return path


@pytest.fixture
def counted():
    """(function) -> the function with `count`, how often it was traced.

    JAX's own count of compiled programs is no use in a long process: from 8,192 on none is kept.
    """
    def count(function):
        @functools.wraps(function)
        def traced(*args, **kwargs):
            traced.count += 1
            return function(*args, **kwargs)
        traced.count = 0
        return traced
    return count


@pytest.fixture
def allow_other_ranks():
    """Allows arrays of different ranks in one operation, as another library's code may have them."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(jax.numpy_rank_promotion("allow"))


@pytest.fixture
def on_its_device(monkeypatch, allow_other_ranks):
    """Has an implementation run here, whatever it is made for.

    Where its device is missing, Pallas interprets splash attention, and in place of cuDNN's kernel the same
    function of jax.nn computes; what surrounds the kernel runs as it is.
    """
    here = choice.here

    def on(name):
        entry = IMPLEMENTATIONS[name]
        if entry.library:
            pytest.importorskip(entry.library)
            allow_other_ranks()
        monkeypatch.setattr(choice, "here", here)
        if entry.runs_on not in ("", here()):
            monkeypatch.setattr(choice, "here", lambda: entry.runs_on)
            monkeypatch.setattr(splash, "INTERPRET", True)
            monkeypatch.setattr(cudnn, "LIBRARY", "xla")
            monkeypatch.setattr(tokamax, "LIBRARY", "xla")
        return entry
    return on
