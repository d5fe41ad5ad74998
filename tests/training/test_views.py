"""Parameters that are kept on the way for pictures, and the history of a run."""

import jax
import numpy as np
import pytest

from attention_lab.config import digest, rules
from attention_lab.training import checkpoint, loop, views, weights


def kept(folder):
    """{step: slope} of the parameters that were kept."""
    shapes = {"slope": jax.ShapeDtypeStruct((), "float32"), "offset": jax.ShapeDtypeStruct((), "float32")}
    return {step: float(checkpoint.restore(views.folder(folder), shapes, step)[1]["slope"])
            for step in checkpoint.steps(views.folder(folder))}


def test_halves_of_the_duration(line, config, tmp_path):
    loop.train(line().task(), config(**{"training.keep_views": 3}), tmp_path / "kept")
    whole = kept(tmp_path / "kept")
    assert sorted(whole) == [1, 3, 6]
    for step, slope in whole.items():  # those of a run that ends there
        params, _ = loop.train(line().task(), config(**{"training.steps": step}), tmp_path / str(step))
        assert slope == pytest.approx(float(params["slope"]), rel=1e-6)


def test_nothing_else_of_a_run_changes(line, config, tmp_path):
    for count in (0, 5):
        loop.train(line().task(), config(**{"training.keep_views": count}), tmp_path / str(count))
    assert not views.folder(tmp_path / "0").exists() and views.folder(tmp_path / "5").exists()
    first, second = ((tmp_path / str(count) / "metrics.jsonl").read_bytes() for count in (0, 5))
    assert first == second
    assert digest(config()) == digest(config(**{"training.keep_views": 5}))


def test_a_run_that_went_back_keeps_what_it_then_has(line, config, tmp_path):
    changes = {"training.keep_views": 4, "training.steps": 24}
    loop.train(line().task(), config(**changes), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        task = line().task()

        def stop(step, **numbers):
            if step == 13:
                raise KeyboardInterrupt
        loop.train(task, config(**changes), tmp_path / "stopped", show=stop)
    assert sorted(kept(tmp_path / "stopped")) == [1, 3, 6, 12]
    loop.train(line().task(), config(**changes), tmp_path / "stopped")
    assert kept(tmp_path / "stopped") == kept(tmp_path / "whole")


def test_the_history_of_a_run(line, config, tmp_path):
    settings = config(**{"training.keep_views": 2, "training.average_decay": 0.5})
    task = line(scores=[1.0, 4.0, 2.0, 3.0]).task()
    params, result = loop.train(task, settings, tmp_path)
    steps = weights.history(tmp_path, settings, task.init)
    assert weights.selected_step(tmp_path) == result["best_step"] == 6
    assert list(steps) == sorted({0, 3, 6, *checkpoint.steps(tmp_path / "checkpoints")})
    np.testing.assert_array_equal(steps[6]["slope"], params["slope"])
    np.testing.assert_array_equal(steps[0]["slope"], weights.first_weights(settings, task.init)["slope"])
    assert list(weights.history(tmp_path / "none", settings, task.init)) == [0]
    assert weights.selected_step(tmp_path / "none") == 0


def test_with_a_clock_there_are_no_halves(config):
    settings = config(**{"training.steps": None, "training.max_minutes": 1.0, "training.keep_views": 2})
    with pytest.raises(ValueError, match="training.keep_views=2 .*max_minutes 0 is allowed"):
        rules.check(settings)
    assert views.steps_of(None, 3) == ()
