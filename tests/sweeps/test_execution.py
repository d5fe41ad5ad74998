"""Sweeps in one process: each cell equals the run alone, one program a group, nothing run twice."""

import pytest

from attention_lab import config as configs
from attention_lab import runs
from attention_lab.sweeps import execution
from attention_lab.sweeps.plan import plan
from attention_lab.sweeps.space import axis, product
from attention_lab.tasks import translation
from attention_lab.training.run import carry_out
from configs.translation import get_config

SMOKE = configs.replace(get_config("smoke"), {"training.devices": 1})
SPACE = product(axis("attention.scale", ["inverse_sqrt", 1.0]), axis("seed", [0, 3]))
SAME = ("config.json", "metrics.jsonl", "predictions.tsv", "attention.npz", "tokenizer.json")


def build(config):
    return translation.build(config).task


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """The sweep's parent folder, its outcomes, the configs built, and the programs it made."""
    parent, built, made = tmp_path_factory.mktemp("sweep"), [], []
    with pytest.MonkeyPatch.context() as patch:
        real = execution.programs
        patch.setattr(execution, "programs", lambda *given: made.append(real(*given)) or made[-1])
        outcomes = execution.execute(plan(SMOKE, SPACE), parent,
                                     execution.Shared(
                                         lambda config: built.append(config) or build(config)), "py sweep")
    return parent, outcomes, built, made


def test_scaled_and_unscaled_arms_are_one_executable(swept):
    _, outcomes, built, made = swept
    assert len(outcomes) == 4 and len(built) == 1 and len(made) == 1
    assert made[0].update._cache_size() == 1 and made[0].start._cache_size() == 1
    assert len({outcome.result["best_step"] for outcome in outcomes}) >= 1
    texts = {(outcome.folder / "metrics.jsonl").read_text() for outcome in outcomes}
    assert len(texts) == 4


@pytest.mark.parametrize("index", [0, 3])
def test_a_cell_equals_the_run_alone_byte_for_byte(swept, tmp_path, index):
    outcome = swept[1][index]
    run = runs.open_run(tmp_path / "alone", outcome.cell.config, "python train")
    carry_out(run, build(run.config))
    run.close()
    for name in SAME:
        assert (tmp_path / "alone" / name).read_bytes() == (outcome.folder / name).read_bytes(), name
    timing = {"train_seconds", "tokens_per_second"}
    assert {key: value for key, value in run.result.items() if key not in timing} == {
        key: value for key, value in outcome.result.items() if key not in timing}


def test_finished_cells_are_not_run_again(swept):
    parent, outcomes, _, _ = swept
    before = {path: path.stat().st_mtime_ns for path in parent.rglob("*") if path.name != "run.lock"}

    def never(config):
        raise AssertionError("a finished cell was built")

    again = execution.execute(plan(SMOKE, SPACE), parent, execution.Shared(never), "python sweep")
    assert [outcome.result for outcome in again] == [outcome.result for outcome in outcomes]
    assert {path: path.stat().st_mtime_ns for path in parent.rglob("*") if path.name != "run.lock"} == before


def test_a_cell_that_fails_leaves_its_neighbours_alone(tmp_path):
    groups = plan(SMOKE, axis("seed", [0, 1, 2]))
    groups[0].cells[1].folder(tmp_path).write_text("in the way")
    outcomes = execution.execute(groups, tmp_path, execution.Shared(build), "python sweep")
    assert [outcome.result is not None for outcome in outcomes] == [True, False, True]
    assert "is a file" in outcomes[1].error


def test_a_cell_that_diverges_is_a_result(tmp_path):
    space = axis("optimizer.learning_rate", [1e30, 1e-3])
    outcomes = execution.execute(plan(SMOKE, space), tmp_path, execution.Shared(build), "python sweep")
    assert [outcome.result["status"] for outcome in outcomes] == ["diverged", "finished"]


def test_structures_that_score_another_split_alone_train_by_the_same_programs():
    shared = execution.Shared(build)
    dev, test, wide = (shared.of(configs.replace(SMOKE, values)) for values in (
        {"data.split": "dev"}, {"data.split": "test"}, {"model.hidden": 48}))
    assert dev[1] is test[1] is not wide[1]
    assert dev[0] is not test[0]
    assert shared.of(configs.replace(SMOKE, {"data.split": "dev"}))[0] is dev[0]
