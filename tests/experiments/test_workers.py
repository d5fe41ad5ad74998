"""A sweep by workers, and a search: a cluster's launcher, the best cell, flags that don't go together."""

import os

import pytest

from attention_lab.storage.files import read_json
from attention_lab.sweeps import launch
from attention_lab.sweeps.queue import Queue
from experiments import flags, sweep

RECALL = "--config=configs/recall.py:smoke"


def test_a_launched_worker_runs_the_cells(call, tmp_path):
    """submitit's local executor does here what SLURM would do there."""
    words = [RECALL, "--seeds=0:2", "--per_seed", "--launcher=local", f"--workdir={tmp_path}/sweep"]
    status, out, err = call(sweep, *words)
    assert status == 0, err
    lines = out.splitlines()
    assert len(lines) == 2 and all("\tfinished\t" in line for line in lines)
    results = sorted(tmp_path.glob("sweep/*/result.json"))
    stamps = [path.stat().st_mtime_ns for path in results]
    assert len(results) == 2 and read_json(results[0])["status"] == "finished"
    status, again, _ = call(sweep, *words)
    assert (status, again) == (0, out)
    assert [path.stat().st_mtime_ns for path in results] == stamps


def test_a_search_prints_its_best(call, tmp_path, monkeypatch):
    # The worker runs in this process: what it imports is compiled already.
    def start(workers, storage, folder):
        def at_once(number):
            words = workers.command(storage, folder)[3:]
            sweep.main(flags.parse(sweep.PROGRAM, words))
            return type("Done", (), {"status": lambda self: 0})()
        return at_once

    monkeypatch.setattr(launch, "starter", start)
    monkeypatch.setattr(launch, "POLL", 0.01)
    status, out, err = call(
        sweep, RECALL, "--sweep=config.optimizer.learning_rate=log(1e-3,1e-1)", "--search=tpe", "--trials=3",
        "--maximize=dev_accuracy", f"--workdir={tmp_path}/sweep")
    assert status == 0, err
    *cells, best = out.splitlines()
    assert len(cells) == 3 and best.startswith("best\t") and "test_accuracy" not in out
    scores = [float(cell.rpartition("dev_accuracy=")[2].split("\t")[0]) for cell in cells]
    assert float(best.rpartition("=")[2]) == pytest.approx(max(scores))


@pytest.mark.parametrize("words, said", [
    (["--workers=0", "--seeds=0:2"], "--workers=0 is not an integer of at least 1"),
    (["--lease=0", "--seeds=0:2"], "--lease=0 is not a number above 0"),
    (["--join"], "--join needs --storage"),
    (["--join", "--storage=none.journal"], "does not exist, so there is no sweep to join"),
    (["--seeds=0:2", "--storage=postgresql://nobody@127.0.0.1:1/x"], "can't be reached"),
    (["--seeds=0:2", "--how=pmap"], "--how=pmap is not one of auto, measure, loop, map, vmap; did you mean map?"),
    (["--seeds=0:2", "--how=map", "--workers=2"], "--how=map and --workers don't go together"),
    (["--seeds=0:2", "--launcher=lsf"], "--launcher=lsf is not one of process, slurm, local"),
    (["--seeds=0:2", "--maximize=dev_bleu"], "without --search"),
    (["--search=tpe", "--seeds=0:2"], "--search needs --trials=N"),
    (["--search=grid", "--trials=2", "--maximize=dev_accuracy", "--sweep=config.seed=range(0,4)"],
     "allowed are tpe, random"),
    (["--search=tpe", "--trials=2", "--maximize=test_accuracy", "--sweep=config.seed=range(0,4)"],
     "a dev_ score"),
])
def test_bad_flags_are_one_line_and_write_nothing_of_a_run(call, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    status, out, err = call(sweep, f"--config={root}/configs/recall.py:smoke", *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert not list(tmp_path.rglob("config.json"))


def test_a_storage_of_another_sweep_is_refused(call, tmp_path):
    place = f"{tmp_path}/one.journal"
    Queue(place, "another", "base")
    status, _, err = call(sweep, RECALL, "--seeds=0:2", f"--storage={place}", f"--workdir={tmp_path}/x")
    assert status == 2 and "holds another sweep" in err
