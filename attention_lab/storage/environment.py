"""Whatever may change a run's numbers besides its config: versions, commit, device, cores, settings."""

import contextlib
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PACKAGES = ("attention-lab", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy",
            "tokenizers", "sacrebleu")

# Settings of jax that change numbers, each an environment variable in capitals, and their defaults.
SETTINGS = {"jax_enable_x64": False, "jax_default_prng_impl": "threefry2x32",
            "jax_threefry_partitionable": True, "jax_default_matmul_precision": None,
            "jax_random_seed_offset": 0, "jax_numpy_dtype_promotion": "standard",
            "jax_disable_most_optimizations": False}


def software() -> dict[str, Any]:
    """Versions of Python and packages, the commit (None outside a checkout), whether files differ from it."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    # An installed copy may lie inside the checkout of something else, which does not track it.
    tracked = _git("ls-files", "--error-unmatch", Path(__file__).name) is not None
    commit = _git("rev-parse", "HEAD") if tracked else None
    dirty = bool(_git("status", "--porcelain", "--untracked-files=no")) if commit else None
    return {"versions": versions, "commit": commit, "uncommitted_changes": dirty}


def hardware() -> dict[str, Any]:
    """Kind and number of jax's devices, and the cores this process may use; starts jax."""
    import jax
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"device": jax.devices()[0].device_kind, "platform": jax.default_backend(),
            "devices": jax.device_count(), "cores": cores, "jax_settings": settings()}


def processor() -> str:
    """The name of the processor, as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown processor"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
                "unknown processor")


def settings() -> dict[str, Any]:
    """SETTINGS as they are in this process, and the flags that XLA was given."""
    import jax
    return {name: jax.config.values[name] for name in SETTINGS} | {
        "xla_flags": os.environ.get("XLA_FLAGS", "")}


def check_settings(before: Mapping[str, Any] | None = None) -> None:
    """ValueError for settings of jax under which a run can't begin, or can't continue.

    before: the settings under which the run began, as of `settings`, defaults where one is missing; None for
    a new run, which may not use 64-bit numbers.
    """
    import jax
    if before is None:
        if jax.config.values["jax_enable_x64"]:
            raise ValueError("JAX_ENABLE_X64 is set: models are trained and read in 32 bits; unset it")
        return
    for name, default in SETTINGS.items():
        was, now = before.get(name, default), jax.config.values[name]
        if was != now:
            mend = "unset it" if was == default else f"set it to {was}"
            raise ValueError(f"{name.upper()} was {was} when the run began and is {now} now, which changes "
                             f"numbers: {mend}")


def memory() -> int:
    """Bytes of memory that this process may use: the machine's, or fewer where a container has a limit."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # "max" is no limit
            limits.append(int(Path(path).read_text(encoding="ascii")))
    return min(limits)


def missing_device() -> str:
    """Why jax finds no device, such as JAX_PLATFORMS=cuda without a GPU; "" if it finds one."""
    import jax
    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:
        why = " ".join(str(error).split()) or "no such device was found"
        return f"JAX_PLATFORMS={os.environ.get('JAX_PLATFORMS', '')}: {why}"
    return ""


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True,
                              text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
