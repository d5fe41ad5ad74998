"""The studies as they are committed: whole tables, the verdicts that stand beside them, and older ones."""

import csv
import json
import math
import pathlib

import pytest

from attention_lab.statistics.verdicts import LEAST
from attention_lab.storage.files import plain
from attention_lab.studies import declaration, measure, table, tables
from tests.experiments.loaded import FOLDER, MEASURED, NAMES, ROOT, study

pytestmark = pytest.mark.once

OLDER = json.loads((pathlib.Path(__file__).parent / "verdicts_of_scheme_1.json").read_text())
# Studies whose claims are known to differ from what was declared before their runs; a new one is a mistake.
CHANGED = {"signal_decay_trained": ["bias_learns_sooner: primary was true, is false"],
           "softmax_saturation": ["variance_scaled: primary was true, is false"]}


def read(name, file):
    return json.loads((FOLDER / name / file).read_text())


@pytest.mark.parametrize("name", MEASURED)
def test_tables_give_the_committed_verdicts_and_can_be_drawn(name):
    one, folder, held = study(name), FOLDER / name, read(name, "verdicts.json")
    about, rows = read(name, measure.ABOUT), table.read(folder, one.labels)
    settings = one.settings(about["preset"])
    assert measure.lacking(one.cells(settings), rows) == [] and len(rows) == len(one.cells(settings))
    resampled = one.resampled(rows) if one.resampled else {}
    found = plain(tables.record(
        one, about, declaration.declare(one, about["preset"])["claims_hash"],
        declaration.changes(one, about), one.verdicts(rows), resampled, one.left_out(rows),
        one.computed_in(rows)))
    for fresh, kept in zip(found.pop("verdicts"), held.pop("verdicts"), strict=True):
        assert fresh == {name: pytest.approx(number, rel=1e-9, abs=1e-12)
                         if isinstance(number, float) or name == "two_level" else number
                         for name, number in kept.items()}
    assert found == held
    figure = one.draw(rows, settings)
    assert any(ax.lines or ax.collections or ax.images for ax in figure.axes)


@pytest.mark.parametrize("name", OLDER)
def test_verdicts_of_the_first_scheme_are_what_they_were_less_the_threshold(name):
    """Then values were given less their threshold; seeds and verdicts are the same, and nearly every p."""
    about = read(name, measure.ABOUT)
    if about["claims_scheme"] != 1:
        pytest.skip(f"{name} was measured again")
    now = {one["name"]: one for one in read(name, "verdicts.json")["verdicts"]}
    assert set(now) == set(OLDER[name])
    for claim, (effect, low, high, p, seeds, verdict) in OLDER[name].items():
        one = now[claim]
        for number, before in (("value", effect), ("low", low), ("high", high)):
            assert one[number] == (before if before is None else pytest.approx(
                before + one["threshold"], rel=1e-9, abs=1e-12))
        # Where TOST leaves an equality open, p is that of its refutation since.
        assert one["p"] == pytest.approx(p, abs=1e-12) or (one["direction"] == "equal" and one["p"] < p)
        assert (one["seeds"], one["verdict"]) == (seeds, verdict)


@pytest.mark.parametrize("name", MEASURED)
def test_claims_are_those_that_were_declared(name):
    found = declaration.changes(study(name), read(name, measure.ABOUT))
    assert found == CHANGED.get(name, [])
    assert read(name, "verdicts.json")["changed_since_declared"] == found


def test_every_document_has_the_verdicts_as_they_are(tmp_path):
    """The tables in write-ups, ledger and README are what verdicts.json holds."""
    copies = {}
    for path in [*FOLDER.glob("*/README.md"), *FOLDER.glob("*/verdicts.json"), FOLDER / "README.md",
                 ROOT / "README.md"]:
        copies[path] = tmp_path / path.relative_to(ROOT)
        copies[path].parent.mkdir(parents=True, exist_ok=True)
        copies[path].write_bytes(path.read_bytes())
    tables.write_tables(tmp_path / "experiments" / "studies", [tmp_path / "README.md"])
    for path, copy in copies.items():
        assert copy.read_bytes() == path.read_bytes(), path


@pytest.mark.parametrize("name", MEASURED)
def test_cells_hold_numbers_and_declared_words(name):
    one = study(name)
    words = {*one.labels, "arm", "stage", "status"}
    with open(FOLDER / name / table.RUNS, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for column, text in row.items():
                assert column in words or not text or math.isfinite(float(text)), (column, text)
                assert len(text) < 40


@pytest.mark.parametrize("name", NAMES)
def test_seeds_can_decide_as_many_claims_as_there_are(name):
    """The smallest p of an exact test, times the primary claims: Holm's first step."""
    claims = sum(claim.primary for claim in study(name).claims)
    for settings in study(name).presets.values():
        if settings["seeds"] >= LEAST:
            assert claims * 2.0 ** (1 - settings["seeds"]) < 0.05


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(MEASURED)))
def test_a_study_that_is_not_yet_run_has_ten_seeds(name):
    assert study(name).presets["cpu"]["seeds"] >= 10


def test_no_study_imports_another():
    for name in NAMES:
        text = (FOLDER / name / "study.py").read_text()
        assert "experiments" not in text.replace("python -m experiments.reproduce", ""), name
        assert not set(NAMES) & {line.split()[-1] for line in text.splitlines() if line.startswith("import ")}
