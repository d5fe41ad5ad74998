"""Flags of XLA: only those that it knows, never over those of the user, asked once."""

import os
import subprocess
import sys

import jax
import pytest

from attention_lab.storage import xla
from attention_lab.storage.files import read_json

UNKNOWN = "--xla_cpu_no_such_flag=true"
KNOWN = "--xla_backend_optimization_level=1"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty place for the answers of XLA, and a count of the times it is asked."""
    asked = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(xla, "_supports", lambda flag: asked.append(flag) or flag == KNOWN)
    return asked


def test_the_installed_xla_is_asked_in_a_process_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert xla.supported([KNOWN, UNKNOWN]) == [KNOWN]
    notes, = tmp_path.rglob("*.json")
    assert xla.version() in notes.name and read_json(notes) == {KNOWN: True, UNKNOWN: False}


def test_it_is_asked_once_for_each_flag(cache):
    assert xla.supported([UNKNOWN, KNOWN]) == xla.supported([KNOWN, UNKNOWN]) == [KNOWN]
    assert cache == [UNKNOWN, KNOWN]
    xla.supported(["--xla_other=1", KNOWN])
    assert cache == [UNKNOWN, KNOWN, "--xla_other=1"]


def test_another_version_is_asked_anew(cache, monkeypatch):
    xla.supported([KNOWN])
    monkeypatch.setattr(xla, "version", lambda: "99.1.0")
    xla.supported([KNOWN])
    assert cache == [KNOWN, KNOWN]


def test_damaged_notes_and_a_cache_that_cannot_be_written_are_done_without(cache, tmp_path, monkeypatch):
    xla.supported([KNOWN])
    notes, = tmp_path.rglob("*.json")
    notes.write_text("{")
    assert xla.supported([KNOWN]) == [KNOWN] and cache == [KNOWN, KNOWN]
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert xla.supported([KNOWN]) == [KNOWN] and cache == [KNOWN] * 3


def test_a_jax_that_does_not_start_is_no_answer(tmp_path, monkeypatch):
    (tmp_path / "jax.py").write_text("raise ImportError('broken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ValueError, match="jax does not start: .*broken"):
        xla._supports(KNOWN)


@pytest.mark.parametrize("before, after", [
    ("", "--xla_a=1 --xla_b=2"), ("--xla_c", "--xla_c --xla_a=1 --xla_b=2"),
    ("--xla_a=3", "--xla_a=3 --xla_b=2"),
    ("--xla_ab=3", "--xla_ab=3 --xla_a=1 --xla_b=2"), ("--xla_b=0 --xla_a=0", "--xla_b=0 --xla_a=0")])
def test_flags_of_the_user_are_kept(monkeypatch, before, after):
    monkeypatch.setenv("XLA_FLAGS", before)
    xla.add(["--xla_a=1", "--xla_b=2"])
    assert os.environ["XLA_FLAGS"] == after


def test_flags_in_a_file_are_kept_too(monkeypatch, tmp_path):
    (tmp_path / "flags").write_text("--xla_b=3\n--xla_c")
    monkeypatch.setenv("XLA_FLAGS", str(tmp_path / "flags"))
    xla.add(["--xla_a=1", "--xla_b=2"])
    assert os.environ["XLA_FLAGS"] == "--xla_b=3 --xla_c --xla_a=1"


@pytest.mark.parametrize("before", [None, "--xla_a=1"])
def test_flags_for_short_compilation_come_and_go(cache, monkeypatch, before):
    monkeypatch.delenv("XLA_FLAGS")
    if before:
        monkeypatch.setenv("XLA_FLAGS", before)
    with pytest.raises(ZeroDivisionError), xla.added((KNOWN, UNKNOWN)):
        assert os.environ["XLA_FLAGS"] == f"{before} {KNOWN}".removeprefix("None ")
        1 / 0
    assert os.environ.get("XLA_FLAGS") == before


@pytest.mark.parametrize("version, wrong", [
    ("0.10.2", True), ("0.9.0", True), ("0.11.0", False), ("0.12.0.1", False), ("1.0.0", False),
    ("0.11.0.dev20260101", False)])
def test_versions_that_get_sums_wrong(monkeypatch, version, wrong):
    monkeypatch.setattr(xla, "version", lambda: version)
    monkeypatch.setattr(xla, "supported", list)
    monkeypatch.delenv("XLA_FLAGS")
    jax.devices()
    if wrong:  # too late for XLA to read it
        assert "start Python with XLA_FLAGS=" in xla.avoid_wrong_sums() and "XLA_FLAGS" not in os.environ
    monkeypatch.delitem(sys.modules, "jax._src.xla_bridge")
    line = xla.avoid_wrong_sums()
    assert (version in line and xla.WITHOUT_WRONG_SUMS in line) if wrong else line == ""
    assert os.environ.get("XLA_FLAGS") == (xla.WITHOUT_WRONG_SUMS if wrong else None)
    assert xla.avoid_wrong_sums() == ""  # said once, and not by the processes that this one starts


def test_a_program_says_at_its_start_that_it_avoids_wrong_sums(tmp_path):
    command = [sys.executable, "-m", "experiments.train", "--config=configs/recall.py:smoke",
               f"--workdir={tmp_path / 'run'}", "--config.training.steps=1",
               "--config.model.num_layers=1", "--config.training.eval_every=1"]
    environ = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = f"train: jaxlib {xla.version()} gets some sums wrong on CPUs" in done.stderr
    used = read_json(tmp_path / "run" / "run.json")["jax_settings"]["xla_flags"]
    assert (said, used) == ((True, xla.WITHOUT_WRONG_SUMS) if xla.gets_sums_wrong() else (False, ""))
