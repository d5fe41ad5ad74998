"""Room for programs yet to be compiled: Linux limits the memory maps of a process; each program takes some.

A config whose shapes differ from all before takes about a thousand maps of the 65,530 that Linux allows. XLA
crashes where it gets no further one, so a process that has used half of them forgets its programs.
"""

import contextlib
import gc
from collections.abc import Callable
from pathlib import Path

import jax

LIMIT = Path("/proc/sys/vm/max_map_count")
SHARE = 0.5  # of the limit, above which programs are forgotten


def count() -> int:
    """Memory maps of this process; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        return Path("/proc/self/maps").read_bytes().count(b"\n")
    return 0


def make_room(forget: Callable[[], object] = lambda: None) -> bool:
    """Forgets all compiled programs if this process has used half of its memory maps; returns whether it did.

    What is called again is compiled again, or read from the compilation cache.

    forget: drops what else keeps programs alive.
    """
    try:
        allowed = int(LIMIT.read_text())
    except OSError:
        return False
    if count() < SHARE * allowed:
        return False
    forget()
    jax.clear_caches()
    gc.collect()
    return True
