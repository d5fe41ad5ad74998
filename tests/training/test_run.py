"""What a run may go on with."""

import pytest

from attention_lab.storage import runs
from attention_lab.training.run import check_data
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


def test_before_its_first_checkpoint_anything_may_change(began):
    run, task = began
    check_data(run, task(sha256="c", files={"data.vectors": "c"}))
