"""Large memory pages: a step of training asks for hundreds of megabytes anew, and each page is a fault."""

import os
import sys
from pathlib import Path

HUGE = Path("/sys/kernel/mm/transparent_hugepage/enabled")
NAME, SETTING = "GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"


def use_large() -> None:
    """Starts this command again where Linux gives large pages to those who ask; glibc reads the setting once.

    Steps of a Transformer then take a tenth less time. A GLIBC_TUNABLES of the user is kept as it is.
    """
    if NAME in os.environ or not sys.executable or not _on_request():
        return
    os.environ[NAME] = SETTING
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _on_request() -> bool:
    try:
        return "[madvise]" in HUGE.read_text(encoding="ascii")
    except OSError:
        return False
