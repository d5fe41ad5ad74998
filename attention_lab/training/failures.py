"""Failures of a run's scores and pictures: they are recorded, and the run continues."""

import contextlib
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

from attention_lab.storage.errors import keep_traceback, one_line

LONGEST = 300  # characters of an error's text


class Failures:
    """Records which scores and pictures of a run failed, so that one failure does not prevent the others.

    Fields: lines, {"failed" (scores) or "not_drawn" (pictures): a line for each failure}.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]):
        self.folder, self.say = folder, say
        self.lines: dict[str, list[str]] = {}

    @contextlib.contextmanager
    def recorded(self, name: str, picture: bool = False) -> Iterator[None]:
        """Records an exception of the `with` block, with its traceback in errors.log, and suppresses it.

        An OSError of a score is raised: result.json could not be written either.
        """
        try:
            yield
        except Exception as error:
            if isinstance(error, OSError) and not picture:
                raise
            self.lines.setdefault("not_drawn" if picture else "failed", []).append(
                f"{name}: {described(error)}")
            self.say(f"{self.folder}: {name} failed, the run continues: {described(error)}")
            with contextlib.suppress(OSError):
                keep_traceback(self.folder, error)


def described(error: Exception) -> str:
    """An error in one line of bounded length."""
    words = one_line(error)
    named = words if isinstance(error, (ValueError, OSError)) else f"{type(error).__name__}: {words}"
    return textwrap.shorten(named, LONGEST, placeholder=" ...")
