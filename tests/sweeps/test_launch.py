"""Workers as processes: the cores they share, and what happens when they die."""

import os

from attention_lab.config import Config, digest
from attention_lab.sweeps import launch
from attention_lab.sweeps.plan import plan
from attention_lab.sweeps.queue import Queue
from attention_lab.sweeps.space import axis


def test_cores_are_shared_out(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 5}, raising=False)
    assert launch.shares(1) == [None]
    assert launch.shares(2) == [[0, 1], [2, 5]]
    assert launch.shares(3) == [[0], [1], [2]]
    assert launch.shares(5) == [[0], [1], [2], [5], [0]]


def test_where_nothing_waits_no_worker_is_started(tmp_path):
    queue = Queue(str(tmp_path / "j"), "s", digest(Config()))
    launch.watch(queue, None, 2, lambda step: None, None)


def test_workers_that_die_are_replaced_until_enough_is_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "POLL", 0.001)
    queue = Queue(str(tmp_path / "j"), "s", digest(Config()))
    queue.fill(plan(Config(), axis("seed", [0, 1])))
    begun, said = [], []

    class Dead:
        log = "the log"

        def status(self):
            return -9

        def stop(self):
            raise AssertionError("it is dead already")

    def start(number):
        begun.append(number)
        return Dead()

    launch.watch(queue, start, 2, lambda step: None, said.append)
    assert sorted(begun) == [0] * 4 + [1] * 4
    assert len(said) == 8 and "worker 0 ended with status -9; its output is in the log" in said
