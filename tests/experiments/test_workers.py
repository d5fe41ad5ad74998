"""A sweep by workers, and a search: a cluster's launcher, the best cell, flags that don't go together."""

import os

import pytest

from attention_lab.storage.files import read_json
from attention_lab.storage.runs import load_run
from attention_lab.sweeps import launch
from attention_lab.sweeps.queue import Queue
from attention_lab.sweeps.search import PRUNERS
from experiments import flags, sweep

SEARCH = ["--search=tpe", "--trials=2", "--sweep=config.model.key_size=8,16"]
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


@pytest.fixture
def at_once(monkeypatch):
    """Workers run in this process: what they import is compiled already."""
    def start(workers, storage, folder):
        def started(number):
            words = workers.command(storage, folder)[3:]
            sweep.main(flags.parse(sweep.PROGRAM, words))
            return type("Done", (), {"status": lambda self: 0})()
        return started

    monkeypatch.setattr(launch, "starter", start)
    monkeypatch.setattr(launch, "POLL", 0.01)


def test_a_search_ends_with_its_best_on_fresh_seeds(call, tmp_path, at_once, monkeypatch):
    class Second:
        def prune(self, study, frozen):
            return frozen.number == 1

    monkeypatch.setitem(PRUNERS, "halving", Second)
    words = [RECALL, "--sweep=config.optimizer.learning_rate=log(1e-3,1e-1)", "--search=tpe", "--trials=4",
             "--seeds=0:2", "--maximize=dev_accuracy", "--prune=halving", f"--workdir={tmp_path}/sweep"]
    status, out, err = call(sweep, *words)
    assert status == 0, err
    rows = [line.split("\t") for line in out.splitlines()]
    trials, head, finalists = rows[:4], rows[4], rows[5:-1]
    assert "test_accuracy" not in out
    assert [row[2] for row in trials] == ["finished", "pruned", "finished", "finished"]
    assert trials[1][3:5] == ["0 of 2 seeds", "3 steps"]
    means = {row[1]: float(row[5].partition("=")[2]) for row in trials if row[2] == "finished"}
    assert {row[3] for row in trials if row[2] == "finished"} == {"2 of 2 seeds"}
    assert head[:3] == ["config", "tuning_dev_accuracy", "fresh_dev_accuracy"]
    assert [(row[0], float(row[1])) for row in finalists] == sorted(
        means.items(), key=lambda pair: -pair[1])[:3]
    for config, _, mean, low, high, seeds, folder in finalists:
        runs = [load_run(path.parent) for path in tmp_path.glob("sweep/*/result.json")]
        rate = float(config.partition("=")[2])
        fresh = [run.result["dev_accuracy"] for run in runs
                 if run.config.optimizer.learning_rate == rate and run.config.seed in (2, 3)]
        assert (seeds, len(fresh)) == ("2", 2) and float(mean) == pytest.approx(sum(fresh) / 2)
        assert float(low) <= float(mean) <= float(high) and load_run(folder).config.seed == 2
        assert {run.config.data.split for run in runs} == {"dev"}
    best = max(finalists, key=lambda row: float(row[2]))
    assert rows[-1][0].startswith(f"best on fresh seeds: {best[0]}, mean dev_accuracy {best[2]} over 2 seeds")
    stamps = [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("sweep/*/result.json"))]
    assert call(sweep, *words)[:2] == (0, out)
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("sweep/*/result.json"))] == stamps


def test_a_dry_run_of_a_search_counts_its_runs(call, tmp_path):
    status, out, _ = call(sweep, RECALL, "--sweep=config.optimizer.learning_rate=log(1e-3,1e-1)",
                          "--search=tpe", "--trials=4", "--seeds=0:2", "--fresh_seeds=7:10", "--dry_run",
                          "--minimize=dev_accuracy", f"--workdir={tmp_path}/sweep")
    assert status == 0 and {"trials\t4", "seeds\t2", "fresh_seeds\t3", "runs_at_most\t17"} < {
        *out.splitlines()} and not list(tmp_path.iterdir())


@pytest.mark.parametrize("words, said", [
    (["--workers=0", "--seeds=0:2"], "--workers=0 is not an integer of at least 1"),
    (["--lease=0", "--seeds=0:2"], "--lease=0 is not a number above 0"),
    (["--join"], "--join needs --storage"),
    (["--join", "--storage=none.journal"], "does not exist, so there is no sweep to join"),
    (["--seeds=0:2", "--storage=postgresql://nobody@127.0.0.1:1/x"], "can't be reached"),
    (["--seeds=0:2", "--how=pmap"],
     "--how=pmap is not one of auto, measure, loop, map, vmap; did you mean map?"),
    (["--seeds=0:2", "--how=map", "--workers=2"], "--how=map and --workers don't go together"),
    (["--seeds=0:2", "--launcher=lsf"], "--launcher=lsf is not one of process, slurm, local"),
    (["--seeds=0:2", "--maximize=dev_bleu"], "without --search"),
    (["--search=tpe", "--seeds=0:2"], "--search needs --trials=N"),
    (["--search=grid", "--trials=2", "--maximize=dev_accuracy", "--sweep=config.seed=range(0,4)"],
     "allowed are tpe, random"),
    (["--search=tpe", "--trials=2", "--maximize=test_accuracy", "--sweep=config.seed=range(0,4)"],
     "a dev_ score"),
    (["--search=tpe", "--trials=2", "--minimize=test_accuracy", "--sweep=config.seed=range(0,4)"],
     "a dev_ score"),
    ([*SEARCH, "--maximize=dev_bleu"], "--maximize=dev_bleu: runs with data.source=recall"),
    ([*SEARCH, "--maximize=dev_accuracy", "--prune=medan"], "--prune=medan: allowed are none, median, "),
    ([*SEARCH, "--maximize=dev_accuracy", "--seeds=0:3", "--fresh_seeds=1,5"],
     "--fresh_seeds=1,5: 1 is among the tuning seeds, by which configs are chosen: give others, such as 3:6"),
    ([*SEARCH, "--maximize=dev_accuracy", "--sweep=config.seed=0,1", "--seeds=0:3"], "seed is swept twice"),
    ([*SEARCH, "--maximize=dev_accuracy", "--sweep=config.seed=0,1", "--fresh_seeds=7"], "don't go together"),
    (["--seeds=0:2", "--prune=median"], "--prune is given without --search"),
    (["--seeds=0:2", "--fresh_seeds=3"], "--fresh_seeds is given without --search"),
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
