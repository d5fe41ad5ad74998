"""How many programs jax compiled, and how many it read from its compilation cache instead."""

import contextlib
from collections import Counter
from collections.abc import Iterator

import jax

# Events of jax.monitoring. The first stands for programs that were read from the cache as well.
ASKED, READ = "/jax/core/compile/backend_compile_duration", "/jax/compilation_cache/cache_hits"


@contextlib.contextmanager
def counted() -> Iterator[Counter]:
    """In the block counts the programs that this process needs, by the names of the events."""
    events: Counter = Counter()

    def requested(name: str, seconds: float, **facts) -> None:
        events[name] += name == ASKED

    def read(name: str, **facts) -> None:
        events[name] += name == READ

    jax.monitoring.register_event_duration_secs_listener(requested)
    jax.monitoring.register_event_listener(read)
    try:
        yield events
    finally:
        jax.monitoring.unregister_event_duration_listener(requested)
        jax.monitoring.unregister_event_listener(read)


def line(events: Counter, folder: str | None) -> str:
    """The counts for the log; folder: the cache's, None without a cache.

    >>> line(Counter({ASKED: 12, READ: 9}), "programs/of-this-machine")
    'programs: 3 compiled, 9 from the cache at programs/of-this-machine'
    """
    from_cache = f"{events[READ]} from the cache at {folder}" if folder else "no cache"
    return f"programs: {events[ASKED] - events[READ]} compiled, {from_cache}"
