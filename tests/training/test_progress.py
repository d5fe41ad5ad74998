"""Progress: plain lines in a pipe, one live line on a terminal."""

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from attention_lab.training import progress as module
from attention_lab.training.progress import progress


@pytest.fixture(name="clock")
def _clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr(module.time, "monotonic", lambda: Clock.now)
    return Clock


def test_plain_lines_come_now_and_then(clock):
    stream = io.StringIO()
    with progress(1000, "runs/first", stream=stream, every=12.5) as show:
        for step in range(1, 1001):
            show(step, tokens_per_second=9870.4, loss=3.4567)
            clock.now += 0.0625
    lines = stream.getvalue().splitlines()
    assert "\r" not in stream.getvalue() and "\x1b" not in stream.getvalue()
    assert lines == [
        "runs/first: step 201 of 1,000, 0:50 left, 9,870 tokens/s, loss 3.457",
        "runs/first: step 401 of 1,000, 0:37 left, 9,870 tokens/s, loss 3.457",
        "runs/first: step 601 of 1,000, 0:25 left, 9,870 tokens/s, loss 3.457",
        "runs/first: step 801 of 1,000, 0:12 left, 9,870 tokens/s, loss 3.457",
        "runs/first: step 1,000 of 1,000, took 1:02, 9,870 tokens/s, loss 3.457"]


def test_a_new_dev_score_is_worth_a_line(clock):
    stream = io.StringIO()
    with progress(100, "run", stream=stream) as show:
        show(1, loss=2.0)
        show(2, dev=12.345)
        show(3, dev=12.345)
        show(4)
    assert [line.split(", ")[0] for line in stream.getvalue().splitlines()] == [
        "run: step 2 of 100", "run: step 4 of 100"]
    assert "loss 2.000, dev 12.3" in stream.getvalue()


def test_what_takes_time_besides_steps_is_named_at_once(clock):
    stream = io.StringIO()
    with progress(2, "run", stream=stream) as show:
        show(2, loss=1.0)
        show(2, doing="scoring test")
        show(2, doing="scoring test")
        clock.now += 75.0
    assert stream.getvalue().splitlines() == [
        "run: step 2 of 2, scoring test, loss 1.000", "run: step 2 of 2, took 1:15, loss 1.000"]


def test_a_resumed_run_is_not_taken_for_a_fast_one(clock):
    stream = io.StringIO()
    with progress(4000, "run", stream=stream) as show:
        clock.now += 30.0  # compiling
        show(1000)
        clock.now += 100.0
        show(1100)
    assert stream.getvalue().splitlines()[-1] == "run: step 1,100 of 4,000, 48:20 left"


def test_steps_that_compile_do_not_stretch_the_time_left(clock):
    stream = io.StringIO()
    with progress(1000, "run", stream=stream) as show:
        for step in range(1, 101):
            show(step)
            clock.now += 10.0 if step < 6 else 0.5
    # Five steps of ten seconds, capped at ten medians, among 95 of half a second.
    assert stream.getvalue().splitlines()[-1] == "run: step 100 of 1,000, 10:54 left"


def test_minutes_rule_where_they_are_given(clock):
    stream = io.StringIO()
    with progress(None, "run", max_minutes=90, stream=stream) as show:
        clock.now += 15 * 60
        show(123)
    assert stream.getvalue() == "run: step 123, 1:15:00 left\n"


def test_nothing_shown_is_nothing_written():
    stream = io.StringIO()
    with progress(10, "run", stream=stream):
        pass
    assert stream.getvalue() == ""


@pytest.mark.parametrize("width, bar", [(30, 0), (54, 0), (57, 7), (90, module.BAR)])
def test_the_bar_takes_the_room_there_is(clock, width, bar):
    meter = module._Meter(10, "run", None)
    meter.update(1, loss=1.0)
    meter.update(5, dev=3.0)
    line = meter.live(width)
    assert line.plain.count("━") == bar
    assert bar == 0 or len(line.plain) <= width
    assert line.plain.startswith("run  step 5 of 10  0:00 left  loss 1.000  dev 3")


SHOW = """
import sys
from attention_lab.training.progress import progress
with progress(1000, "run") as show:
    show(500, loss=1.25)
    print("a line of something else", file=sys.stderr)
    show(1000, tokens_per_second=7.0)
"""


def test_one_live_line_on_a_terminal():
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    child = subprocess.Popen([sys.executable, "-c", SHOW], env=environment, stdin=follower,
                             stdout=follower, stderr=follower, cwd=Path(__file__).parents[2])
    os.close(follower)
    written = b""
    while True:
        try:
            block = os.read(leader, 4096)
        except OSError:  # how Linux tells that the other end is closed
            block = b""
        if not block:
            break
        written += block
    os.close(leader)
    assert child.wait() == 0
    text = written.decode()
    assert "\r" in text.replace("\r\n", "")
    assert "a line of something else" in text
    assert "step 1,000 of 1,000  took 0:0" in text
    # Only the other line and the last state stay; all else is drawn over.
    assert text.count("\n") == 2
