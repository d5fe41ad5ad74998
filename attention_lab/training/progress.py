"""Progress of a run: a live line on a terminal, otherwise a plain line at intervals."""

import contextlib
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

BAR = 24  # widest bar, columns
RECENT = 500  # steps whose pace gives the remaining time


@contextlib.contextmanager
def progress(total_steps: int | None, title: str, *, max_minutes: float | None = None,
             stream: TextIO | None = None, every: float = 10.0) -> Iterator[Callable[..., None]]:
    """Shows a run's progress until the block ends.

    Args:
      total_steps: of the whole run; None where `max_minutes` ends it.
      stream: None is standard error, as standard output is for results.
      every: least seconds between plain lines, where `stream` is no terminal; a new dev score is always
        printed.
    Yields:
      show(step, doing="", tokens_per_second=None, loss=None, dev=None, seconds=None), cheap enough for every
      step; `doing` names an activity other than steps; None keeps a number; seconds are those of the run,
      earlier processes included.
    """
    console = Console(file=stream or sys.stderr, highlight=False)
    meter = _Meter(total_steps, title, max_minutes)
    if console.is_terminal and not console.is_dumb_terminal:
        with Live(get_renderable=lambda: meter.live(console.width), console=console,
                  refresh_per_second=4, redirect_stdout=sys.stdout.isatty()):
            yield meter.update
    else:
        yield from _plain(meter, console.file, every)


def _plain(meter: "_Meter", stream: TextIO, every: float) -> Iterator[Callable[..., None]]:
    printed, last = time.monotonic(), None

    def show(step: int, doing: str = "", **numbers: float | None) -> None:
        nonlocal printed, last
        dev, before = meter.numbers.get("dev"), meter.doing
        meter.update(step, doing, **numbers)
        new = doing not in ("", before) or meter.numbers.get("dev") != dev
        if new or time.monotonic() - printed >= every:
            printed, last = time.monotonic(), step
            print(meter.plain(), file=stream, flush=True)

    try:
        yield show
    finally:
        doing, meter.doing = meter.doing, ""
        if doing or meter.step not in (None, last):
            print(meter.plain(), file=stream, flush=True)


class _Meter:
    """The newest numbers of a run, and the time that it has left."""

    def __init__(self, total: int | None, title: str, max_minutes: float | None):
        self.total, self.title, self.max_minutes = total, title, max_minutes
        self.step, self.doing, self.numbers = None, "", {}
        self.begun = time.monotonic()
        self.paces = deque(maxlen=RECENT)

    def update(self, step: int, doing: str = "", **numbers: float | None) -> None:
        """Records the numbers of `step`, and the present activity."""
        now, self.doing = time.monotonic(), doing
        # A resumed run did not do its first steps now, so the first update has no pace.
        if self.step is not None and step > self.step:
            self.paces.append((now - self.time) / (step - self.step))
        if step != self.step:
            self.step, self.time = step, now
        self.numbers |= {name: value for name, value in numbers.items() if value is not None}

    def seconds_left(self) -> float | None:
        """Time to the end at the pace so far; None before the pace is known."""
        left = []
        if self.max_minutes is not None:
            gone = self.numbers.get("seconds", 0.0) + time.monotonic() - (
                self.time if "seconds" in self.numbers else self.begun)
            left.append(60.0 * self.max_minutes - gone)
        if self.total is not None and self.paces:
            # A step that compiles, or waits for a dev score, does not predict the pace of later steps.
            most = 10 * statistics.median(self.paces)
            mean = statistics.fmean(min(pace, most) for pace in self.paces)
            left.append((self.total - self.step) * mean - (time.monotonic() - self.time))
        return max(0.0, min(left)) if left else None

    def facts(self) -> list[str]:
        """Pieces of the line."""
        if self.step is None:
            return ["starting"]
        of = "" if self.total is None else f" of {self.total:,}"
        facts = [f"step {self.step:,}{of}"]
        left = self.seconds_left()
        if self.doing:
            facts.append(self.doing)
        elif self.step == self.total:
            facts.append(f"took {_clock(time.monotonic() - self.begun)}")
        elif left is not None:
            facts.append(f"{_clock(left)} left")
        formats = {"tokens_per_second": "{:,.0f} tokens/s", "loss": "loss {:.3f}", "dev": "dev {:.4g}"}
        return facts + [text.format(self.numbers[name]) for name, text in formats.items()
                        if name in self.numbers]

    def plain(self) -> str:
        """The line for a file or a pipe."""
        return f"{self.title}: {', '.join(self.facts())}"

    def live(self, width: int) -> Text:
        """The line for a terminal of so many columns, with a bar where there is room for one."""
        words = "  ".join([self.title, *self.facts()])
        line = Text(words, no_wrap=True, overflow="ellipsis")
        room = min(BAR, width - len(words) - 3)
        if self.total and self.step is not None and room >= 5:
            done = min(room, room * self.step // self.total)
            line.append("  ")
            line.append("━" * done, style="green")
            line.append("━" * (room - done), style="bright_black")
        return line


def _clock(seconds: float) -> str:
    """Seconds as 4:05 or 1:04:05."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
