"""Sentences from standard input and figures of them, for programs that answer line by line."""

import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

AT_ONCE = 1000  # lines answered together where they come from a file


def read(stream: Iterable[bytes]) -> Iterator[str]:
    """Lines of UTF-8 without their ends; ValueError names a line that is not."""
    for number, line in enumerate(stream, 1):
        try:
            text = line.decode("utf-8").rstrip("\r\n")
            yield text.removeprefix("\ufeff") if number == 1 else text
        except UnicodeDecodeError as error:
            raise ValueError(f"stdin: line {number} is not UTF-8 (byte 0x{line[error.start]:02x})") from error


def parts(at_once: int = AT_ONCE) -> Iterator[list[str]]:
    """The lines in parts: one by one for someone who types, otherwise large ones, which go faster."""
    lines = read(sys.stdin.buffer)
    while part := list(itertools.islice(lines, 1 if sys.stdin.isatty() else at_once)):
        yield part


def shown(text: str) -> str:
    """A text as it is, or spelled out where it can't be seen."""
    return text if text.isprintable() else ascii(text)


def unseen(tokenizer: Any, sentences: Iterable[str]) -> str:
    """A line about what the tokenizer was not trained on, the first five by name; "" if there is none."""
    counts = tokenizer.unseen(sentences)
    if not counts:
        return ""
    unit = "characters" if tokenizer.kind == "bpe" else "words"
    return f"{sum(counts.values())} {unit} never seen in training: {' '.join(map(shown, list(counts)[:5]))}"


def check_figure(path: str) -> None:
    """ValueError for the name of a figure that can't be drawn; "" is none."""
    goal = Path(path or "none.png")
    if goal.suffix.lower() != ".png" or not goal.absolute().parent.is_dir():
        raise ValueError(f"--attention={path}: a name that ends in .png, in a folder that is there, is "
                         "needed")
