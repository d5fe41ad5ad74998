"""Sentences from standard input, for programs that answer line by line."""

import os
import select
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from attention_lab.config.counts import counted
from attention_lab.data.lines import check_mark
from attention_lab.storage.files import naming
from experiments.flags import say

AT_ONCE = 1000  # lines answered together at most
CHUNK = 1 << 16  # bytes read at once, more than the stream buffers: after a read its buffer is empty


def parts() -> Iterator[list[str]]:
    """The lines of stdin, without their ends, as soon as no more input is waiting, AT_ONCE at most.

    So a program that writes a line and waits gets its answer, and a file is read in large parts. A line that
    is not UTF-8 becomes an empty line, with a message that names its number. ValueError for an input that
    begins as UTF-16 or UTF-32.
    """
    before = 0
    for part in _arrived(sys.stdin.buffer):
        yield [_text(line, before + i) for i, line in enumerate(part, 1)]
        before += len(part)


def _arrived(stream: Any) -> Iterator[list[bytes]]:
    lines, rest = [], bytearray()
    while chunk := _read(stream):
        rest += chunk
        if b"\n" in chunk:
            *whole, rest = rest.split(b"\n")
            lines += whole
        while len(lines) >= AT_ONCE or lines and not _more_waits(stream):
            yield lines[:AT_ONCE]
            lines = lines[AT_ONCE:]
    lines += [rest] if rest else []
    while lines:
        yield lines[:AT_ONCE]
        lines = lines[AT_ONCE:]


def _read(stream: Any) -> bytes:
    with naming("standard input"):  # that of nohup can't be read
        return stream.read1(CHUNK)


def _more_waits(stream: Any) -> bool:
    """Whether a read would return at once, as it does at the end of the input."""
    try:
        descriptor = stream.fileno()
    except OSError:  # bytes in memory
        return True
    return bool(select.select([descriptor], [], [], 0)[0])


def _text(line: bytes, number: int) -> str:
    if number == 1:
        check_mark(line, "standard input")
    try:
        text = line.decode("utf-8").rstrip("\r")
    except UnicodeDecodeError as error:
        say(f"line {number} is not UTF-8 (byte 0x{line[error.start]:02x}): it has no answer")
        return ""
    return text.removeprefix("\ufeff") if number == 1 else text


def unseen(tokenizer: Any, sentences: Iterable[str]) -> str:
    """A line about the tokens never seen in training, with the first five; "" if there are none."""
    counts = tokenizer.unseen(sentences)
    if not counts:
        return ""
    first = " ".join(text if text.isprintable() else ascii(text) for text in list(counts)[:5])
    return f"{counted(sum(counts.values()), tokenizer.segmentation.unit)} never seen in training: {first}"


def check_figure(path: str) -> None:
    """ValueError for a figure's path that is not a .png or .html in an existing folder; "" is allowed."""
    check_path("attention", path or "none.png", (".png", ".html"))


def is_page(path: str) -> bool:
    """Whether a figure is to be a page, for a path that `check_figure` allows."""
    return path.lower().endswith(".html")


def check_path(flag: str, path: str, endings: Sequence[str]) -> None:
    """ValueError for a flag's path that has another ending, is a folder, or can't be written."""
    file = Path(path)
    folder = file.absolute().parent
    if file.suffix.lower() not in endings or not folder.is_dir():
        raise ValueError(f"--{flag}={path}: a {' or '.join(endings)} in an existing folder is needed")
    if file.is_dir() or not os.access(folder, os.W_OK):
        raise ValueError(f"--{flag}={path}: it can't be written there")
