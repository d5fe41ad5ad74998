"""Compiling for a command that runs what it compiles for milliseconds, such as a study's smoke preset."""

import contextlib
import tempfile
from collections.abc import Iterator

from attention_lab.storage import xla

SHORTEST = 0.05  # seconds of compiling from which on a program is kept


@contextlib.contextmanager
def quickly_compiled() -> Iterator[None]:
    """Leaves the backend's optimiser out, and has equal programs compiled once though cells make them anew.

    A cache of compiled programs that the environment names is used as it is, and so are its XLA_FLAGS. These
    are read when a process first compiles, so that in one that has done so they stay as they were.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(xla.short_compilation())
        import jax
        from jax.experimental.compilation_cache import compilation_cache
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
