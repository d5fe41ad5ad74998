"""Compiling for a command that runs what it compiles for milliseconds, such as a study's smoke preset."""

import contextlib
import os
import tempfile
from collections.abc import Iterator

EMITTERS = "--xla_cpu_use_fusion_emitters"  # XLA's newer ones take three times as long
SHORTEST = 0.05  # seconds of compiling from which on a program is kept


@contextlib.contextmanager
def quickly_compiled() -> Iterator[None]:
    """Leaves the backend's optimiser out, and has equal programs compiled once though cells make them anew.

    A cache of compiled programs that the environment names is used as it is, and so are its XLA_FLAGS. These
    are read when a process first compiles, so that in one that has done so they stay as they were.
    """
    held = os.environ.get("XLA_FLAGS")
    if EMITTERS not in (held or ""):
        os.environ["XLA_FLAGS"] = f"{held or ''} {EMITTERS}=false".strip()
    import jax
    from jax.experimental.compilation_cache import compilation_cache
    with contextlib.ExitStack() as stack:
        stack.callback(_restore, held)
        wanted = {"jax_disable_most_optimizations": True}
        if not jax.config.jax_compilation_cache_dir:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="compiled-"))
            wanted |= {"jax_compilation_cache_dir": folder,
                       "jax_persistent_cache_min_compile_time_secs": SHORTEST,
                       "jax_persistent_cache_min_entry_size_bytes": -1}
            # What was compiled before has settled that there is no cache.
            compilation_cache.reset_cache()
            stack.callback(compilation_cache.reset_cache)
        before = {name: jax.config.values[name] for name in wanted}
        try:
            for name, value in wanted.items():
                jax.config.update(name, value)
            yield
        finally:
            for name, value in before.items():
                jax.config.update(name, value)


def _restore(held):
    if held is None:
        os.environ.pop("XLA_FLAGS", None)
    else:
        os.environ["XLA_FLAGS"] = held
