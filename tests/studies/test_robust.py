"""What a verdict survives: planted means, and the runs that are made of a study's."""

import pytest

from attention_lab.config.load import load
from attention_lab.studies import Claim, Study, difference, function, robust, varied
from attention_lab.studies.recipes import runs
from tests.studies.studies import draw

CLAIM = {"name": "better", "statement": "a scores more", "direction": "greater", "threshold": 2.0,
         "margin": 0.5, "verdict": "supported"}


@pytest.mark.parametrize("changed, yes, no", [
    ({}, [2.1, 9.0], [1.9, -9.0, 2.0]),
    ({"direction": "less"}, [1.9], [2.1, 2.0]),
    ({"margin": None}, [2.1], [1.9]),
    ({"verdict": "refuted"}, [1.9, 2.4, -9.0], [2.6]),
    ({"verdict": "refuted", "margin": None}, [1.9, 2.0], [2.1]),
    ({"verdict": "refuted", "direction": "less"}, [2.1, 1.6], [1.4]),
    ({"direction": "equal"}, [1.6, 2.4], [1.4, 2.6]),
    ({"direction": "equal", "verdict": "refuted"}, [1.4, 2.6], [1.6, 2.4]),
])
def test_a_mean_lies_where_the_verdict_says_or_it_does_not(changed, yes, no):
    verdict = CLAIM | changed
    assert [robust.survives(verdict, value) for value in yes] == [True] * len(yes)
    assert [robust.survives(verdict, value) for value in [*no, None]] == [False] * (len(no) + 1)
    assert robust.survives(verdict | {"verdict": "inconclusive"}, yes[0]) is None


def kept(steps, rates):
    """values.json with means at two factors and as many rates as are given."""
    means = [{"vary": "steps", "to": to, "seeds": 4, "values": {"better": value}}
             for to, value in zip((0.5, 4.0), steps)]
    means += [{"vary": "rate", "to": to, "seeds": 3, "values": {"better": value}}
              for to, value in zip((0.01, 0.03), rates)]
    return {"declared_hash": "abc", "means": means}


@pytest.mark.parametrize("steps, rates, word", [
    ([3, 3], [3, 3], "all"), ([3, 3], [3, 1], "budget"), ([3, 1], [3, 3], "rate"), ([3, 3], [], "budget"),
    ([1, 3], [], "not 0.5 x steps"), ([3, 1], [None, 3], "not 4 x steps, rate 0.01")])
def test_the_word_says_what_a_verdict_survives(steps, rates, word):
    assert robust.word(CLAIM, kept(steps, rates), "abc") == word
    assert robust.word(CLAIM, kept(steps, rates), "def") == "of other claims"
    assert robust.word(CLAIM, None, "abc") == ""
    assert robust.word(CLAIM | {"verdict": "inconclusive"}, kept(steps, rates), "abc") == ""


def test_the_table_marks_what_breaks_a_verdict():
    head, line = robust.lines({"verdicts": [CLAIM], "declared_hash": "abc"}, kept([3, 1], [None, 3]))
    assert head == ["claim", "verdict", "0.5 x steps (4)", "4 x steps (4)", "rate 0.01 (3)", "rate 0.03 (3)",
                    "robust"]
    assert line == ["a scores more", "supported", "3", "1 !", "no value !", "3", "not 4 x steps, rate 0.01"]


SETTINGS = {"seeds": 7, "rates": (0.01, 0.03), "config": {"training.steps": 10}, "arms": {"a": {}, "b": {
    "training.steps": 30}}}


def cells(settings):
    return runs.crossed(stage=["tune"], arm="ab", rate=settings["rates"], seed=[100]) + runs.crossed(
        stage=["final"], arm="ab", rate=[None], seed=range(settings["seeds"]))


def overrides(cell, settings, rows):
    rate = cell["rate"] or (rows and max(row["score"] for row in rows if row["stage"] == "tune"))
    return settings["config"] | settings["arms"][cell["arm"]] | {"optimizer.learning_rate": rate,
                                                                 "seed": cell["seed"]}


def measure(cell, settings, train):
    changes = train(cell)
    return {"score": changes["optimizer.learning_rate"] * changes["training.steps"],
            "last": settings["config"]["training.steps"]}


STUDY = Study("Is a better?", (Claim("better", "a scores more", difference("score", "a", "b", stage="final"),
                                     "greater"),),
              {"smoke": SETTINGS}, cells, measure, draw, config="configs/recall.py:smoke", name="tiny",
              overrides=overrides)
TUNED = [{"stage": "tune", "arm": "a", "seed": 100, "score": 0.02},
         {"stage": "final", "arm": "a", "seed": 0, "score": 9.0}]


def test_final_cells_of_four_seeds_are_varied_and_no_others():
    found = varied.varied(STUDY, TUNED).cells(STUDY.settings("smoke"))
    assert [(row["vary"], row["to"]) for row in found[::8]] == [
        ("steps", 0.5), ("steps", 2.0), ("steps", 4.0), ("rate", 0.01), ("rate", 0.03)]
    assert len(found) == 5 * 8 and {row["stage"] for row in found} == {"final"}
    assert {row["seed"] for row in found} == {0, 1, 2, 3}
    assert {row["rate"] for row in found} == {None, 0.01, 0.03}
    scarce = varied.varied(STUDY, TUNED).cells(STUDY.settings("smoke") | {"seeds": 3})
    assert len(scarce) == 5 * 6 and {row["seed"] for row in scarce} == {0, 1, 2}  # and none that tunes
    alone = STUDY.settings("smoke") | {"rates": (0.01,)}
    assert {row["vary"] for row in varied.varied(STUDY, TUNED).cells(alone)} == {"steps"}
    few = varied.varied(STUDY, TUNED, factors=[3.0], seeds=2).cells(alone)
    assert [(row["to"], row["arm"], row["seed"]) for row in few] == [
        (3.0, arm, seed) for arm in "ab" for seed in (0, 1)]


def rows_of(other, settings):
    """The rows of the varied study, whose runs are their changes."""
    return [cell | other.measure(cell, settings, lambda cell: other.overrides(cell, settings, []))
            for cell in other.cells(settings)]


def test_steps_and_rates_are_those_of_the_variation():
    other, settings = varied.varied(STUDY, TUNED), STUDY.settings("smoke")
    by = {(row["to"], row["arm"]): row for row in rows_of(other, settings) if row["seed"] == 3}
    assert {at: (row["score"], row["last"]) for at, row in by.items()} == {
        (0.5, "a"): (pytest.approx(0.02 * 5), 5), (0.5, "b"): (pytest.approx(0.02 * 15), 5),
        (2.0, "a"): (pytest.approx(0.02 * 20), 20), (2.0, "b"): (pytest.approx(0.02 * 60), 20),
        (4.0, "a"): (pytest.approx(0.02 * 40), 40), (4.0, "b"): (pytest.approx(0.02 * 120), 40),
        (0.01, "a"): (pytest.approx(0.01 * 10), 10), (0.01, "b"): (pytest.approx(0.01 * 30), 10),
        (0.03, "a"): (pytest.approx(0.03 * 10), 10), (0.03, "b"): (pytest.approx(0.03 * 30), 10)}


def test_steps_that_the_config_file_alone_has_are_multiplied_too():
    bare = STUDY._replace(overrides=lambda cell, settings, rows: {"seed": cell["seed"]})
    other = varied.varied(bare, TUNED)
    changes = other.overrides({"vary": "steps", "to": 4.0, "seed": 1}, STUDY.settings("smoke"), None)
    assert changes == {"seed": 1, "training.steps": 4 * load(STUDY.config).training.steps}


def test_means_are_of_each_variation_and_empty_cells_have_none():
    other, settings = varied.varied(STUDY, TUNED), STUDY.settings("smoke")
    rows = rows_of(other, settings)
    found = varied.means(STUDY, rows, TUNED)
    assert [at["values"]["better"] for at in found] == pytest.approx([-0.2, -0.8, -1.6, -0.2, -0.6])
    assert [at["seeds"] for at in found] == [4] * 5
    rows[0]["score"] = None
    assert [at["values"]["better"] is None for at in varied.means(STUDY, rows, TUNED)] == [True] + [False] * 4


def test_functions_of_values_read_the_tuning_rows_of_the_study():
    def tuned(rows):
        best = max(row["score"] for row in rows if row["stage"] == "tune")
        return {row["seed"]: best for row in rows if row["stage"] == "final"}

    one = STUDY._replace(claims=(Claim("tuned", "it was tuned", function("tuned"), "greater"),),
                         functions={"tuned": tuned})
    rows = rows_of(varied.varied(one, TUNED), one.settings("smoke"))
    assert [at["values"]["tuned"] for at in varied.means(one, rows, TUNED)] == pytest.approx([0.02] * 5)


def test_a_study_that_trains_nothing_is_refused():
    with pytest.raises(ValueError, match="tiny trains nothing of its own: --robust has no steps to vary"):
        varied.varied(STUDY._replace(config=""), TUNED)
