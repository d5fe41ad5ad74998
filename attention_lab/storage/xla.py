"""Flags for XLA, set before jax starts: those that shorten compilation, and one that avoids wrong sums.

XLA reads the environment variable XLA_FLAGS once, when a process first uses a device, and aborts the process
at an unknown flag. Flags come and go between its versions, so each is passed only where the installed XLA
supports it.
"""

import contextlib
import functools
import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from attention_lab.storage.files import read_json, user_cache, write_json

# For programs that run for milliseconds. Without the backend's optimiser compilation takes half the time;
# XLA's older code generator for fused operations, which jaxlib 0.12 has no more, halves it again.
SHORT_COMPILATION = ("--xla_backend_optimization_level=0", "--xla_cpu_use_fusion_emitters=false")

# XLA hands some products that are followed by a reduction to a library, YNNPACK, which computes some of tens
# of thousands of rows wrongly: https://github.com/jax-ml/jax/issues/39103, tests/test_canaries.py.
WITHOUT_WRONG_SUMS = "--xla_cpu_experimental_ynn_fusion_type=-reduce"
FIRST_RIGHT = (0, 11)  # version of jaxlib from which on the canaries are right without that flag


def add(flags: Sequence[str]) -> None:
    """Adds flags to XLA_FLAGS of this process; a flag that is already set keeps its value."""
    now = _flags()
    names = {flag.partition("=")[0] for flag in now}
    new = [flag for flag in flags if flag.partition("=")[0] not in names]
    if new:
        os.environ["XLA_FLAGS"] = " ".join(now + new)


def _flags() -> list[str]:
    """Those in XLA_FLAGS, or in the file that it names, as XLA reads it."""
    text = os.environ.get("XLA_FLAGS", "").strip()
    if text and not text.startswith("-"):
        with contextlib.suppress(OSError):
            text = Path(text).read_text(encoding="utf-8")
    return text.split()


@contextlib.contextmanager
def added(flags: Sequence[str]) -> Iterator[None]:
    """Adds supported flags to XLA_FLAGS in the `with` block; without effect once jax has used a device."""
    before = os.environ.get("XLA_FLAGS")
    add(supported(flags))
    try:
        yield
    finally:
        os.environ.pop("XLA_FLAGS", None)
        if before is not None:
            os.environ["XLA_FLAGS"] = before


def avoid_wrong_sums() -> str:
    """Adds the flag that the installed jaxlib needs for correct sums; returns a line for the log, or ""."""
    name = WITHOUT_WRONG_SUMS.partition("=")[0]
    given = any(flag.startswith(name) for flag in _flags())
    if given or not gets_sums_wrong() or not supported([WITHOUT_WRONG_SUMS]):
        return ""
    wrong = f"jaxlib {version()} gets some sums wrong on CPUs"
    bridge = sys.modules.get("jax._src.xla_bridge")
    if bridge and bridge.backends_are_initialized():  # XLA has read its flags
        return f"{wrong}: start Python with XLA_FLAGS={WITHOUT_WRONG_SUMS}"
    add([WITHOUT_WRONG_SUMS])
    return f"{wrong}: {WITHOUT_WRONG_SUMS} is added to XLA_FLAGS"


def gets_sums_wrong() -> bool:
    """Whether the installed jaxlib needs the flag."""
    return tuple(int(part) for part in version().split(".")[:2]) < FIRST_RIGHT


def supported(flags: Sequence[str]) -> list[str]:
    """Those of the flags that the installed XLA supports; it is tried once for each version of jaxlib."""
    name, answers = f"xla-flags-of-jaxlib-{version()}.json", {}
    with contextlib.suppress(OSError, ValueError):
        answers = read_json(user_cache() / name)
    new = {flag: _supports(flag) for flag in flags if flag not in answers}
    if new:
        answers |= new
        with contextlib.suppress(OSError):  # without a cache they are tried again
            user_cache().mkdir(parents=True, exist_ok=True)
            write_json(user_cache() / name, answers)
    return [flag for flag in flags if answers[flag]]


@functools.cache
def version() -> str:
    """Version of the installed jaxlib."""
    return importlib.metadata.version("jaxlib")


def _supports(flag: str) -> bool:
    """Whether a process with this flag alone finds a device; ValueError if it fails for another reason."""
    done = subprocess.run([sys.executable, "-c", "import jax; jax.devices()"], text=True, capture_output=True,
                          env=os.environ | {"XLA_FLAGS": flag, "JAX_PLATFORMS": "cpu"}, timeout=300)
    if done.returncode and "Unknown flag" not in done.stderr:
        lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise ValueError(f"jax does not start: {lines[-1]}")
    return done.returncode == 0
