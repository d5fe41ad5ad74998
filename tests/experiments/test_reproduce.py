"""Studies: measured once, judged and drawn from their tables, refused in one line."""

import csv
import json

import pytest

from attention_lab.statistics import judge
from attention_lab.statistics.verdicts import LEAST
from experiments import reproduce, studies, table
from experiments.studies import softmax_saturation
from experiments.studies.record import Study

NAME = "softmax_saturation"


@pytest.fixture
def tiny(monkeypatch):
    """The study on a handful of rows, counting what it measures."""
    measured = []

    def measure(cell, *rest):
        measured.append(cell)
        return softmax_saturation.measure(cell, *rest)

    settings = {"seeds": 6, "key_sizes": (16, 64, 256, 1024), "rows": 10, "model_key_sizes": ()}
    study = softmax_saturation.STUDY._replace(presets={"smoke": settings, "cpu": settings}, measure=measure)
    monkeypatch.setattr(studies, "load", lambda name: study)
    return measured


def test_missing_cells_alone_are_measured_and_redrawing_measures_nothing(call, tmp_path, tiny):
    argv = [NAME, "--preset=smoke", f"--results={tmp_path}"]
    status, out, _ = call(reproduce, *argv)
    folder = tmp_path / NAME
    assert status == 0 and len(tiny) == 48 and out.count("\n") == 2 + len(softmax_saturation.CLAIMS)
    about = json.loads((folder / "about.json").read_text())
    assert about["preset"] == "smoke" and about["claims_hash"] == softmax_saturation.STUDY.claims_hash()
    before = {name: (folder / name).read_bytes() for name in ("runs.csv", "verdicts.json", "figure.png")}
    assert call(reproduce, *argv, "--redraw")[1] == out and len(tiny) == 48
    assert {name: (folder / name).read_bytes() for name in before} == before
    lines = (folder / "runs.csv").read_text().splitlines()
    (folder / "runs.csv").write_text("\n".join(lines[:-3]) + "\n")
    call(reproduce, *argv)
    assert len(tiny) == 51 and (folder / "runs.csv").read_bytes() == before["runs.csv"]
    status, _, err = call(reproduce, NAME, "--preset=cpu", f"--results={tmp_path}")
    assert status == 2 and "holds preset smoke" in err


def test_a_table_that_lacks_something_is_refused_before_anything_is_written(call, tmp_path, tiny):
    argv, folder = [NAME, "--preset=smoke", f"--results={tmp_path}"], tmp_path / NAME
    call(reproduce, *argv)
    with open(folder / "runs.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    (folder / "verdicts.json").write_text("as it was")

    def refused(rows, *more):
        with open(folder / "runs.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
        status, out, err = call(reproduce, *argv, *more)
        assert (status, out) == (2, "") and err.splitlines()[-1].startswith(
            f"reproduce: error: {folder / 'runs.csv'} ")
        after = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
        assert after == before
        return err.splitlines()[-1]

    for column in ("saturated", "entropy", "seed"):  # what is drawn, what is judged by, what names a cell
        without = [{name: value for name, value in row.items() if name != column} for row in rows]
        for more in ([], ["--redraw"]):
            said = refused(without, *more)
            assert f"has no column {column}" in said and f"take {folder} away" in said
    without = [{name: value for name, value in row.items() if name != "entropy"} for row in rows]
    assert "differ in columns (entropy)" in refused(without[:-1])
    assert "has no row of (5, 1024, 'scaled'): measure it" in refused(rows[:-1], "--redraw")


def test_smoke_keeps_nothing(call, tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call(reproduce, NAME, "--preset=smoke")[0] == 0
    assert not list(tmp_path.iterdir())


def test_claims_are_judged_by_what_is_planted():
    """A table made by theory: slopes of 1 and 0, entropies and gradients on the claimed side."""
    rows = []
    for seed in range(8):
        for size in (64, 256, 1024):
            wobble = 1 + 0.001 * seed
            rows.append({"source": "random", "seed": seed, "key_size": size, "arm": "unscaled",
                         "variance": size * wobble, "entropy": 0.05 * wobble,
                         "gradient_median": size ** -3.0 * wobble, "gradient_mean": size ** 0.5 * wobble})
            rows.append(rows[-1] | {"arm": "scaled", "variance": wobble, "entropy": 0.89 * wobble})
            rows.append(rows[-1] | {"source": "trained", "variance": 7.0, "entropy": 0.5})
    found = {one.claim.name: one.verdict for one in judge(
        softmax_saturation.CLAIMS, softmax_saturation.differences(rows))}
    assert found.pop("mean_gradient") == "refuted"
    assert set(found.values()) == {"supported"}, found


def test_a_change_of_the_claims_shows():
    study = softmax_saturation.STUDY
    assert isinstance(study, Study)
    assert study._replace(claims=study.claims[:-1]).claims_hash() != study.claims_hash()


@pytest.mark.parametrize("argv, words", [
    ([], "no study is named"),
    (["softmax_saturaton"], "did you mean softmax_saturation?"),
    ([NAME, "--preset=gpu"], "--preset=gpu: allowed are smoke, cpu, accelerator"),
    ([NAME, "--redraw", "--results=nowhere"], "runs.csv is not there"),
])
def test_what_is_refused(call, argv, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, err = call(reproduce, *argv)
    assert status == 2 and words in err.splitlines()[-1]


def test_the_list_has_every_study(call):
    status, out, _ = call(reproduce, "--list")
    assert status == 0 and [line.split("\t")[0] for line in out.splitlines()] == list(studies.NAMES)


def test_committed_tables_are_whole():
    from experiments.reproduction import RESULTS
    for name in studies.NAMES:
        path = RESULTS / name / "runs.csv"
        if path.exists():
            about = json.loads((path.parent / "about.json").read_text())
            settings = studies.load(name).presets[about["preset"]]
            with open(path, encoding="utf-8", newline="") as file:
                assert len(list(csv.DictReader(file))) == len(studies.load(name).cells(settings))


@pytest.mark.parametrize("name", studies.NAMES)
def test_committed_tables_give_the_committed_verdicts_and_can_be_drawn(name):
    from experiments.reproduction import RESULTS
    folder = RESULTS / name
    if not (folder / table.RUNS).exists():
        pytest.skip(f"no results of {name} are committed")
    study, rows = studies.load(name), table.read(folder)
    held = json.loads((folder / "verdicts.json").read_text())
    assert held["claims_hash"] == study.claims_hash()
    found = {one.claim.name: (one.verdict, one.effect)
             for one in judge(study.claims, study.differences(rows))}
    assert list(found) == [one["name"] for one in held["verdicts"]]
    for one in held["verdicts"]:
        verdict, effect = found[one["name"]]
        assert verdict == one["verdict"] and effect == pytest.approx(one["effect"], rel=1e-9, abs=1e-12)
    if study.resampled:
        intervals = study.resampled(rows)
        for one in held["verdicts"]:
            assert one["two_level"] == pytest.approx(
                [intervals[one["name"]].low, intervals[one["name"]].high], rel=1e-9, abs=1e-12)
    settings = study.presets[json.loads((folder / "about.json").read_text())["preset"]]
    figure = study.draw(rows, settings | {"data": ""})
    assert any(ax.lines or ax.collections or ax.images for ax in figure.axes)


@pytest.mark.parametrize("name", studies.NAMES)
def test_seeds_can_decide_as_many_claims_as_there_are(name):
    """The smallest p of an exact test, times the primary claims: Holm's first step."""
    study = studies.load(name)
    claims = sum(claim.primary for claim in study.claims)
    for settings in study.presets.values():
        if settings["seeds"] >= LEAST:
            assert claims * 2.0 ** (1 - settings["seeds"]) < 0.05


@pytest.mark.parametrize("workers", [1, 2])
def test_runs_are_trained_together_before_they_are_measured(call, tmp_path, monkeypatch, workers):
    from attention_lab.figures import style
    from attention_lab.statistics import Claim
    from attention_lab.storage import runs
    from attention_lab.sweeps import execution
    from experiments.studies import training
    seen = []

    def measure(cell, settings, rows, folder):
        held = runs.collect(folder)[0]
        seen.append([run.facts.get("how") for run in held if run.result])
        result, *_ = training.trained("configs/recall.py:smoke", {"seed": cell["seed"]}, folder, "one")
        return {"dev_accuracy": result["dev_accuracy"]}

    study = softmax_saturation.STUDY._replace(
        name="one", claims=(Claim("any", "any", "dev_accuracy", ("a", "b"), "greater"),),
        presets={"smoke": {}}, cells=lambda settings: [{"seed": seed} for seed in (0, 1)], measure=measure,
        differences=lambda rows: {"any": [row["dev_accuracy"] for row in rows]},
        config=lambda settings: "configs/recall.py:smoke",
        overrides=lambda cell, settings, rows: {"seed": cell["seed"]},
        draw=lambda rows, settings: style.figure(1.0, 1.0))
    monkeypatch.setattr(studies, "load", lambda name: study)
    monkeypatch.setattr(execution, "how_of", lambda how: "map")  # as on an accelerator
    status, _, err = call(reproduce, "one", "--preset=smoke", f"--workers={workers}")
    assert status == 0, err
    assert seen == [["map", "map"] if workers == 1 else ["loop", "loop"]] * 2
