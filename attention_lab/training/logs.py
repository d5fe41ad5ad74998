"""Logs of a run: metrics, timing in a separate file, and events for TensorBoard."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.storage.files import JsonLines, append
from attention_lab.training import events


class Writers:
    """The logs of one run folder, continued after `step`: later lines are dropped and written again.

    `write` passes each line to the operating system, so that a later checkpoint never misses it.
    """

    def __init__(self, folder: str | Path, step: int = 0):
        folder = Path(folder)
        self._metrics, self._timing = JsonLines(folder / "metrics.jsonl"), JsonLines(folder / "timing.jsonl")
        for log in (self._metrics, self._timing):
            log.rewind(step)
        resumed = any(folder.glob("events.*"))
        # TensorBoard reads the files of all processes in the order of these names.
        self._events = folder / f"events.out.tfevents.{int(time.time())}.{os.getpid()}"
        self._append_event(version="brain.Event:2")
        if resumed:
            self._append_event(step=step + 1, status=events.START)

    def write(self, step: int, metrics: Mapping[str, Any], timing: Mapping[str, Any] | None = None) -> None:
        """Logs metrics, which a repeated run reproduces bit for bit, and timing, which it does not."""
        if metrics:
            self._metrics.append({"step": step, **metrics})
        if timing:
            self._timing.append({"step": step, **timing})
        scalars = {**metrics, **{f"timing/{name}": value for name, value in (timing or {}).items()}}
        self._append_event(step=step, scalars={name: float(value) for name, value in scalars.items()
                                               if np.isreal(value) and np.ndim(value) == 0})

    def _append_event(self, **fields: Any) -> None:
        append(self._events, events.record(events.event(time.time(), **fields)))
