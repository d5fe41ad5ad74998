"""What a run writes while it trains: metrics, timing apart, and events for TensorBoard."""

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

from attention_lab.storage.files import JsonLines, naming


class Writers:
    """The logs of one run folder, opened by a process that goes on after `step`.

    What earlier processes logged after that step is taken back, since it will be written again.
    Each line is with the system when `write` returns, so that a checkpoint made after it never
    misses one.
    """

    def __init__(self, folder: str | Path, step: int = 0):
        self._metrics = JsonLines(Path(folder) / "metrics.jsonl")
        self._timing = JsonLines(Path(folder) / "timing.jsonl")
        for log in (self._metrics, self._timing):
            log.rewind(step)
        self._events = _Events(Path(folder), step)

    def write(self, step: int, metrics: Mapping[str, Any], timing: Mapping[str, Any] | None = None
              ) -> None:
        """Logs numbers of one step.

        Args:
          step: optimizer steps done.
          metrics: what a repeated run repeats bit for bit.
          timing: what it does not: seconds, tokens per second.

        Raises:
          OSError: a log can't be written; the error names it.
        """
        if metrics:
            self._metrics.append({"step": step, **metrics})
        if timing:
            self._timing.append({"step": step, **timing})
        seconds = {f"timing/{name}": value for name, value in (timing or {}).items()}
        self._events.write(step, {**metrics, **seconds})

    def close(self) -> None:
        """Ends the event file; the other logs are never left open."""
        self._events.close()

    def __enter__(self) -> "Writers":
        return self

    def __exit__(self, *exception) -> None:
        self.close()


class _Events:
    """Scalars in TensorBoard's format, one file for each process that has worked on the run.

    tensorboardX gives the messages and the checksum. Its writers are not used: SummaryWriter hands
    events to a thread, whose queue a kill loses and a full disk stops for ever.
    """

    def __init__(self, folder: Path, step: int):
        resumed = any(folder.glob("events.*"))
        # In the order of these names TensorBoard reads them.
        self._path = folder / f"events.out.tfevents.{int(time.time())}.{os.getpid()}"
        with naming(self._path):
            self._file = self._path.open("ab", buffering=0)
        self._append(Event(wall_time=time.time(), file_version="brain.Event:2"))
        if resumed:  # has TensorBoard drop what other files hold from this step on
            start = SessionLog(status=SessionLog.START)
            self._append(Event(wall_time=time.time(), step=step + 1, session_log=start))

    def write(self, step: int, scalars: Mapping[str, Any]) -> None:
        values = [Summary.Value(tag=name, simple_value=float(value))
                  for name, value in scalars.items() if np.isreal(value) and np.ndim(value) == 0]
        self._append(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))

    def close(self) -> None:
        self._file.close()

    def _append(self, event: Event) -> None:
        """Writes one record of a TFRecord file: length, its checksum, content, its checksum."""
        content = event.SerializeToString()
        length = struct.pack("<Q", len(content))
        record = b"".join([length, struct.pack("<I", masked_crc32c(length)),
                           content, struct.pack("<I", masked_crc32c(content))])
        with naming(self._path):
            while record:  # a disk that fills up takes a part without complaint, the rest not
                record = record[self._file.write(record):]
