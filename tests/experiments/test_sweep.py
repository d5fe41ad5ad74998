"""The sweep's command line: plans, runs, goes on, and refuses in one line."""

import pathlib
import re

import pytest

from experiments import sweep

ROOT = pathlib.Path(__file__).parents[2]

SMOKE = "--config=:smoke"
SCALES = "--sweep=config.attention.scale=inverse_sqrt,1.0"


def test_it_runs_the_cells_and_does_nothing_the_second_time(call, tmp_path):
    argv = [SMOKE, SCALES, "--seeds=0:2", "--per_seed", f"--workdir={tmp_path}"]
    status, out, err = call(sweep, *argv)
    rows = [line.split("\t") for line in out.splitlines()]
    assert status == 0 and [row[2] for row in rows] == ["finished"] * 4
    assert rows[1][1] == "--config.attention.scale=inverse_sqrt --config.seed=1"
    assert not (tmp_path / "result.json").exists() and len(list(tmp_path.iterdir())) == 4
    assert call(sweep, *argv)[1] == out
    status, table, _ = call(sweep, *(word for word in argv if word != "--per_seed"))
    arms = [line.split("\t") for line in table.splitlines()]
    assert status == 0 and [arm[:2] for arm in arms] == [
        [f"--config.attention.scale={scale}", "2 seeds"] for scale in ("inverse_sqrt", "1")]
    scores = [dict(part.split("=") for part in row[3:]) for row in rows]
    values = [float(score["test_bleu"]) for score in scores[:2]]
    shown = next(part for part in arms[0] if part.startswith("test_bleu="))
    mean, low, high = map(float, re.fullmatch(r"test_bleu=(\S+) \((\S+) to (\S+)\)", shown).groups())
    assert mean == pytest.approx(sum(values) / 2, rel=1e-4, abs=1e-6) and low <= mean <= high


def test_a_dry_run_prints_cells_and_programs(call, tmp_path):
    status, out, _ = call(sweep, SMOKE, SCALES, "--sweep=config.model.key_size=4,8", "--seeds=0,1,2",
                          f"--workdir={tmp_path}", "--dry_run")
    lines = out.splitlines()
    assert status == 0 and "cells\t12" in lines and "programs\t2" in lines
    assert not list(tmp_path.iterdir())


def test_failed_cells_are_listed(call, tmp_path):
    argv = [SMOKE, "--seeds=0:2", "--per_seed", f"--workdir={tmp_path}"]
    _, out, _ = call(sweep, *argv, "--dry_run")
    folder = out.splitlines()[1].split("\t")[0]
    (tmp_path / folder.rpartition("/")[2]).write_text("")
    status, out, err = call(sweep, *argv)
    assert status == 1 and "\tfailed" in out and "\tfinished" in out
    assert "--config.seed=0 failed" in err
    assert "1 of 2 cells failed; to run them again: python -m experiments.sweep" in err
    table = call(sweep, *(word for word in argv if word != "--per_seed"))[1]
    assert "(no override)\t1 seed\t1 failed" in table


@pytest.mark.parametrize("argv, words", [
    ([], "nothing is swept"),
    (["--sweep=config.model.widht=8,16"], "model.widht is not a field"),
    (["--sweep=config.model.width=8,wide"], "model.width=wide is not an integer"),
    (["--sweep=config.seed=0,1", "--seeds=0:2"], "seed is swept twice"),
    (["--sweep=config.seed=range(3,3)"], "the sweep has no value"),
    (["--seeds=0:2000"], "2000 cells; allowed are --max_cells=1000"),
    (["--sweep=config.model.num_heads=2,3"], "--config.model.num_heads=3: model.num_heads=3 does not divide"),
    (["--sweeep=config.seed=0,1"], "--sweep"),
])
def test_what_is_refused(call, argv, words):
    status, out, err = call(sweep, SMOKE, *argv)
    assert status == 2 and out == "" and words in err.splitlines()[-1] and "Traceback" not in err


def test_a_sweep_may_stand_beside_its_config(call, tmp_path):
    status, out, _ = call(sweep, f"--config={ROOT}/configs/recall.py:smoke", "--dry_run",
                          f"--workdir={tmp_path}")
    assert status == 0 and "cells\t48" in out.splitlines() and "programs\t3" in out.splitlines()


def test_a_cell_that_another_process_runs_is_status_2_and_a_cut_result_is_said_before_anything_runs(
        call, tmp_path):
    from attention_lab.config import replace
    from attention_lab.config.load import load
    from attention_lab.storage import runs
    argv = [f"--config={ROOT}/configs/recall.py:smoke", "--seeds=0:2", "--per_seed", f"--workdir={tmp_path}"]
    _, out, _ = call(sweep, *argv, "--dry_run")
    first, second = (pathlib.Path(line.split("\t")[0]) for line in out.splitlines()[1:3])
    held = runs.open_run(first, replace(load("configs/recall.py:smoke"), {"seed": 0}), "another")
    status, out, err = call(sweep, *argv)
    assert status == 2 and "in use by another process" in err and "\tfinished" in out
    held.close()
    (second / "result.json").write_text('{"status": "fini')
    status, out, err = call(sweep, *argv)
    assert status == 2 and out == "" and "result.json is damaged" in err and f"move {second} away" in err
    assert not (first / "metrics.jsonl").exists()
