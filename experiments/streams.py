"""The standard streams of a program: closed by its caller (`<&-`, `2>&-`), of another encoding, or full."""

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


def write_utf8() -> None:
    """Has stdout write UTF-8, as stdin and files are read, whatever the locale; of a file's name the bytes.

    A locale of fewer letters would make an error of the first translation that has another, and lose all.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")


def drop_unwritable_output() -> None:
    """Discards the remaining output of stdout if its reader has gone or its disk is full.

    Python would try again at exit and report a second error.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
