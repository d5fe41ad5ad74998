"""Logs of a run: metrics, timing in a separate file, and events for TensorBoard."""

import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import masked_crc32c

from attention_lab.storage.files import JsonLines, append


class Writers:
    """The logs of one run folder, continued after `step`: later lines are dropped and written again.

    `write` passes each line to the operating system, so that a later checkpoint never misses it.
    Writers of tensorboardX are not used: SummaryWriter hands events to a thread, whose queue a kill loses and
    a full disk stops for ever.
    """

    def __init__(self, folder: str | Path, step: int = 0):
        folder = Path(folder)
        self._metrics, self._timing = JsonLines(folder / "metrics.jsonl"), JsonLines(folder / "timing.jsonl")
        for log in (self._metrics, self._timing):
            log.rewind(step)
        resumed = any(folder.glob("events.*"))
        # TensorBoard reads the files of all processes in the order of these names.
        self._events = folder / f"events.out.tfevents.{int(time.time())}.{os.getpid()}"
        self._append_event(file_version="brain.Event:2")
        if resumed:  # TensorBoard drops what other files hold from this step on
            self._append_event(step=step + 1, session_log=SessionLog(status=SessionLog.START))

    def write(self, step: int, metrics: Mapping[str, Any], timing: Mapping[str, Any] | None = None) -> None:
        """Logs metrics, which a repeated run reproduces bit for bit, and timing, which it does not."""
        if metrics:
            self._metrics.append({"step": step, **metrics})
        if timing:
            self._timing.append({"step": step, **timing})
        scalars = {**metrics, **{f"timing/{name}": value for name, value in (timing or {}).items()}}
        self._append_event(step=step, summary=Summary(value=[
            Summary.Value(tag=name, simple_value=float(value)) for name, value in scalars.items()
            if np.isreal(value) and np.ndim(value) == 0]))

    def _append_event(self, **fields: Any) -> None:
        """Appends a record of a TFRecord file: length, its checksum, content, its checksum."""
        content = Event(wall_time=time.time(), **fields).SerializeToString()
        length = struct.pack("<Q", len(content))
        append(self._events, b"".join([length, struct.pack("<I", masked_crc32c(length)),
                                       content, struct.pack("<I", masked_crc32c(content))]))
