"""What a run may go on with, and what it ends with where a part of it fails."""

import json

import pytest

from attention_lab.storage import runs
from attention_lab.storage.content import Content
from attention_lab.storage.errors import ERRORS
from attention_lab.training.run import carry_out, check_data
from tests.training.conftest import small


@pytest.fixture
def began(line, tmp_path):
    """began(facts) -> a task with these facts; the run in `began.run` has noted those of the first one."""
    run = runs.open_run(tmp_path / "run", small(), "python -m experiments.train")
    held = {"sha256": "a", "files": {"data.vectors": "b"}}
    run.note({"data": held})
    yield run, lambda **changed: line().task()._replace(facts=held | changed)
    run.close()


def test_a_run_that_has_trained_goes_on_with_what_it_had(began):
    run, task = began
    (run.folder / "checkpoints").mkdir()
    check_data(run, task())
    with pytest.raises(ValueError, match="was trained on other data .* --rerun"):
        check_data(run, task(sha256="c"))
    with pytest.raises(ValueError, match="other content of data.vectors than that file has now .* --rerun"):
        check_data(run, task(files={"data.vectors": "c"}))


def test_a_packed_file_that_was_recorded_as_it_is_is_the_same(began):
    run, task = began
    (run.folder / "checkpoints").mkdir()
    run.content = Content("a", {"data.vectors": "of its text"}, {"data.vectors": "b"})
    check_data(run, task(files={"data.vectors": "of its text"}))
    run.content = Content("a", {"data.vectors": "of its text"}, {"data.vectors": "c"})
    with pytest.raises(ValueError, match="other content of data.vectors"):
        check_data(run, task(files={"data.vectors": "of its text"}))


def test_before_its_first_checkpoint_anything_may_change(began):
    run, task = began
    check_data(run, task(sha256="c", files={"data.vectors": "c"}))


@pytest.fixture
def carried(tmp_path):
    """carried(task) -> content of result.json, the lines said, the folder."""
    def run(task):
        said, opened = [], runs.open_run(tmp_path / "run", small(), "python -m experiments.train")
        try:
            carry_out(opened, task, show=lambda step, **numbers: None, say=said.append)
        finally:
            opened.close()
        return json.loads((tmp_path / "run" / "result.json").read_text()), said, tmp_path / "run"
    return run


def raises(error):
    def raising(*args, **named):
        raise error
    return raising


def test_a_score_that_fails_keeps_the_others(line, carried):
    whole = line().task()

    def score(params, hyper, split, final):
        if final and split == "test":
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory\nallocating 7 bytes")
        return whole.score(params, hyper, split, final)

    result, said, folder = carried(whole._replace(score=score))
    assert result["status"] == "finished" and "dev_fit" in result
    assert result["failed"] == ("scoring test: RuntimeError: RESOURCE_EXHAUSTED: Out of memory "
                                "allocating 7 bytes")
    assert len(said) == 1 and "scoring test failed" in said[0]
    assert "in score" in (folder / ERRORS).read_text() and (folder / "curves.png").exists()


@pytest.mark.parametrize("error", [KeyError("glyph"), OSError(28, "No space left"), MemoryError()])
def test_a_picture_that_fails_keeps_the_result(line, carried, error):
    result, said, _ = carried(line().task()._replace(illustrate=raises(error)))
    assert result["status"] == "finished" and "dev_fit" in result
    assert result["not_drawn"].startswith("drawing attention.png and view.html: ") and len(said) == 1
    assert "failed" not in result


def test_a_curve_that_fails_keeps_the_result(line, carried, monkeypatch):
    monkeypatch.setattr("attention_lab.figures.curves.training_curve", raises(ValueError("too large")))
    assert carried(line().task())[0]["not_drawn"] == "drawing curves.png: too large"


def test_a_disk_that_refuses_a_score_leaves_the_run_unfinished(line, carried):
    with pytest.raises(OSError, match="No space"):
        carried(line().task()._replace(score=raises(OSError(28, "No space left"))))


def test_dev_that_can_never_be_scored_lets_a_run_finish(line, carried):
    result, said, folder = carried(line().task()._replace(score=raises(MemoryError("dev"))))
    assert (result["status"], result["steps"], result["best_step"]) == ("finished", 12, 12)
    assert result["failed"].startswith("scoring dev at step 3: MemoryError: dev; scoring dev: MemoryError")
    assert sum("training continues" in text for text in said) == 1
    assert (folder / "checkpoints" / "12").exists()


def test_after_the_last_step_a_line_says_what_is_done(line, tmp_path, capsys):
    run = runs.open_run(tmp_path / "run", small(), "python -m experiments.train")
    carry_out(run, line().task(), say=lambda text: None)
    run.close()
    lines = [text.split(", ")[1] for text in capsys.readouterr().err.splitlines() if "step 12 of 12" in text]
    doing = [text for text in lines if text.startswith(("scoring", "drawing"))]
    assert doing == ["scoring dev", "scoring dev", "scoring test", "drawing"] and lines[-1].startswith("took")
