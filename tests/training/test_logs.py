"""Logs: what a kill and a resume leave of them."""

import json
import struct
import time

import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.record_writer import masked_crc32c

from attention_lab.training.logs import Writers


def events(folder) -> list[Event]:
    """Every event of the folder's files in TensorBoard's order, checksums verified."""
    found = []
    for path in sorted(folder.glob("events.*"), key=lambda path: path.stat().st_mtime_ns):
        assert "tfevents" in path.name
        content = path.read_bytes()
        while content:
            length, check = struct.unpack("<QI", content[:12])
            assert check == masked_crc32c(content[:8])
            record, content = content[12:12 + length], content[12 + length:]
            assert content[:4] == struct.pack("<I", masked_crc32c(record))
            content = content[4:]
            found.append(Event.FromString(record))
    return found


def scalars(event) -> dict:
    return {value.tag: round(value.simple_value, 4) for value in event.summary.value}


def test_each_number_goes_where_it_belongs(tmp_path):
    writers = Writers(tmp_path)
    writers.write(7, {"loss": np.float32(0.5), "note": "text"}, {"tokens_per_second": 123.0})
    writers.write(8, {"dev_bleu": 41.25})
    assert (tmp_path / "metrics.jsonl").read_text() == (
        '{"step": 7, "loss": 0.5, "note": "text"}\n{"step": 8, "dev_bleu": 41.25}\n')
    assert json.loads((tmp_path / "timing.jsonl").read_text()) == {
        "step": 7, "tokens_per_second": 123.0}
    version, first, second = events(tmp_path)
    assert version.file_version == "brain.Event:2"
    assert first.step == 7 and scalars(first) == {"loss": 0.5, "timing/tokens_per_second": 123.0}
    assert second.step == 8 and scalars(second) == {"dev_bleu": 41.25}


def test_long_names_many_numbers_and_late_steps_are_read_as_written(tmp_path):
    many = {f"{i}/" + "é" * i: i / 7 for i in range(1, 90)}
    Writers(tmp_path).write(2**40 + 3, many | {"huge": 1e300, "nan": float("nan")})
    event = events(tmp_path)[-1]
    read = {value.tag: value.simple_value for value in event.summary.value}
    assert event.step == 2**40 + 3 and abs(event.wall_time - time.time()) < 60
    assert read.pop("huge") == float("inf") and np.isnan(read.pop("nan"))
    assert read == {name: np.float32(value) for name, value in many.items()}


def test_a_resumed_run_repeats_its_metrics_byte_for_byte(tmp_path):
    def run(folder, first, last):
        writers = Writers(folder, step=first)
        for step in range(first + 1, last + 1):
            writers.write(step, {"loss": 1 / step}, {"seconds": step * 0.1})

    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    run(tmp_path / "whole", 0, 9)
    run(tmp_path / "killed", 0, 7)
    with (tmp_path / "killed" / "metrics.jsonl").open("ab") as file:
        file.write(b'{"step": 8, "lo')
    run(tmp_path / "killed", 5, 9)
    for name in ("metrics.jsonl", "timing.jsonl"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()

    starts = [event for event in events(tmp_path / "killed")
              if event.session_log.status == SessionLog.START]
    assert [event.step for event in starts] == [6]
    assert not any(event.session_log.status for event in events(tmp_path / "whole"))


def test_every_line_is_with_the_system_before_the_next_thing_happens(tmp_path):
    writers = Writers(tmp_path)
    writers.write(1, {"loss": 2.0}, {"seconds": 1.0})
    assert (tmp_path / "metrics.jsonl").read_text().count("\n") == 1
    assert (tmp_path / "timing.jsonl").read_text().count("\n") == 1
    assert scalars(events(tmp_path)[-1]) == {"loss": 2.0, "timing/seconds": 1.0}


def test_a_full_disk_names_the_event_file(tmp_path):
    writers = Writers(tmp_path)
    path, = tmp_path.glob("events.*")
    path.unlink()
    path.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device.*events"):
        writers.write(1, {"loss": 2.0})
