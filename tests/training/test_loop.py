"""The loop: durations, looks at dev, stopping, going on after a stop, and damage on the way."""

import json
import logging

import numpy as np
import pytest

from attention_lab.training import checkpoint, loop
from attention_lab.training.host import NEW_PROGRESS, record_dev_score


def lines(folder):
    return [json.loads(text) for text in (folder / "metrics.jsonl").read_text().splitlines()]


def test_it_trains_logs_looks_and_saves(line, config, tmp_path):
    params, result = loop.train(line().task(), config(**{"training.steps": 60}), tmp_path)
    assert result["status"] == "finished" and result["steps"] == 60 and result["parameters"] == 2
    assert abs(float(params["slope"]) - 2) < 0.3
    assert [row["step"] for row in lines(tmp_path) if "dev_fit" in row] == list(range(3, 61, 3))
    logged = [row for row in lines(tmp_path) if "loss" in row]
    assert [row["step"] for row in logged] == list(range(2, 61, 2))
    assert logged[-1]["loss"] < logged[0]["loss"] / 10
    assert result["best_step"] in checkpoint.steps(tmp_path / "checkpoints")
    assert result["tokens_per_second"] > 0


def test_epochs_and_minutes_are_durations_too(line, config, tmp_path):
    task = line().task()
    epochs = config(**{"training.steps": None, "training.epochs": 2.5})
    assert loop.train(task, epochs, tmp_path / "a")[1]["steps"] == 10
    minutes = config(**{"training.steps": None, "training.max_minutes": 1e-6})
    assert loop.train(task, minutes, tmp_path / "b")[1]["steps"] == 1


def test_patience_stops_after_looks_without_a_better_score(line, config, tmp_path):
    task = line(scores=[1.0, 3.0, 2.0, 3.0, 2.5, 9.0])
    _, result = loop.train(task.task(), config(**{"training.steps": 99, "training.patience": 3}), tmp_path)
    assert (result["status"], result["steps"], result["best_step"]) == ("finished", 15, 6)


def test_a_tie_is_broken_by_the_dev_loss(line, config, tmp_path):
    changes = {"training.steps": 15, "training.patience": 2, "optimizer.learning_rate": 0.02}
    dev = {"x": np.linspace(-1, 2, 8, dtype=np.float32), "example": np.arange(8)}
    constant = line(scores=[0.0] * 5).task()._replace(dev_batches=lambda: [dev])
    _, result = loop.train(constant, config(**changes), tmp_path / "constant")
    losses = {row["step"]: row["dev_loss"] for row in lines(tmp_path / "constant") if "dev_loss" in row}
    assert len(losses) == 5 and result["best_step"] == min(losses, key=losses.get) > 3
    scored = line(scores=[0.0, 1.0, 0.0, 0.0, 1.0]).task()
    _, result = loop.train(scored, config(**changes), tmp_path / "score")
    assert (result["steps"], result["best_step"]) == (12, 6)


def test_a_score_that_is_no_number_is_no_best(line, config, tmp_path):
    nan = float("nan")
    _, result = loop.train(line(scores=[nan, 0.5, nan, 0.25]).task(), config(), tmp_path)
    assert result["best_step"] == 6


@pytest.mark.parametrize("losses, best", [
    ([3.0, 2.0, 2.5], 2), ([float("nan"), 2.0, 2.0], 2), ([2.0, 2.0, 2.0], 1)])
def test_equal_scores_are_ranked_by_loss(losses, best):
    progress = dict(NEW_PROGRESS)
    for step, loss in enumerate(losses, 1):
        record_dev_score(progress, {"dev_fit": 7.0, "dev_loss": loss}, ("dev_fit", -1.0), step, 9)
    assert progress["best_step"] == best and progress["stale"] == 3 - best


def test_a_run_that_patience_ends_between_two_lines_logs_its_last_steps(line, config, tmp_path):
    changes = {"training.steps": 99, "training.patience": 1, "training.log_every": 4}
    _, result = loop.train(line(scores=[1.0, 0.5]).task(), config(**changes), tmp_path)
    lines = [json.loads(text) for text in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert result["steps"] == 6
    assert [one["step"] for one in lines if "loss" in one] == [4, 6]


def test_the_best_weights_are_returned_not_the_last(line, config, tmp_path):
    best, _ = loop.train(line(scores=[1.0, 5.0, 2.0, 2.0]).task(), config(), tmp_path / "a")
    six, _ = loop.train(line().task(), config(**{"training.steps": 6}), tmp_path / "b")
    np.testing.assert_array_equal(best["slope"], six["slope"])


def test_a_diverged_run_is_a_result(line, config, tmp_path):
    said = []
    _, result = loop.train(line(bad_from=5).task(), config(), tmp_path, say=said.append)
    assert result["status"] == "diverged" and result["steps"] == 6


@pytest.mark.parametrize("stop", [1, 4, 5, 9, 11])
def test_a_stopped_run_goes_on_to_the_same_end(line, config, tmp_path, stop):
    changes = {"training.average_decay": 0.9, "training.dropout": 0.3}
    whole, result = loop.train(line().task(), config(**changes), tmp_path / "whole")

    class Stopped(line):
        def batches(self, seed, first):
            for step, batch in enumerate(super().batches(seed, first), first):
                if step == stop:
                    raise KeyboardInterrupt
                yield batch

    with pytest.raises(KeyboardInterrupt):
        loop.train(Stopped().task(), config(**changes), tmp_path / "cut")
    params, again = loop.train(line().task(), config(**changes), tmp_path / "cut")
    assert params == whole
    assert (tmp_path / "cut/metrics.jsonl").read_bytes() == (tmp_path / "whole/metrics.jsonl").read_bytes()
    assert {**again, "train_seconds": 0, "tokens_per_second": 0} == {
        **result, "train_seconds": 0, "tokens_per_second": 0}


def test_a_damaged_checkpoint_falls_back_to_the_one_before(line, config, tmp_path, caplog):
    whole, _ = loop.train(line().task(), config(), tmp_path / "whole")
    folder = tmp_path / "cut"
    keep = {"training.keep_checkpoints": 9}
    loop.train(line().task(), config(**keep), folder)
    newest = folder / "checkpoints" / "12"
    victim = next(path for path in sorted(newest.rglob("*"))
                  if path.is_file() and path.name != "manifest.json")
    victim.write_bytes(victim.read_bytes()[:-1])
    said = []
    with caplog.at_level(logging.WARNING):
        params, _ = loop.train(line().task(), config(**keep), folder, say=said.append)
    assert said == [f"continuing from step {checkpoint.steps(folder / 'checkpoints')[-2]}"]
    assert len(caplog.records) == 1 and "12 is skipped" in caplog.text
    assert params == whole
    assert (folder / "metrics.jsonl").read_bytes() == (tmp_path / "whole/metrics.jsonl").read_bytes()


def test_the_first_checkpoint_is_read_back(line, config, tmp_path, monkeypatch):
    monkeypatch.setattr("orbax.checkpoint.Checkpointer.restore", lambda self, path: {})
    with pytest.raises(OSError, match="can't be read back"):
        loop.train(line().task(), config(), tmp_path)
    assert lines(tmp_path)[-1]["step"] == 3 and checkpoint.steps(tmp_path / "checkpoints") == []


def test_rows_have_to_divide(line, config, tmp_path):
    with pytest.raises(ValueError, match="training.accumulate=3 .* multiples of 8: allowed are 1, 2, 4, 8$"):
        loop.train(line().task(), config(**{"training.accumulate": 3}), tmp_path)


@pytest.mark.parametrize("rows, accumulate, devices, message", [
    ([16], 1, 3, "training.devices: 3 devices .* multiples of 16: allowed are 1, 2$"),
    ([48, 8, 24], 1, 6, "training.devices: 6 devices .* multiples of 8: allowed are 1, 2, 4$"),
    ([16], 8, 4, r"training.devices: 4 .* the 8 parts \(training.accumulate\) .*: allowed are 1, 2$"),
    ([16, 8], 16, 1, "^training.accumulate=16 .* multiples of 8: allowed are 1, 2, 4, 8$"),
    ([24], 5, 3, "^training.accumulate=5 .*: allowed are 1, 2, 3, 4, 6, 8, 12, 24$")])
def test_the_field_to_set_is_named(line, rows, accumulate, devices, message):
    task = line().task()._replace(rows=rows)
    with pytest.raises(ValueError, match=message):
        loop.check_rows(task, accumulate, devices)
    loop.check_rows(task, 1, 1)
