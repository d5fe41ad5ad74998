"""JSON on disk: whole or not at all, and logs that repeat byte for byte after going back."""

import builtins
import errno
import hashlib
import io
import json
import os

import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.data import fetch
from attention_lab.figures import style
from attention_lab.storage.files import JsonLines, append, plain, read_json, write_json, write_text
from attention_lab.training import checkpoint


def test_numbers_of_arrays_and_what_json_cannot_hold():
    value = {"a": np.float32(0.5), "b": jnp.ones(2), 3: (np.int64(7), float("inf")), "c": None}
    assert plain(value) == {"a": 0.5, "b": [1.0, 1.0], "3": [7, None], "c": None}


def test_a_file_is_whole_or_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError) as raised:
        write_json(path, {"a": 2})
    assert raised.value.filename == str(path) and raised.value.errno == errno.ENOSPC
    assert read_json(path) == {"a": 1}


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OSError) as raised:
        write_json(tmp_path / "none" / "x.json", {})
    assert "none" in raised.value.filename


def test_lines_come_back(tmp_path):
    log = JsonLines(tmp_path / "m.jsonl")
    assert log.read() == []
    log.append({"step": 1, "loss": np.float32(0.25)})
    log.append({"step": 2, "loss": float("nan")})
    assert log.path.read_text() == '{"step": 1, "loss": 0.25}\n{"step": 2, "loss": null}\n'
    assert log.read() == [{"step": 1, "loss": 0.25}, {"step": 2, "loss": None}]


@pytest.mark.parametrize("torn", [
    '{"step": 2}', "", '{"step": 5, "lo', '{"step": 5}', "\x00\x00\n", "[]\n",
])
def test_going_back_and_on_repeats_the_bytes(tmp_path, torn):
    log, whole = JsonLines(tmp_path / "a.jsonl"), JsonLines(tmp_path / "b.jsonl")
    records = [{"step": step, "loss": step / 7} for step in (1, 2, 2, 3, 4, 5)]
    for record in records:
        whole.append(record)
    for record in records[:5]:
        log.append(record)
    with open(log.path, "a") as file:
        file.write(torn)
    log.rewind(2)
    assert [record["step"] for record in log.read()] == [1, 2, 2]
    for record in records[3:]:
        log.append(record)
    assert log.path.read_bytes() == whole.path.read_bytes()


def test_a_torn_line_goes_even_where_no_step_is_later(tmp_path):
    log = JsonLines(tmp_path / "a.jsonl")
    log.append({"step": 1})
    with open(log.path, "a") as file:
        file.write('{"step": 2')
    assert log.read() == [{"step": 1}]
    log.rewind(9)
    assert log.path.read_text() == '{"step": 1}\n'
    JsonLines(tmp_path / "none.jsonl").rewind(0)


def test_a_disk_that_fills_up_within_a_line_is_an_error_with_a_name(tmp_path, monkeypatch):
    """A full disk takes a part of the bytes and says so only by their number."""
    class Filling(io.FileIO):
        taken = 0

        def write(self, data):
            if Filling.taken:
                raise OSError(errno.ENOSPC, "No space left on device")
            Filling.taken = 3
            return super().write(data[:3])

    monkeypatch.setattr(builtins, "open", lambda path, mode, buffering: Filling(str(path), mode[0]))
    log = JsonLines(tmp_path / "a.jsonl")
    with pytest.raises(OSError) as raised:
        log.append({"step": 1})
    monkeypatch.undo()
    assert raised.value.filename == str(log.path)
    log.rewind(9)
    assert log.path.read_bytes() == b""


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x80"])
def test_a_damaged_file_is_named(tmp_path, text):
    (tmp_path / "x.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match="x.json is damaged"):
        read_json(tmp_path / "x.json")


def test_text_is_readable(tmp_path):
    write_json(tmp_path / "x.json", {"a": [1]})
    assert (tmp_path / "x.json").read_text() == json.dumps({"a": [1]}, indent=2) + "\n"
    assert os.listdir(tmp_path) == ["x.json"]


def test_text_is_written_as_it_is(tmp_path):
    write_text(tmp_path / "x.tsv", "é\tà\n")
    assert (tmp_path / "x.tsv").read_bytes() == "é\tà\n".encode()


@pytest.mark.parametrize("umask, mode", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_says_who_may_read_what_is_written(tmp_path, umask, mode):
    figure = style.figure(1.0, 1.0)
    before = os.umask(umask)
    try:
        write_json(tmp_path / "a.json", {})
        append(tmp_path / "a.log", b"x")
        style.save(figure, tmp_path / "a.png")
        checkpoint.save(tmp_path / "checkpoints", 1, {"w": np.ones(3, np.float32)}, {})
        fetch.fetch((tmp_path / "a.log").as_uri(), hashlib.sha256(b"x").hexdigest(), tmp_path / "fetched")
    finally:
        os.umask(before)
    modes = {path: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert {found for path, found in modes.items() if path.is_file()} == {mode}
    assert {found for path, found in modes.items() if path.is_dir()} == {0o777 & ~umask}
