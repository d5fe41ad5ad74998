"""Sentences from standard input, for programs that answer line by line."""

import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

AT_ONCE = 1000  # lines answered together if stdin is not a terminal


def read(stream: Iterable[bytes]) -> Iterator[str]:
    """Decoded lines without their ends; ValueError names the first line that is not UTF-8."""
    for number, line in enumerate(stream, 1):
        try:
            text = line.decode("utf-8").rstrip("\r\n")
            yield text.removeprefix("\ufeff") if number == 1 else text
        except UnicodeDecodeError as error:
            raise ValueError(f"stdin: line {number} is not UTF-8 (byte 0x{line[error.start]:02x})") from error


def parts() -> Iterator[list[str]]:
    """The lines in batches: single lines from a terminal, otherwise AT_ONCE, which is faster."""
    lines = read(sys.stdin.buffer)
    while part := list(itertools.islice(lines, 1 if sys.stdin.isatty() else AT_ONCE)):
        yield part


def unseen(tokenizer: Any, sentences: Iterable[str]) -> str:
    """A line about the tokens never seen in training, with the first five; "" if there are none."""
    counts = tokenizer.unseen(sentences)
    if not counts:
        return ""
    unit = "characters" if tokenizer.kind == "bpe" else "words"
    first = " ".join(text if text.isprintable() else ascii(text) for text in list(counts)[:5])
    return f"{sum(counts.values())} {unit} never seen in training: {first}"


def check_figure(path: str) -> None:
    """ValueError for a figure's path that is not a .png in an existing folder; "" is allowed."""
    figure = Path(path or "none.png")
    if figure.suffix.lower() != ".png" or not figure.absolute().parent.is_dir():
        raise ValueError(f"--attention={path}: a .png in an existing folder is needed")
