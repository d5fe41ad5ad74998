"""Compiled programs: kept where they hold, read again, and never in the way."""

import json
import os
import signal
import subprocess
import sys
import zlib

import pytest

from attention_lab.storage import compiled

DOUBLE = """
from collections import Counter
from attention_lab.storage import compiled
print(compiled.keep())
import jax
from attention_lab.training import compilations
with compilations.counted() as programs:
    assert float(jax.jit(lambda x: x + x)(2.0)) == 4.0
print(compilations.line(programs, jax.config.jax_compilation_cache_dir))
"""
HOLDS = compiled._holds


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The user's cache; jax is not imported yet, and can read what it wrote."""
    for name in (compiled.FOLDER, compiled.SWITCH, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS",
                 "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"):
        monkeypatch.setenv(name, "")  # so that it is put back at the end
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delitem(sys.modules, "jax")
    monkeypatch.setattr(compiled, "_holds", lambda folder: True)
    return tmp_path / "attention_lab" / "programs" / compiled.key()


def run(code=DOUBLE, **settings):
    """Lines of a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | settings, text=True, check=True,
                          capture_output=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_second_process_reads_what_the_first_compiled(cache):
    assert run() == ["", f"programs: 1 compiled, 0 from the cache at {cache}"]
    assert json.loads((cache / compiled.TRIED).read_text())["holds"]
    assert run() == ["", f"programs: 0 compiled, 1 from the cache at {cache}"]
    assert run(JAX_ENABLE_COMPILATION_CACHE="0")[1].startswith("programs: 1 compiled")


def test_a_program_cut_off_is_compiled_and_written_again(cache):
    run()
    path, = cache.glob("*-cache")
    path.write_bytes(path.read_bytes()[:-5])
    assert "1 compiled" in run()[1] and "0 compiled" in run()[1]


def test_a_folder_of_the_user_is_used_as_it_is(cache, tmp_path, monkeypatch):
    monkeypatch.setenv(compiled.FOLDER, str(tmp_path / "own"))
    assert compiled.keep() == "" and os.environ[compiled.FOLDER] == str(tmp_path / "own")
    assert not cache.exists()


@pytest.mark.parametrize("off", ["0", "False", "no"])
def test_the_switch_of_jax_switches_it_off(cache, monkeypatch, off):
    monkeypatch.setenv(compiled.SWITCH, off)
    assert compiled.keep() == "" and compiled.FOLDER not in os.environ and not cache.exists()


def test_a_folder_of_another_machine_comes_from_a_parent_and_is_not_used(cache, monkeypatch):
    monkeypatch.setenv(compiled.FOLDER, str(cache.parent / "jax-of-another-machine"))
    assert compiled.keep() == "" and os.environ[compiled.FOLDER] == str(cache)


def test_settings_of_the_user_stay(cache, monkeypatch):
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "7")
    compiled.keep()
    assert os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] == "7"
    assert os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] == "-1"


def test_a_folder_that_cannot_be_written_is_one_line(cache, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    line = compiled.keep()
    assert line.startswith("compiled programs are not kept: ") and "Not a directory" in line
    assert compiled.FOLDER not in os.environ


@pytest.mark.parametrize("said, status, holds", [
    ("", 0, True), ("", -signal.SIGILL, False), ("no program was read\n", 1, False),
    ("Loading XLA:CPU AOT result. Target machine feature", 0, False),
    ("Loading XLA:CPU AOT result. Target machine feature", -signal.SIGSEGV, False)])
def test_where_jax_refuses_what_it_wrote_nothing_is_kept(tmp_path, monkeypatch, said, status, holds):
    asked = []
    monkeypatch.setattr(subprocess, "run", lambda words, **known: asked.append(words) or
                        subprocess.CompletedProcess(words, status, "", said))
    assert [compiled._holds(tmp_path) for _ in range(2)] == [holds, holds] and len(asked) == 1


@pytest.mark.parametrize("said, status, words", [
    ("", -signal.SIGKILL, "the trial of reading one ended with SIGKILL"),
    ("else 'no program was read'\nMemoryError\n", 1,
     "the trial of reading one ended with status 1: MemoryError"),
    ("", None, "the trial of reading one took longer than 300 seconds")])
def test_a_trial_without_an_answer_is_made_again(cache, tmp_path, monkeypatch, said, status, words):
    def fail(command, timeout, **known):
        if status is None:
            raise subprocess.TimeoutExpired(command, timeout)
        return subprocess.CompletedProcess(command, status, "", said)

    monkeypatch.setattr(compiled, "_holds", HOLDS)
    monkeypatch.setattr(subprocess, "run", fail)
    assert compiled.keep() == f"compiled programs are not kept: {words}"
    assert compiled.FOLDER not in os.environ and not (cache / compiled.TRIED).exists()
    monkeypatch.setattr(subprocess, "run", lambda command, **known: subprocess.CompletedProcess(
        command, 0, "", ""))
    assert compiled.keep() == "" and (cache / compiled.TRIED).exists()


def test_it_says_so(cache, monkeypatch):
    monkeypatch.setattr(compiled, "_holds", lambda folder: False)
    assert "can't read here what it wrote" in compiled.keep() and compiled.FOLDER not in os.environ


def test_the_key_tells_cores_and_processors_apart(monkeypatch):
    keys = {compiled.key()}
    monkeypatch.setenv("NPROC", "37")
    keys.add(compiled.key())
    monkeypatch.setattr(compiled, "processor_facts", lambda: "another")
    keys.add(compiled.key())
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: range(53), raising=False)
    keys.add(compiled.key())
    assert len(keys) == 4 and compiled.key() in keys


def test_what_is_not_whole_goes_and_then_what_was_read_longest_ago(tmp_path, monkeypatch):
    whole = zlib.compress(os.urandom(1000))
    for name, content, age in (("new", whole, 2), ("old", whole, 5), ("cut", whole[:-1], 3),
                               ("empty", b"", 3), ("other", b"(other format", 3)):
        (tmp_path / f"{name}-cache").write_bytes(content)
        os.utime(tmp_path / f"{name}-cache", (1e9 - age, 1e9 - age))
    monkeypatch.setattr(compiled, "LIMIT", 1.5 * len(whole))
    compiled._clean(tmp_path)
    assert {path.name for path in tmp_path.glob("*-cache")} == {"new-cache", "other-cache"}
    monkeypatch.undo()
    (tmp_path / "cut-cache").write_bytes(whole[:-1])
    os.utime(tmp_path / "cut-cache", (1e9, 1e9))  # older than the last look
    compiled._clean(tmp_path)
    assert (tmp_path / "cut-cache").exists()


def test_what_another_process_deletes_meanwhile_is_nothing(tmp_path, monkeypatch):
    whole = compiled._whole

    def deleted(path):
        if path.name == "read-cache":
            path.unlink()
        return whole(path)

    monkeypatch.setattr(compiled, "_whole", deleted)
    (tmp_path / "listed-cache").symlink_to(tmp_path / "deleted")
    for name in ("read", "kept"):
        (tmp_path / f"{name}-cache").write_bytes(zlib.compress(b"program"))
    compiled._clean(tmp_path)
    assert {path.name for path in tmp_path.glob("*-cache")} - {"listed-cache"} == {"kept-cache"}
