"""Cells that fail, for whatever reason, beside cells that don't."""

import socket
import time

import jax
import pytest
from optuna.trial import TrialState

from attention_lab import config as configs
from attention_lab.config import digest
from attention_lab.storage import errors
from attention_lab.sweeps import cell as cells
from attention_lab.sweeps import execution, grouped, launch, worker
from attention_lab.sweeps.plan import plan
from attention_lab.sweeps.queue import MOST_DEATHS, Queue
from attention_lab.sweeps.space import axis
from configs import recall

BASE = configs.replace(recall.get_config("smoke"), {"training.devices": 1})
GROUPS = plan(BASE, axis("seed", [0, 1, 2]))
ERRORS = {
    "KeyError: 'bleu' (its traceback is in ": KeyError("bleu"),
    "ZeroDivisionError (its traceback is in ": ZeroDivisionError(),
    "out of memory: RESOURCE_EXHAUSTED: Out of memory allocating 64000000000 bytes.":
        jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory\nallocating 64000000000 bytes."),
    "JAX failed: INTERNAL: no code": jax.errors.JaxRuntimeError("INTERNAL: no code"),
    "out of memory: Unable to allocate 4 GiB": MemoryError("Unable to allocate 4 GiB"),
    "a: No space left on device": OSError(28, "No space left on device", "a"),
}


class Known:
    """Stands in for cells.Shared: nothing is built or compiled."""

    def warn(self, run, say):
        pass

    def of(self, config):
        return None, None


def raising(error):
    """A carry_out that trains nothing, and raises the error for seed 1."""
    def carry_out(run, *given, **known):
        if run.config.seed == 1:
            raise error
        finishing(run)
    return carry_out


def finishing(run, *given):
    """A carry_out that trains nothing and ends well."""
    run.finish({"status": "finished", "steps": 1})


@pytest.mark.parametrize("line", ERRORS)
def test_a_cell_fails_with_its_reason_and_its_neighbours_run(tmp_path, monkeypatch, line):
    monkeypatch.setattr(cells, "carry_out", raising(ERRORS[line]))
    outcomes = execution.execute(GROUPS, tmp_path, Known(), "python sweep")
    assert [outcome.result is not None for outcome in outcomes] == [True, False, True]
    log = outcomes[1].folder / errors.ERRORS
    if "traceback" in line:
        assert outcomes[1].error == f"{line}{log})"
        assert "in carry_out" in log.read_text() and "raise error" in log.read_text()
    else:
        assert outcomes[1].error == line and not log.exists()


def test_a_value_error_of_other_code_has_its_type_and_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "carry_out", lambda *given: int("x"))
    outcome = cells.run_cell(GROUPS[0].cells[0], tmp_path, Known(), "python sweep")
    assert outcome.error.startswith("ValueError: invalid literal for int() with base 10: 'x' (its traceback")


def test_a_user_stops_all_cells(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "carry_out", raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        execution.execute(GROUPS, tmp_path, Known(), "python sweep")
    assert not (GROUPS[0].cells[2].folder(tmp_path) / "result.json").exists()


def test_a_cell_that_failed_is_run_again_when_the_sweep_is(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(cells, "carry_out", raising(KeyError("bleu")))
        execution.execute(GROUPS, tmp_path, Known(), "python sweep")
    monkeypatch.setattr(cells, "carry_out", finishing)
    outcomes = execution.execute(GROUPS, tmp_path, Known(), "python sweep")
    assert all(outcome.result for outcome in outcomes)


@pytest.mark.parametrize("how", ["map", "vmap", "measure"])
@pytest.mark.parametrize("place", ["program", "training", "scores", "measure"])
def test_cells_of_one_program_fail_alone(tmp_path, monkeypatch, how, place):
    def conclude(run, *given):
        if place == "scores" and run.config.seed == 1:
            raise KeyError("bleu")
        run.finish({"status": "finished", "steps": 1})

    def stage(name, value):
        def called(*given, **known):
            if place == name:
                raise TypeError("no such argument")
            return value
        return called

    program = type("Program", (), {"mesh": type("Mesh", (), {"size": 1}), "how": how})()
    monkeypatch.setattr(cells, "carry_out", raising(KeyError("bleu")))
    monkeypatch.setattr(grouped, "begin", lambda *given: None)
    monkeypatch.setattr(grouped, "conclude", conclude)
    monkeypatch.setattr(grouped, "measure", stage("measure", {"vmap": 1.0}))
    monkeypatch.setattr(grouped.training, "together", stage("program", program))
    monkeypatch.setattr(grouped.loop, "total_steps", lambda *given: 1)
    monkeypatch.setattr(grouped.loop, "train_together", stage("training", [(None, {"steps": 1})] * 3))
    outcomes = execution.execute(GROUPS, tmp_path, Known(), "python sweep", how=how, say=lambda line: None)
    fails = place in ("program", "training", "scores") or (how, place) == ("measure", "measure")
    assert [outcome.result is not None for outcome in outcomes] == [True, not fails, True]
    assert not fails or outcomes[1].error.startswith("KeyError: 'bleu' (its traceback is in ")


def test_a_task_that_cannot_be_built_fails_its_cells_alone(tmp_path, monkeypatch):
    groups = plan(configs.replace(BASE, {"training.steps": None, "training.epochs": 1.0}),
                  axis("model.width", [16, 32]))
    task = type("Task", (), {"steps_per_epoch": 3.0})()

    def build(config):
        if config.model.width == 32:
            raise RuntimeError("a bug")
        return task

    assert execution.total_steps(groups, build) == 3
    monkeypatch.setattr(cells, "programs", lambda *given: None)
    monkeypatch.setattr(cells, "carry_out", finishing)
    outcomes = execution.execute(groups, tmp_path, cells.Shared(build), "python sweep")
    assert [outcome.result is not None for outcome in outcomes] == [True, False]
    assert "RuntimeError: a bug" in outcomes[1].error


@pytest.fixture
def queue(tmp_path):
    """A Queue with the three cells."""
    made = Queue(str(tmp_path / "j"), "s", digest(BASE))
    made.fill(GROUPS)
    return made


def test_a_worker_goes_on_after_a_cell_that_failed(queue, tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "carry_out", raising(KeyError("bleu")))
    worker.work(queue, BASE, tmp_path, Known(), "command", lambda line: None)
    states = {trial.user_attrs["overrides"]["seed"]: trial for trial in queue.trials()}
    assert [states[seed].state.name for seed in "012"] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert states["1"].user_attrs["error"].startswith("KeyError: 'bleu' (its traceback is in ")
    assert len(states) == len(queue.trials())  # nothing was tried twice


def test_a_stopped_worker_leaves_its_cell_waiting_and_no_death(queue, tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "carry_out", raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        worker.work(queue, BASE, tmp_path, Known(), "command", lambda line: None)
    waiting = queue.trials(TrialState.WAITING)
    assert sorted(trial.user_attrs["overrides"]["seed"] for trial in waiting) == ["1", "2"]
    assert all(not trial.user_attrs.get("deaths") for trial in waiting) and queue.reclaim() == []


def test_cells_that_kill_their_process_do_not_use_up_the_workers(queue, monkeypatch):
    monkeypatch.setattr(launch, "POLL", 0.001)
    gone = 2 ** 22 + 1  # the number of no process

    class Worker:
        """Works until it takes a cell that kills it."""

        log = "the log"

        def status(self):
            while item := queue.claim():
                if item.overrides["seed"] < 2:
                    queue.note(item.trial, "worker", f"{socket.gethostname()} {gone}")
                    return -9
                queue.end(item.trial, TrialState.COMPLETE, [1.0], result={"steps": 1})
            return 0

    launch.watch(queue, lambda number: Worker(), 1, lambda step: None, lambda line: None)
    ended = {trial.user_attrs["overrides"]["seed"]: trial for trial in queue.trials()}
    assert ended["2"].state == TrialState.COMPLETE
    assert {ended[seed].user_attrs["error"] for seed in "01"} == {f"its process died {MOST_DEATHS} times"}


@pytest.mark.parametrize("content", ["{}", "[]", "3", '{"data": 3}', '{"data', "\0\1"])
def test_a_damaged_config_is_no_reason_to_run_nothing(queue, tmp_path, content):
    while item := queue.claim():
        queue.end(item.trial, TrialState.COMPLETE, [1.0])
    folder = GROUPS[0].cells[0].folder(tmp_path)
    folder.mkdir()
    (folder / "result.json").write_text("{}")
    (folder / "config.json").write_text(content)
    queue.fill(GROUPS, tmp_path)
    assert len(queue.trials(TrialState.WAITING)) == 3


def test_a_beat_that_does_not_arrive_is_followed_by_others(queue, monkeypatch):
    item, tries = queue.claim(), []
    queue.lease = 0.006

    def beat(trial, step):
        tries.append(step)
        if len(tries) < 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(queue, "beat", beat)
    with worker._heartbeat(queue, item):
        for _ in range(10_000):
            if len(tries) >= 3:
                break
            time.sleep(0.001)
    assert len(tries) >= 3
