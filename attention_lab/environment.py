"""What a run's numbers may depend on besides its config: versions, commit, device, cores."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

PACKAGES = ("attention-lab", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy",
            "tokenizers", "sacrebleu")


def software() -> dict[str, Any]:
    """Versions of Python and packages, the commit, and whether tracked files differ from it.

    Read without importing any of them. The commit is None where the code is in no git checkout.
    """
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    commit = None
    # An installed copy may lie inside the checkout of something else, which does not track it.
    if _git("ls-files", "--error-unmatch", Path(__file__).name) is not None:
        commit = _git("rev-parse", "HEAD")
    dirty = bool(_git("status", "--porcelain", "--untracked-files=no")) if commit else None
    return {"versions": versions, "commit": commit, "uncommitted_changes": dirty}


def hardware() -> dict[str, Any]:
    """Kind and number of jax's devices, and the cores this process may use; starts jax."""
    import jax
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"device": jax.devices()[0].device_kind, "platform": jax.default_backend(),
            "devices": jax.device_count(), "cores": cores}


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True,
                              text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
