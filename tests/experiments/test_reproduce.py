"""reproduce: measured once, judged and drawn from tables, refused in one line, told where claims changed."""

import csv
import json
import os
import shutil

import pytest

from experiments import reproduce
from tests.experiments.loaded import FOLDER, NAMES, ROOT, module, study, verdicts

NAME = "softmax_saturation"
TINY = (ROOT / "tests" / "studies" / "studies.py").read_text()
KEPT = ("runs.csv", "verdicts.json", "figure.png", "README.md")


@pytest.fixture
def tiny(tmp_path):
    """Arguments that reproduce a study in a folder of its own, which nothing else names."""
    (tmp_path / "all" / "tiny").mkdir(parents=True)
    (tmp_path / "all" / "tiny" / "study.py").write_text(TINY)
    return ["tiny", "--preset=smoke", f"--studies={tmp_path / 'all'}", f"--results={tmp_path / 'all'}"]


def contents(folder):
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()
            if path.is_file()}


def rewrite(folder, change, name="study.py"):
    """A file with other words; its time is another one, too, so that it is compiled anew."""
    path = folder / name
    path.write_text(change(path.read_text()))


@pytest.fixture(autouse=True)
def _read_anew():
    from attention_lab.studies import load
    load._loaded.cache_clear()
    yield
    load._loaded.cache_clear()


def test_a_study_is_one_folder_and_stands_in_the_ledger(call, tmp_path, tiny):
    assert call(reproduce, "--list", tiny[2])[:2] == (0, "tiny\tIs a better?\n")
    status, out, err = call(reproduce, *tiny)
    assert status == 0 and out.splitlines()[0] == "Is a better?", err
    assert "a scores more than b by over 2\t> 2 ± 0.5\t2.5\t3.09 (3.00 to 3.25)\t6\tsupported" in out
    ledger = (tmp_path / "all" / "README.md").read_text()
    assert "| [tiny](tiny/README.md) | a scores more than b by over 2 | > 2 ± 0.5 | 2.5 | 3.09 " in ledger
    about = json.loads((tmp_path / "all" / "tiny" / "about.json").read_text())
    assert about["preset"] == "smoke" and about["claims_scheme"] == 2
    assert about["jax_settings"]["jax_enable_x64"] is False
    assert about["claims"][0]["threshold"] == 2.0 and about["settings"] == {"seeds": 6, "lead": 3.0}


def test_missing_cells_alone_are_measured_and_redrawing_measures_nothing(call, tmp_path, tiny):
    folder = tmp_path / "all" / "tiny"
    _, out, _ = call(reproduce, *tiny)
    before = {name: (folder / name).read_bytes() for name in KEPT}
    assert call(reproduce, *tiny, "--redraw")[:2] == (0, out)
    assert {name: (folder / name).read_bytes() for name in KEPT} == before
    rewrite(folder, lambda text: "\n".join(text.splitlines()[:-3]) + "\n", "runs.csv")
    assert "has no row of {'arm': 'b', 'seed': 3}: measure it" in call(reproduce, *tiny, "--redraw")[2]
    assert call(reproduce, *tiny)[:2] == (0, out)
    assert {name: (folder / name).read_bytes() for name in KEPT} == before
    about = json.loads((folder / "about.json").read_text())
    assert len(about["continued"]) == 1 and about["continued"][0]["command"].startswith("python -m")
    status, _, err = call(reproduce, "tiny", "--preset=cpu", *tiny[2:])
    assert status == 2 and "holds preset smoke" in err


def test_claims_that_were_changed_stop_it_unless_accepted(call, tmp_path, tiny):
    folder = tmp_path / "all" / "tiny"
    call(reproduce, *tiny)
    declared = json.loads((folder / "about.json").read_text())
    rewrite(folder, lambda text: text.replace('"greater", 2.0', '"greater", 1.0'))
    reproduce_again = [*tiny, "--redraw"]
    from attention_lab.studies import load
    load._loaded.cache_clear()
    before = contents(folder)
    for argv in (tiny, reproduce_again):
        status, out, err = call(reproduce, *argv)
        assert (status, out) == (2, "") and "better: threshold was 2.0, is 1.0" in err.splitlines()[-1]
        assert contents(folder) == before
    status, out, _ = call(reproduce, *reproduce_again, "--accept_changed_claims")
    assert status == 0 and out.count("supported, claims changed since declared") == 2
    for text in (out, (folder / "README.md").read_text(), (tmp_path / "all" / "README.md").read_text()):
        assert "better: threshold was 2.0, is 1.0" in text and declared["claims_hash"] in text
    assert json.loads((folder / "about.json").read_text()) == declared


def test_a_table_that_lacks_something_is_refused_before_anything_is_written(call, tmp_path, tiny):
    folder = tmp_path / "all" / "tiny"
    call(reproduce, *tiny)
    with open(folder / "runs.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    (folder / "verdicts.json").write_text("as it was")

    def refused(rows, *more):
        with open(folder / "runs.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        before = contents(folder)
        status, out, err = call(reproduce, *tiny, *more)
        assert (status, out) == (2, "") and err.splitlines()[-1].startswith(
            f"reproduce: error: {folder / 'runs.csv'} ")
        assert contents(folder) == before
        return err.splitlines()[-1]

    for column in ("score", "seed"):  # what is judged by, what names a cell
        without = [{name: value for name, value in row.items() if name != column} for row in rows]
        for more in ([], ["--redraw"]):
            said = refused(without, *more)
            assert f"has no column {column}" in said and f"take {folder} away" in said
    without = [{name: value for name, value in row.items() if name != "score"} for row in rows]
    assert "differ in columns (score)" in refused(without[:-1])


def test_smoke_keeps_nothing(call, tiny, tmp_path, monkeypatch):
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    assert call(reproduce, *tiny[:3])[0] == 0
    assert [path for path in sorted(tmp_path.rglob("*")) if "__pycache__" not in str(path)] == before


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
    found = verdicts(study(NAME), rows)
    assert found.pop("mean_gradient") == "refuted"
    assert set(found.values()) == {"supported"}, found
    falls = study(NAME).values(rows)["median_gradient"]
    assert falls == pytest.approx([3.0 * 1.2041199826559248] * 8)  # a cube, from 64 to 1,024: log10 of 16


def test_queries_are_measured():
    settings = study(NAME).settings("smoke") | {"rows": 10}
    cells = [cell for cell in study(NAME).cells(settings) if cell["source"] == "random"]
    found = module(NAME).measure(cells[0], settings, None)
    assert 0 < found["entropy"] < 1 and found["variance"] > 0


@pytest.mark.parametrize("argv, words", [
    ([], "no study is given"),
    (["softmax_saturaton"], "did you mean softmax_saturation?"),
    ([NAME, "--preset=gpu"], "--preset=gpu: allowed are smoke, cpu, accelerator"),
    ([NAME, "--redraw", "--results=nowhere"], "runs.csv does not exist"),
])
def test_what_is_refused(call, argv, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, err = call(reproduce, *argv)
    assert status == 2 and words in err.splitlines()[-1]


@pytest.mark.parametrize("text, words", [("STUDY = 1\n", "STUDY is int; a Study is needed"),
                                         ("1 / 0\n", "study.py: ZeroDivisionError: division by zero")])
def test_a_file_that_is_no_study_is_refused(call, tmp_path, tiny, text, words):
    rewrite(tmp_path / "all" / "tiny", lambda _: text)
    status, _, err = call(reproduce, *tiny)
    assert status == 2 and words in err.splitlines()[-1]


def test_the_list_has_every_study(call):
    status, out, _ = call(reproduce, "--list")
    assert status == 0 and [line.split("\t")[0] for line in out.splitlines()] == NAMES
    assert len(NAMES) == len(list(FOLDER.glob("*/study.py"))) >= 16


RUNS = '''
"""Two runs of recall, which note how they were trained."""

from attention_lab.storage import runs
from attention_lab.studies import Study, Claim, mean
from attention_lab.figures import style


def measure(cell, settings, train):
    trained = [run.facts["how"] for run in runs.collect(settings["runs"])[0] if run.result]
    return {"dev_accuracy": train(cell).result["dev_accuracy"], "how": ",".join(trained)}


STUDY = Study(
    "How?", (Claim("any", "any", mean("dev_accuracy"), "greater"),), {"smoke": {}},
    lambda settings: [{"seed": seed} for seed in (0, 1)], measure,
    lambda rows, settings: style.figure(1.0, 1.0), labels=["how"], config="configs/recall.py:smoke",
    overrides=lambda cell, settings, rows: {"seed": cell["seed"]})
'''


@pytest.mark.parametrize("workers", [1, 2])
def test_runs_are_trained_together_before_they_are_measured(call, tmp_path, monkeypatch, workers):
    name = f"together-{os.getpid()}"  # of the run folders, which lie in the checkout
    (tmp_path / name).mkdir()
    (tmp_path / name / "study.py").write_text(RUNS.lstrip())
    for module_name in ("attention_lab.sweeps.execution", "attention_lab.studies.measure"):
        monkeypatch.setattr(f"{module_name}.resolve_how", lambda how: "map")  # as on an accelerator
    monkeypatch.chdir(ROOT)
    try:
        status, _, err = call(reproduce, name, "--preset=smoke", f"--studies={tmp_path}",
                              f"--results={tmp_path}", f"--workers={workers}")
    finally:
        shutil.rmtree(ROOT / "runs" / "studies" / name, ignore_errors=True)
    assert status == 0, err
    with open(tmp_path / name / "runs.csv", encoding="utf-8", newline="") as file:
        assert [row["how"] for row in csv.DictReader(file)] == [
            "map,map" if workers == 1 else "loop,loop"] * 2
