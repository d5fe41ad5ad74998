"""Sweeps in one process: each cell equals the run alone, one program a group, nothing run twice."""

import shutil

import pytest

from attention_lab import config as configs
from attention_lab.storage import runs
from attention_lab.storage.files import JsonLines
from attention_lab.sweeps import cell as cells
from attention_lab.sweeps import execution, grouped
from attention_lab.sweeps.plan import plan
from attention_lab.sweeps.space import axis, product
from attention_lab.tasks.sequences import task as tokenwise
from attention_lab.tasks.translation import task as translation
from attention_lab.training import checkpoint
from attention_lab.training import together as training
from attention_lab.training.run import carry_out
from configs import recall as recall_config
from configs.translation import get_config

SMOKE = configs.replace(get_config("smoke"), {"training.devices": 1})
RECALL = configs.replace(recall_config.get_config("smoke"), {
    "training.devices": 1, "model.num_layers": 1})
SPACE = product(axis("attention.scale", ["inverse_sqrt", 1.0]), axis("seed", [0, 3]))
SAME = ("config.json", "metrics.jsonl", "predictions.tsv", "attention.npz", "tokenizer.json")


def build(config):
    return translation.build(config)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """The sweep's parent folder, its outcomes, the configs built, and the programs it made."""
    parent, built, made = tmp_path_factory.mktemp("sweep"), [], []
    with pytest.MonkeyPatch.context() as patch:
        real = cells.programs
        patch.setattr(cells, "programs", lambda *given: made.append(real(*given)) or made[-1])
        outcomes = execution.execute(plan(SMOKE, SPACE), parent,
                                     cells.Shared(
                                         lambda config: built.append(config) or build(config)), "py sweep")
    return parent, outcomes, built, made


@pytest.fixture(scope="module")
def smoke():
    """Tasks and programs of SMOKE, for tests that don't ask how many are made."""
    return cells.Shared(build)


@pytest.fixture(scope="module")
def recall():
    """Those of RECALL; programs of several runs are traced once too."""
    real, made = training.together, {}

    def together_once(task, *given):
        key = task.loss, *given
        if key not in made:
            made[key] = real(task, *given)
        return made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "together", together_once)
        yield cells.Shared(tokenwise.build)


def test_scaled_and_unscaled_arms_are_one_executable(swept):
    _, outcomes, built, made = swept
    assert len(outcomes) == 4 and len(built) == 1 and len(made) == 1
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


def test_programs_of_earlier_cells_are_forgotten_where_room_is_needed(monkeypatch):
    monkeypatch.setattr(cells.memory_maps, "make_room", lambda forget: forget())
    built = []
    shared = cells.Shared(lambda config: built.append(config.model.hidden) or tokenwise.build(config))
    narrow, wide = RECALL, configs.replace(RECALL, {"model.hidden": 2 * RECALL.model.hidden})
    for config in (narrow, narrow, wide, narrow):
        shared.of(config)
    assert built == [config.model.hidden for config in (narrow, wide, narrow)]


def test_finished_cells_are_not_run_again(swept):
    parent, outcomes, _, _ = swept
    before = {path: path.stat().st_mtime_ns for path in parent.rglob("*") if path.name != "run.lock"}

    def never(config):
        raise AssertionError("a finished cell was built")

    again = execution.execute(plan(SMOKE, SPACE), parent, cells.Shared(never), "python sweep")
    assert [outcome.result for outcome in again] == [outcome.result for outcome in outcomes]
    assert {path: path.stat().st_mtime_ns for path in parent.rglob("*") if path.name != "run.lock"} == before


def test_a_cell_that_fails_leaves_its_neighbours_alone(smoke, tmp_path):
    groups = plan(SMOKE, axis("seed", [0, 1, 2]))
    groups[0].cells[1].folder(tmp_path).write_text("in the way")
    outcomes = execution.execute(groups, tmp_path, smoke, "python sweep")
    assert [outcome.result is not None for outcome in outcomes] == [True, False, True]
    assert "is a file" in outcomes[1].error


def test_a_cell_that_diverges_is_a_result(smoke, tmp_path):
    space = axis("optimizer.learning_rate", [1e30, 1e-3])
    outcomes = execution.execute(plan(SMOKE, space), tmp_path, smoke, "python sweep")
    assert [outcome.result["status"] for outcome in outcomes] == ["diverged", "finished"]


TIMES = {"loop": 3.0, "map": 2.0, "vmap": 1.0}
# Said here, where tests leave XLA's optimiser out.
ROUNDS = ("what --how=map trains may differ from the same run alone by rounding: XLA does not compile by "
          "default")


@pytest.mark.parametrize("how", ["map", "measure"])
def test_cells_in_one_program_leave_what_the_loop_leaves(recall, tmp_path, monkeypatch, how):
    said, seen = [], []
    monkeypatch.setattr(grouped, "measure", lambda *given: TIMES)
    groups, shared = plan(RECALL, axis("seed", [1, 4])), recall
    looped = execution.execute(groups, tmp_path / "loop", shared, "python sweep")
    outcomes = execution.execute(groups, tmp_path, shared, "python sweep", how=how, say=said.append,
                                 show=lambda step, **known: seen.append(step))
    assert [outcome.cell for outcome in outcomes] == list(groups[0].cells)
    assert seen == sorted(seen) and seen[-1] == 2 * RECALL.training.steps
    for outcome, alone in zip(outcomes, looped):
        held = runs.load_run(outcome.folder)
        assert held.result["status"] == "finished" and held.result == outcome.result
        assert {path.name for path in outcome.folder.iterdir() if "events" not in path.name} == {
            path.name for path in alone.folder.iterdir() if "events" not in path.name}
        if how == "measure":
            assert held.facts["milliseconds_a_step"] == TIMES and held.facts["how"] == "vmap"
            assert said == ["milliseconds a step of one run: loop 3, map 2, vmap 1; vmap it is"]
        else:
            facts = held.facts
            assert (facts["how"], facts["runs_together"], facts["run_devices"]) == (how, 2, 4)


def test_cells_that_stand_elsewhere_or_are_finished_or_fail_are_run_all_the_same(recall, tmp_path):
    groups = plan(RECALL, axis("seed", range(5)))
    finished, blocked, *_, begun = groups[0].cells
    shared, known = recall, {}
    known[finished] = cells.run_cell(finished, tmp_path, shared, "python sweep")
    blocked.folder(tmp_path).write_text("in the way")
    run = runs.open_run(begun.folder(tmp_path), begun.config, "python sweep")
    with pytest.raises(KeyboardInterrupt):
        carry_out(run, *shared.of(begun.config), show=lambda step, **known: stop(step))
    run.close()
    outcomes = execution.execute(groups, tmp_path, shared, "python sweep", how="map")
    assert [outcome.result is not None for outcome in outcomes] == [True, False, True, True, True]
    assert outcomes[0].result == known[finished].result
    ways = [runs.load_run(outcome.folder).facts.get("how") for outcome in outcomes if outcome.result]
    assert ways == ["loop", "map", "map", "loop"]


def test_times_are_noted_where_the_loop_is_fastest_too(recall, tmp_path, monkeypatch):
    times = {"loop": 1.0, "map": 2.0, "vmap": 3.0}
    monkeypatch.setattr(grouped, "measure", lambda *given: times)
    outcomes = execution.execute(plan(RECALL, axis("seed", [0, 1])), tmp_path, recall, "python sweep",
                                 how="measure")
    for outcome in outcomes:
        facts = runs.load_run(outcome.folder).facts
        assert (facts["how"], facts["milliseconds_a_step"]) == ("loop", times)


def test_the_way_that_was_measured_is_kept_when_a_sweep_goes_on(recall, tmp_path, monkeypatch):
    groups, shared = plan(RECALL, axis("seed", [0, 1])), recall
    times = [TIMES, {"loop": 3.0, "map": 1.0, "vmap": 2.0}]
    monkeypatch.setattr(grouped, "measure", lambda *given: times.pop(0))
    real = grouped.conclude
    with monkeypatch.context() as patch:
        patch.setattr(grouped, "conclude", lambda *given: stop(5))
        with pytest.raises(KeyboardInterrupt):
            execution.execute(groups, tmp_path, shared, "python sweep", how="measure")
    assert grouped.conclude is real
    execution.execute(groups, tmp_path, shared, "python sweep", how="measure")
    assert len(times) == 1
    assert [run.facts["how"] for run in runs.collect(tmp_path)[0]] == ["vmap", "vmap"]


def test_runs_that_were_stopped_at_different_checkpoints_go_on_together_from_one_they_share(tmp_path):
    base = configs.replace(RECALL, {"training.steps": 9, "training.keep_checkpoints": 9})
    groups, shared = plan(base, axis("seed", [0, 1])), cells.Shared(tokenwise.build)
    looped = execution.execute(groups, tmp_path / "loop", shared, "python sweep")
    execution.execute(groups, tmp_path, shared, "python sweep", how="map")
    for cell, newest in zip(groups[0].cells, (3, 6)):
        folder = cell.folder(tmp_path)
        (folder / "result.json").unlink()
        for step in checkpoint.steps(folder / "checkpoints"):
            if step > newest:
                shutil.rmtree(folder / "checkpoints" / str(step))
    shared_steps = [checkpoint.steps(cell.folder(tmp_path) / "checkpoints") for cell in groups[0].cells]
    said = []
    outcomes = execution.execute(groups, tmp_path, shared, "python sweep", how="map", say=said.append)
    assert said == [ROUNDS, f"continuing from step {max(set.intersection(*map(set, shared_steps)))}"]
    for outcome, alone in zip(outcomes, looped):
        assert runs.load_run(outcome.folder).facts["how"] == "map"
        ours, theirs = (JsonLines(one.folder / "metrics.jsonl").read() for one in (outcome, alone))
        assert [line["step"] for line in ours] == [line["step"] for line in theirs]


def test_a_group_that_cannot_be_trained_leaves_the_others_alone(recall, tmp_path, monkeypatch):
    real = grouped.measure
    monkeypatch.setattr(grouped, "measure", lambda task, configs, programs: real(task, configs, programs)
                        if configs[0].training.accumulate > 1 else TIMES)
    space = product(axis("training.accumulate", [3, 1]), axis("seed", [0, 1]))
    outcomes = execution.execute(plan(RECALL, space), tmp_path, recall, "python sweep", how="measure")
    assert [outcome.result is not None for outcome in outcomes] == [False, False, True, True]
    assert "training.accumulate=3" in outcomes[0].error


def test_minutes_rule_each_cell_alone(tmp_path):
    said = []
    base = configs.replace(RECALL, {"training.steps": None, "training.max_minutes": 1e-6,
                                    "optimizer.schedule": "constant"})
    outcomes = execution.execute(plan(base, axis("seed", [0, 1])), tmp_path, cells.Shared(tokenwise.build),
                                 "python sweep", say=said.append, how="map")
    assert [outcome.result["steps"] for outcome in outcomes] == [1, 1]
    assert "each cell is run alone" in said[0]


def test_a_finished_cell_on_other_data_is_not_passed_off(tmp_path):
    said = []
    for name, word in (("a", "dog"), ("b", "cat")):
        (tmp_path / f"{name}.tsv").write_text("".join(f"the {word} {i}\tle {word} {i}\n" for i in range(40)))

    def swept(name, folder=tmp_path / "runs"):
        base = configs.replace(get_config("tsv,smoke"), {
            "training.devices": 1, "data.path": str(tmp_path / f"{name}.tsv"), "data.tokenizer": "word",
            "data.dev_size": 3, "data.test_size": 3})
        return execution.execute(plan(base, axis("seed", [0])), folder, cells.Shared(build), "python sweep",
                                 say=said.append)[0]

    first, other = swept("a"), swept("b")
    assert first.result["status"] == other.result["status"] == "finished" and first.folder != other.folder
    assert swept("a").folder == first.folder
    (tmp_path / "a.tsv").write_text((tmp_path / "b.tsv").read_text())
    assert swept("a").folder == other.folder and any("data.path was" in line for line in said)


def stop(step):
    if step == 5:
        raise KeyboardInterrupt


def test_auto_is_the_loop_on_a_cpu_and_an_unknown_way_is_refused():
    assert execution.resolve_how("auto") == "loop" and execution.resolve_how("vmap") == "vmap"
    with pytest.raises(ValueError, match="--how=pmap: allowed are auto, measure, loop, map, vmap"):
        execution.resolve_how("pmap")
