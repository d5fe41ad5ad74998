"""The command that compares arms: its lines, its files, declarations and further seeds."""

import json

import pytest

from attention_lab.config import replace
from attention_lab.config.load import load
from attention_lab.figures import contrasts
from attention_lab.storage import runs
from experiments import compare, power, sweep

SMOKE = "--config=configs/recall.py:smoke"
ARMS = ("--arms=config.attention.scale", "--metric=test_accuracy")


@pytest.fixture
def planted(tmp_path):
    """A folder with two seeds of two arms, which were never trained."""
    config = load("configs/recall.py:smoke")
    for scale, score in ((1.0, 0.25), ("inverse_sqrt", 0.5)):
        for seed in (0, 1):
            run = runs.open_run(tmp_path / "runs" / f"{scale}-{seed}", replace(
                config, {"attention.scale": scale, "seed": seed, "training.steps": 2}), "train")
            run.finish({"status": "finished", "test_accuracy": score + seed * score / 10})
            run.close()
    return tmp_path / "runs"


def test_a_comparison_is_declared_run_judged_and_drawn(call, tmp_path):
    folder = tmp_path / "runs"
    declare = f"--declare={tmp_path}/claim.json"
    status, out, err = call(compare, str(folder), *ARMS, declare, "--seeds=0:2")
    assert status == 0 and "differs from that of the default" in out and "seeds 0, 1; hash" in out, err
    status, _, err = call(sweep, SMOKE, "--sweep=config.attention.scale=inverse_sqrt,1.0", "--seeds=0:2",
                          f"--workdir={folder}", "--config.training.steps=2")
    assert status == 0, err
    figure, numbers = tmp_path / "figure.png", tmp_path / "numbers.json"
    status, out, err = call(compare, str(folder), *ARMS, declare, f"--figure={figure}", f"--json={numbers}")
    lines = out.splitlines()
    assert status == 1, err  # two seeds decide nothing
    assert lines[0] == "arm\tseeds\tmean_test_accuracy\tlow\thigh"
    assert lines[1].startswith("attention.scale=1\t2\t")
    assert "against that of attention.scale=1" in lines[3] and "(declared, hash " in lines[3]
    assert figure.read_bytes()[:4] == b"\x89PNG"
    kept = json.loads(numbers.read_text(encoding="utf-8"))
    assert kept["contrasts"][0]["seeds"] == [0, 1] and kept["declared"]["hash"] in lines[3]
    for argv, words in [
            ((f"--figure={figure}",), "exists: give a new file"),
            ((declare, "--direction=less"), "--direction: "), (("--seeds=0:2",), "--seeds goes with"),
            ((declare, "--add_seeds"), "don't go together"), (("--where=seed",), "is the spelling")]:
        status, _, err = call(compare, str(folder), *ARMS, *argv)
        assert status == 2 and words in err, argv
    status, _, err = call(compare, *ARMS)
    assert status == 2 and "name a folder of runs" in err


def test_further_seeds_are_trained(call, planted, monkeypatch):
    monkeypatch.setattr("attention_lab.sweeps.comparison.seeds_needed", lambda *a, **k: 3)
    status, out, err = call(compare, str(planted), *ARMS, "--add_seeds")
    assert "training seeds 2 to 2 of 2 arms" in err and len(list(planted.iterdir())) == 4 + 2
    assert "\t3\t" in out and "3 paired seeds" in out and "(exploratory)" in out


def test_a_figure_has_a_line_for_each_seed_and_an_interval_for_each_arm():
    scores = {"x=1": {0: 1.0, 1: 2.0}, "x=2": {0: 2.0, 1: 4.0}, "x=3": {1: 1.0}}
    made = contrasts.contrasts("test_bleu", scores, "x=1", [
        {"arm": "x=2", "differences": [1.0, 2.0], "mean": 1.5, "interval": (1.0, 2.0)},
        {"arm": "x=3", "differences": [-1.0], "mean": -1.0, "interval": (-float("inf"), float("inf"))}], 0.5)
    left, right = made.axes
    assert left.get_xlabel() == "x"
    assert [label.get_text() for label in left.get_xticklabels()] == ["1", "2", "3"]
    assert len(left.lines) == 2 + 3 and right.get_ylabel() == "difference from 1"
    assert [1.0, 2.0] in [list(line.get_ydata()) for line in right.lines] and len(right.patches) == 1


def test_power_says_how_many_seeds_an_effect_needs(call, planted):
    status, out, err = call(power, str(planted), *ARMS, "--effect=0.5")
    head, line = (row.split("\t") for row in out.splitlines())
    row = dict(zip(head, line))
    assert status == 0 and row["seeds"] == "2" and float(row["deviation_of_differences"]) > 0, err
    assert int(row["seeds_needed"]) >= 6 and 0 <= float(row["power_now"]) <= 1
    assert float(row["effect_that_these_seeds_show"]) > 0
    for argv, words in [((), "--effect"), (("--effect=0",), "--effect=0 is not")]:
        status, _, err = call(power, str(planted), *ARMS, *argv)
        assert status == 2 and words in err
