"""Compilation for commands that run what they compile for milliseconds, such as a study's smoke preset."""

import contextlib
import tempfile
from collections.abc import Iterator

import jax
from jax.experimental.compilation_cache import compilation_cache

from attention_lab.storage import xla

SHORTEST = 0.05  # seconds of compilation from which on a program is kept


@contextlib.contextmanager
def short_compilation() -> Iterator[None]:
    """Leaves out the backend's optimiser, and compiles equal programs once though cells trace them anew.

    A cache of compiled programs that the environment names is used as it is, and so are its XLA_FLAGS. XLA
    reads these when a process first compiles; afterwards they have no effect.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(xla.added(xla.SHORT_COMPILATION))
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
