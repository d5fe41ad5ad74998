"""`sweep --seeds=8..16 --decide=METRIC` stops where arms are decided; scores are planted."""

import itertools

import numpy as np
import pytest

from attention_lab.storage import runs
from attention_lab.sweeps.cell import Outcome
from experiments import compare, looks_run, sweep, sweep_run

RECALL = "--config=configs/recall.py:smoke"
ARMS = "--sweep=config.attention.scale=inverse_sqrt,1.0"


@pytest.fixture
def planted(monkeypatch):
    """planted(effect): a run of attention.scale=inverse_sqrt scores so much more; .trained: runs in order."""
    def begin(effect, failing=()):
        rng = np.random.default_rng(3)
        noise = rng.normal(size=(2, 64))

        def execute(groups, folder, shared, command, line, say, how):
            outcomes = []
            for cell in (cell for group in groups for cell in group.cells):
                scaled, path = cell.config.attention.scale == "inverse_sqrt", cell.folder(folder)
                if (scaled, cell.config.seed) in failing:
                    outcomes.append(Outcome(cell, path, None, "no disk"))
                    continue
                run = runs.open_run(path, cell.config, command)
                if not run.finished:
                    begin.trained.append(cell.config.seed)
                    run.finish({"status": "finished", "test_accuracy": effect * scaled + noise[
                        int(scaled), cell.config.seed]})
                run.close()
                outcomes.append(Outcome(cell, path, run.result))
            return outcomes
        monkeypatch.setattr(sweep_run, "execute", execute)
        begin.trained = []
    return begin


def test_a_planted_effect_stops_at_8_and_compare_keeps_to_the_looks(call, planted, tmp_path):
    planted(5.0)
    words = [RECALL, ARMS, "--seeds=8..16", "--decide=test_accuracy", f"--workdir={tmp_path}"]
    status, out, err = call(sweep, *words)
    lines = out.splitlines()
    assert status == 0 and sorted(planted.trained) == sorted([*range(8)] * 2), err
    assert "looks at 8, 12, 16 seeds, planned in" in err and "look at 8 seeds: decided" in err
    assert [line.split("\t")[1] for line in lines[:2]] == ["8 seeds"] * 2
    assert " is higher than that of attention.scale=1: " in lines[2] and "p = 0.016; 8 paired" in lines[2]
    assert lines[2].endswith("look 1 of 3, at 8, 12 and 16 seeds (looks planned before the runs)")
    assert call(sweep, *words)[1] == out and len(planted.trained) == 16
    flags = (str(tmp_path), "--arms=config.attention.scale", "--metric=test_accuracy")
    status, compared, _ = call(compare, *flags)
    assert status == 0 and compared.splitlines()[-1] == lines[2]
    status, _, err = call(compare, *flags, "--add_seeds")
    assert status == 2 and "--add_seeds: these runs have looks planned, at 8, 12, 16 seeds" in err


def test_a_null_goes_on_to_the_last_look(call, planted, tmp_path):
    planted(0.0)
    status, out, err = call(sweep, RECALL, ARMS, "--seeds=8..16", "--decide=test_accuracy",
                            f"--workdir={tmp_path}")
    assert status == 0 and sorted(planted.trained) == sorted([*range(16)] * 2)
    # No seed before its look.
    assert [len(list(part)) for _, part in itertools.groupby(
        planted.trained, lambda seed: (seed >= 8) + (seed >= 12))] == [16, 8, 8]
    assert "look at 12 seeds: undecided: attention.scale=inverse_sqrt" in err
    assert "undecided; all looks are taken (looks planned before the runs)" in out.splitlines()[-1]


def test_a_cell_that_fails_is_told_before_the_look(call, planted, tmp_path):
    planted(5.0, failing={(True, 3)})
    words = [RECALL, ARMS, "--seeds=8..16", "--decide=test_accuracy", f"--workdir={tmp_path}"]
    status, out, err = call(sweep, *words)
    assert status == 1 and "1 of 16 cells failed; to run them again" in err and "look at 8" not in err
    planted(5.0)
    status, _, err = call(sweep, *words)
    assert status == 0 and planted.trained == [3] and "look at 8 seeds: decided" in err


def test_a_dry_run_lists_all_seeds(call, tmp_path):
    status, out, _ = call(sweep, RECALL, ARMS, "--seeds=8..16", "--decide=test_accuracy", "--dry_run",
                          f"--workdir={tmp_path}")
    assert status == 0 and "cells\t32" in out.splitlines() and not list(tmp_path.iterdir())


@pytest.mark.parametrize("words, said", [
    ([ARMS, "--seeds=8..16"], "--seeds=8..16 and --decide=METRIC go together"),
    ([ARMS, "--seeds=0:8", "--decide=test_accuracy"], "--seeds=8..16 and --decide=METRIC go together"),
    ([ARMS, "--seeds=0:8", "--reference=1"], "--reference is given without --decide"),
    ([ARMS, "--seeds=0:8", "--margin=1"], "--margin is given without --decide"),
    (["--seeds=8..16", "--decide=test_accuracy"], "--decide compares arms: add --sweep"),
    ([ARMS, "--seeds=8...16", "--decide=test_accuracy"], "--seeds=8...16: 8..16"),
    ([ARMS, "--seeds=8..16", "--decide=test_bleu"], "--decide=test_bleu: runs with data.source=recall"),
    ([ARMS, "--seeds=8..16", "--decide=test_accuracy", "--config.data.split=dev"],
     "data.split=dev have dev_accuracy"),
    ([ARMS, "--seeds=8..16", "--decide=test_accuracy", "--reference=3"],
     "--reference=3 is no arm: there are inverse_sqrt, 1"),
    ([ARMS, "--seeds=8..16", "--decide=test_accuracy", "--search=tpe"], "--search and --decide don't go"),
    ([ARMS, "--seeds=8..16", "--search=tpe", "--trials=2", "--maximize=dev_accuracy"], "go together"),
])
def test_bad_flags_are_one_line(call, tmp_path, words, said):
    status, out, err = call(sweep, RECALL, *words, f"--workdir={tmp_path}/x")
    assert (status, out) == (2, "") and said in err.splitlines()[-1] and not list(tmp_path.iterdir())


def test_the_cells_of_a_look():
    config = looks_run.plan(sweep.flags.parse(sweep.PROGRAM, [RECALL]).config, [
        {"attention.scale": scale, "seed": seed} for scale in (1.0, 2.0) for seed in range(6)])
    part, = looks_run.between(config, 2, 4)
    assert [(cell.config.attention.scale, cell.config.seed) for cell in part.cells] == [
        (1.0, 2), (1.0, 3), (2.0, 2), (2.0, 3)]
