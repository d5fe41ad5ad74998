"""Large pages: asked for once, where Linux gives them on request, and never over the user's setting."""

import os
import subprocess
import sys

import pytest

from experiments import pages


@pytest.fixture
def started(tmp_path, monkeypatch):
    """The commands that were started in place of this one; Linux gives large pages on request."""
    commands = []
    monkeypatch.setattr(pages, "HUGE", tmp_path / "enabled")
    (tmp_path / "enabled").write_text("always [madvise] never\n")
    monkeypatch.setenv(pages.NAME, "")
    monkeypatch.delenv(pages.NAME)
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "experiments.train", "--config=a b"])
    monkeypatch.setattr(os, "execv", lambda file, words: commands.append(words))
    return commands


def test_the_same_command_is_started_again_once(started):
    pages.use_large()
    pages.use_large()
    assert started == [[sys.executable, "-m", "experiments.train", "--config=a b"]]
    assert os.environ[pages.NAME] == pages.SETTING


def test_a_setting_of_the_user_is_kept(started, monkeypatch):
    monkeypatch.setenv(pages.NAME, "glibc.malloc.arena_max=1")
    pages.use_large()
    assert not started and os.environ[pages.NAME] == "glibc.malloc.arena_max=1"


@pytest.mark.parametrize("text", ["[always] madvise never", "always madvise [never]", None])
def test_it_is_not_started_again_in_vain(started, text):
    pages.HUGE.unlink() if text is None else pages.HUGE.write_text(text)
    pages.use_large()
    assert not started and pages.NAME not in os.environ


def test_a_program_runs_to_its_end_under_either():
    words = [sys.executable, "-m", "experiments.train", "--help"]
    for settings in ({}, {pages.NAME: "glibc.malloc.arena_max=1"}):
        environment = {name: value for name, value in os.environ.items() if name != pages.NAME} | settings
        done = subprocess.run(words, env=environment, capture_output=True, text=True)
        assert done.returncode == 0 and "experiments.train" in done.stdout
