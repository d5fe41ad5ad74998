"""The standard streams of a program whose caller has closed some of them (`<&-`, `>&-`, `2>&-`)."""

import os
import sys


def open_closed() -> None:
    """Gives each closed standard stream the null device.

    Otherwise the next file that is opened gets the number of the stream, and text written to the stream, such
    as XLA's warnings, goes into that file; and Python prints to stdout if stderr is missing.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))


def drop_unwritable_output() -> None:
    """Discards the remaining output of stdout if its reader has gone or its disk is full.

    Python would try again at exit and report a second error.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
