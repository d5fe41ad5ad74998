"""Fast compilation for programs that then run for milliseconds, such as a study's smoke preset."""

import contextlib
import tempfile
from collections.abc import Iterator

import jax
from jax.experimental.compilation_cache import compilation_cache

from attention_lab.storage import xla

SHORTEST = 0.05  # seconds of compilation above which a program is cached


@contextlib.contextmanager
def short_compilation() -> Iterator[None]:
    """Disables most of XLA's optimisations, and compiles equal programs of different cells once.

    A compilation cache and XLA_FLAGS of the environment take precedence. XLA reads its flags at a process's
    first compilation; they have no effect later.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(xla.added(xla.SHORT_COMPILATION))
        settings = {"jax_disable_most_optimizations": True}
        if not jax.config.jax_compilation_cache_dir:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="compiled-"))
            settings |= {"jax_compilation_cache_dir": folder,
                         "jax_persistent_cache_min_compile_time_secs": SHORTEST,
                         "jax_persistent_cache_min_entry_size_bytes": -1}
            # jax fixed the absence of a cache at its first compilation.
            compilation_cache.reset_cache()
            stack.callback(compilation_cache.reset_cache)
        before = {name: jax.config.values[name] for name in settings}
        try:
            for name, value in settings.items():
                jax.config.update(name, value)
            yield
        finally:
            for name, value in before.items():
                jax.config.update(name, value)
