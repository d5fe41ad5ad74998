"""The parts of a run besides its steps, scores and pictures: one that fails leaves the others as they are."""

import contextlib
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

from attention_lab.storage.errors import keep_traceback, one_line

LONGEST = 300  # characters of an error that are repeated


class Parts:
    """What a run does besides its steps, part by part: each may fail without the others.

    Fields: failed, {"failed" or, for pictures, "not_drawn": a line for each that did}.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]):
        self.folder, self.say = folder, say
        self.failed: dict[str, list[str]] = {}

    @contextlib.contextmanager
    def part(self, name: str, picture: bool = False) -> Iterator[None]:
        """Notes and says what the block raises, its traceback into errors.log; an OSError only of a picture.

        What the disk refuses to a score it refuses to the result too.
        """
        try:
            yield
        except Exception as error:
            if isinstance(error, OSError) and not picture:
                raise
            self.failed.setdefault("not_drawn" if picture else "failed", []).append(
                f"{name}: {failure(error)}")
            self.say(f"{self.folder}: {name} failed, the rest goes on: {failure(error)}")
            with contextlib.suppress(OSError):
                keep_traceback(self.folder, error)


def failure(error: Exception) -> str:
    """An error in one line of bounded length."""
    words = one_line(error)
    named = words if isinstance(error, (ValueError, OSError)) else f"{type(error).__name__}: {words}"
    return textwrap.shorten(named, LONGEST, placeholder=" ...")
