"""reproduce --robust: measured beside a study's table, continued, not overwritten; claims has the column."""

import json

import pytest

from attention_lab.studies import load
from attention_lab.studies.recipes import runs
from experiments import claims, reproduce

STUDY = '''
"""An arm whose score is its steps times its rate, and one that scores nothing."""

from attention_lab.studies import Claim, Study, difference
from attention_lab.studies.recipes.runs import crossed
from attention_lab.figures import style

SETTINGS = {"seeds": 6, "rates": (0.001, 0.003), "config": {"training.steps": 8}}


def cells(settings):
    return crossed(stage=["tune"], arm="a", rate=settings["rates"], seed=[100]) + crossed(
        stage=["final"], arm="ab", rate=[None], seed=range(settings["seeds"]))


def overrides(cell, settings, rows):
    return settings["config"] | {"optimizer.learning_rate": cell["rate"] or 0.003, "seed": cell["seed"]}


def measure(cell, settings, train):
    score = train(cell).result["score"]
    return {"score": score if cell["arm"] == "a" else 0.0}


STUDY = Study(
    "Does a score?", (
        Claim("much", "a scores over 0.01", difference("score", "a", "b", stage="final"), "greater", 0.01),
        Claim("some", "a scores", difference("score", "a", "b", stage="final"), "greater", primary=False)),
    {"smoke": SETTINGS, "cpu": SETTINGS}, cells, measure, lambda rows, settings: style.figure(1.0, 1.0),
    config="configs/recall.py:smoke", overrides=overrides)
'''


@pytest.fixture
def trained(monkeypatch):
    """Runs whose score is their steps times their rate; the changes of all that were trained."""
    every = []

    def run(file, changes, folder, study):
        every.append(changes)
        score = changes["training.steps"] * changes["optimizer.learning_rate"] + 1e-4 * changes["seed"] % 7e-4
        return runs.Run({"score": score}, [], folder, changes)

    monkeypatch.setattr(runs, "trained", run)
    load._loaded.cache_clear()
    yield every
    load._loaded.cache_clear()


@pytest.fixture
def planted(tmp_path, trained):
    (tmp_path / "all" / "scores").mkdir(parents=True)
    (tmp_path / "all" / "scores" / "study.py").write_text(STUDY.lstrip())
    return ["scores", f"--studies={tmp_path / 'all'}", f"--results={tmp_path / 'all'}"]


def test_final_runs_are_measured_beside_the_table_and_the_ledger_says_what_is_survived(
        call, tmp_path, planted, trained):
    folder = tmp_path / "all" / "scores"
    status, before, err = call(reproduce, *planted)
    assert status == 0 and not (folder / "robust").exists(), err
    assert "robust: what" not in call(claims, planted[1])[1]
    table, count = (folder / "runs.csv").read_bytes(), len(trained)
    status, out, err = call(reproduce, *planted, "--robust")
    assert status == 0 and out.startswith(before), err
    assert len(trained) - count == (3 + 2) * 2 * 4 and (folder / "runs.csv").read_bytes() == table
    head, much, some = [line.split("\t") for line in out[len(before):].splitlines()]
    assert head[2:] == ["0.5 x steps (4)", "2 x steps (4)", "4 x steps (4)", "rate 0.001 (4)",
                        "rate 0.003 (4)", "robust"]
    assert [cell.partition(" ")[2] for cell in much[2:-1]] == ["", "", "", "!", ""]
    assert (much[-1], some[-1]) == ("budget", "all")
    about = json.loads((folder / "robust" / "about.json").read_text())
    assert about["command"].endswith("--robust") and about["claims"][0]["name"] == "much"
    out = call(claims, planted[1], "--format=markdown")[1]
    assert [line.split(" | ")[-2] for line in out.splitlines()[2:4]] == ["budget", "all"]
    assert "robust: what a verdict survives" in out


def test_it_continues_where_it_was_stopped_and_overwrites_nothing(call, tmp_path, planted, trained):
    folder = tmp_path / "all" / "scores" / "robust"
    _, out, _ = call(reproduce, *planted, "--robust")
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    count = len(trained)
    assert call(reproduce, *planted, "--robust")[:2] == (0, out) and len(trained) == count
    lines = whole["runs.csv"].decode().splitlines(keepends=True)
    (folder / "runs.csv").write_text("".join(lines[:-3]))
    status, _, err = call(reproduce, *planted, "--robust", "--redraw")
    assert status == 2 and "robust/runs.csv has no row of {'vary': 'rate', 'to': 0.003" in err
    assert call(reproduce, *planted, "--robust")[:2] == (0, out) and len(trained) == count + 3
    assert (folder / "runs.csv").read_bytes() == whole["runs.csv"]
    assert len(json.loads((folder / "about.json").read_text())["continued"]) == 1
    study = folder.parent / "study.py"
    study.write_text(study.read_text().replace('"rates": (0.001, 0.003)', '"rates": (0.001, 0.003, 0.01)'))
    load._loaded.cache_clear()
    status, _, err = call(reproduce, *planted, "--robust", "--accept_changed_claims")
    assert status == 2 and f"{folder} was measured with other claims or another recipe (" in err
    assert (folder / "runs.csv").read_bytes() == whole["runs.csv"]


def test_smoke_goes_through_and_keeps_nothing(call, tmp_path, planted):
    before = sorted(path for path in tmp_path.rglob("*") if "__pycache__" not in str(path))
    status, out, err = call(reproduce, *planted[:2], "--robust", "--preset=smoke")
    assert status == 0 and out.splitlines()[-1].endswith("\tall"), err
    assert sorted(path for path in tmp_path.rglob("*") if "__pycache__" not in str(path)) == before
