"""sentence_length_dose: scores with the own and with another's source, rates selected on dev, L50."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from attention_lab.config import replace
from attention_lab.config.rules import check
from attention_lab.studies import table
from attention_lab.studies.measure import train
from attention_lab.studies.recipes import rates
from attention_lab.studies.recipes.lengths import length_at, unseen
from configs.translation import get_config
from tests.experiments.loaded import module, study, verdicts

STUDY, DOSE = study("sentence_length_dose"), module("sentence_length_dose")
CPU = STUDY.settings("cpu")


def config_of(cell, rows, settings=CPU):
    """The config of the run behind a cell."""
    return replace(get_config(settings["variant"]), DOSE.overrides(cell, settings, rows))


@pytest.mark.parametrize("preset", ["smoke", "cpu", "accelerator"])
def test_arms_differ_in_attention_and_sizes_in_the_state(preset):
    settings = STUDY.settings(preset)
    cells = [cell | {"rate": 0.1} for cell in DOSE.cells(settings) if cell["stage"] == "final"
             and cell["seed"] == 1]
    for cell in cells:
        config = config_of(cell, [], settings)
        check(config)
        assert config.model.hidden == cell["units"]
        assert config.training.steps == settings["steps"][cell["arm"]]
        kind, attends = config.model.kind, config.attention.compatibility
        assert (cell["arm"], kind, attends) in {
            ("gru", "gru", "none"), ("gru, additive", "gru", "additive"),
            ("transformer", "transformer", "dot")}
        assert (config.model.positions == "rotary") == (kind == "transformer")
        assert config.data.split == "dev"
    assert len(cells) == (5 if preset == "smoke" else 7)


def test_the_rate_is_that_of_the_lowest_loss_in_short_runs():
    rows = [{"stage": "tune", "arm": "gru", "units": 128, "rate": rate, "seed": seed, "dev_loss": loss}
            for rate, losses in {0.01: (0.9, None), 0.001: (2.5, 1.7), 0.003: (2.2, 1.2)}.items()
            for seed, loss in zip(rates.TUNING_SEEDS, losses)]
    rows += [row | {"arm": "transformer", "dev_loss": 9.0 * (row["rate"] == 0.003)} for row in rows]
    cell = {"stage": "final", "arm": "gru", "units": 64, "rate": None, "seed": 3}
    final = config_of(cell, rows)
    assert (final.optimizer.learning_rate, final.seed) == (0.003, 3)
    tried = config_of(cell | {"stage": "tune", "rate": 0.01}, rows)
    assert (tried.optimizer.learning_rate, tried.training.steps) == (0.01, CPU["tuning_steps"]["gru"])


def test_no_seed_is_tuned_and_scored():
    cells = DOSE.cells(CPU)
    seeds = {stage: {cell["seed"] for cell in cells if cell["stage"] == stage} for stage in ("tune", "final")}
    assert {(cell["arm"], cell["units"]) for cell in cells if cell["stage"] == "tune"} == {
        ("gru", 128), ("gru, additive", 128), ("transformer", 224)}
    assert len(seeds["tune"]) == 4 and len(seeds["final"]) == 10 and not seeds["tune"] & seeds["final"]


@pytest.mark.parametrize("scores, wanted", [
    ((90.0, 70.0, 10.0), 20 * 2 ** (20 / 60)), ((90.0, 50.0, 40.0), 20.0), ((40.0, 60.0, 70.0), 5.0),
    ((90.0, 80.0, 51.0), 40.0), ((90.0, 30.0, 80.0), 5 * 4 ** (40 / 60))])
def test_the_length_at_fifty_is_read_between_lengths(scores, wanted):
    assert length_at(np.array([5, 20, 40]), np.array(scores), 50.0) == pytest.approx(wanted)


def test_scores_are_of_the_own_source_and_floors_of_anothers(tmp_path):
    settings = STUDY.settings("smoke", runs=tmp_path / "runs")
    cell = {"stage": "final", "arm": "gru, additive", "units": 8, "rate": 0.01, "seed": 1}
    row = cell | DOSE.measure(cell, settings, partial(train, STUDY, settings, []))
    table.write(tmp_path, [row], list(cell))
    (kept,), lengths = table.read(tmp_path), settings["lengths"]
    assert kept["bleu"].shape == kept["floor"].shape == (len(lengths),)
    assert kept["forced"].shape == kept["forced_floor"].shape == (len(lengths), DOSE.TENTHS)
    assert row["far_bleu"] == row["bleu"][-1] and row["far_forced_last"] == row["forced"][-1, -1]
    tune = DOSE.measure(cell | {"stage": "tune"}, settings, partial(train, STUDY, settings, []))
    assert set(tune) | set(cell) == set(row) and tune["bleu"] is None and tune["dev_loss"] > 0


def test_losses_are_the_last_and_bleu_is_the_best(monkeypatch):
    evaluations = [{"step": step, "dev_bleu": bleu, "dev_loss": loss} for step, bleu, loss in (
        (1, 5.0, 3.0), (2, 10.0, 2.5), (3, 20.0, 2.0), (4, 30.0, 1.0), (5, 25.0, 1.5))]
    run = SimpleNamespace(evaluations=evaluations, folder=None, changes={"optimizer.learning_rate": 0.1},
                          result={"status": "finished"})
    row = DOSE.measure({"stage": "tune"}, CPU, lambda cell: run)
    assert (row["dev_loss"], row["dev_bleu"], row["late_rise"]) == (1.5, 30.0, -5.0)
    run.result = {"status": "diverged"}
    row = DOSE.measure({"stage": "tune"}, CPU, lambda cell: run)
    assert row["dev_loss"] is row["dev_bleu"] is row["late_rise"] is row["bleu"] is None


def test_a_run_that_diverged_has_nothing_right(monkeypatch):
    run = SimpleNamespace(evaluations=[], folder=None, changes={"optimizer.learning_rate": 0.1},
                          result={"status": "diverged"})
    row = DOSE.measure({"stage": "final"}, CPU, lambda cell: run)
    assert (row["far_bleu"], row["near_first"], row["l50"]) == (0.0, 0.0, min(DOSE.LENGTHS))
    translated = {"lengths", "bleu", "floor", "first", "first_floor", "forced", "forced_floor"}
    assert row["forced"].shape == (len(DOSE.LENGTHS), DOSE.TENTHS) and not row["bleu"].any()
    assert all(row[name] is not None for name in (*translated, "far_forced_floor_last"))


class Copying:
    """A translator that writes the reference of the source that it is given."""

    def __init__(self, pairs):
        self.known = {pair.source: pair.target for pair in pairs}
        self.translator, self.params = self, None

    def translate(self, params, sources, beam):
        return type("Texts", (), {"texts": [self.known[source] for source in sources]})


def test_the_floor_gives_each_reference_the_source_of_another_sentence(monkeypatch):
    trained = Copying(unseen(get_config("smoke").data, 5, 7))
    trained.config = get_config("smoke")
    given = []

    def right(translator, params, sources, references):
        given.append([translator.known[source] == target for source, target in zip(sources, references)])
        return [np.array([same]) for same in given[-1]]

    monkeypatch.setitem(DOSE.by_lengths.__globals__, "right_tokens", right)
    row = DOSE.by_lengths(trained, (5,), 7)
    assert row["bleu"] == [pytest.approx(100.0)] and row["floor"][0] < 60 and row["first_floor"][0] < 1
    assert given == [[True] * 7, [False] * 7]


def test_near_is_ten_words_and_far_the_longest(monkeypatch):
    """Scores are the number of words; the first three words score a tenth of it, the last three nothing."""
    fakes = {
        "unseen": lambda data, length, count: [SimpleNamespace(source=f"{length}", target="")] * count,
        "by_length": lambda sources, references, texts, edges: [
            SimpleNamespace(bleu=float(sources[0]), first=float(sources[0]) / 10, last=0.0)],
        "right_tokens": lambda translator, params, sources, references: [
            np.arange(10) >= 10 - int(sources[0])]}
    for name, new in fakes.items():
        monkeypatch.setitem(DOSE.by_lengths.__globals__, name, new)
    trained = Copying([])
    trained.translate = lambda *given: SimpleNamespace(texts=[""] * 3)
    trained.config = SimpleNamespace(data=None)
    row = DOSE.by_lengths(trained, (3, 9, 14), 3)
    assert row["bleu"].tolist() == row["floor"].tolist() == [3.0, 9.0, 14.0]
    assert (row["near_bleu"], row["far_bleu"], row["near_first"], row["far_first"]) == (9.0, 14.0, 0.9, 1.4)
    assert (row["near_forced_first"], row["near_forced_last"]) == (0.0, 1.0)
    assert row["forced"].shape == (3, 10) and row["forced"][0].tolist() == [0.0] * 7 + [1.0] * 3


def test_seeds_that_hold_all_lengths_are_arrows():
    lengths = np.array(CPU["lengths"])
    rows = [cell | {"lengths": lengths, "late_rise": 0.0, "l50": 20.0 if cell["arm"] == "gru" else 60.0}
            | {name: np.zeros(len(lengths)) for name in ("bleu", "floor", "first", "first_floor")}
            | {name: np.zeros((len(lengths), DOSE.TENTHS)) for name in ("forced", "forced_floor")}
            for cell in DOSE.cells(CPU) if cell["stage"] == "final"]
    ax = STUDY.draw(rows, CPU).axes[2]
    assert [text.get_text() for text in ax.texts] == ["10"] * 4
    dots = [len(line.get_ydata()) for line in ax.lines if line.get_marker() == "o"]
    assert dots == [10] * 3 + [0] * 4


def test_claims_are_judged_by_what_is_planted():
    def rows(of):
        return [cell | {column: value + 1e-3 * (cell["seed"] % 3) for column, value in of(**cell).items()}
                for cell in DOSE.cells(CPU) if cell["stage"] == "final"]

    def good(arm, units, **cell):
        return {"l50": units / 8 if arm == "gru" else 60.0, "far_bleu": 20.0 if arm == "gru" else 96.0,
                "near_bleu": 97.0, "far_floor": 2.0,
                "far_first": 0.8 + units / 2000 if arm == "gru" else 0.97,
                "far_forced_first": 0.9, "far_forced_floor_first": 0.3, "far_forced_floor_last": 0.3,
                "far_forced_last": 0.6 if arm == "gru" else 0.9}

    given = verdicts(STUDY, rows(good))
    assert set(given.values()) == {"supported"}, given

    def bad(arm, units, **cell):
        return {"l50": 10.0 if arm == "gru" else 60 * (units / 256) ** 0.5, "far_bleu": 50.0,
                "near_bleu": 97.0, "far_floor": 60.0, "far_first": 0.8 - units / 2000,
                "far_forced_first": 0.6, "far_forced_floor_first": 0.5, "far_forced_floor_last": 0.1,
                "far_forced_last": 0.6}

    given = verdicts(STUDY, rows(bad))
    assert {given[name] for name in ("attention_flat", "steeper", "transformer_holds", "first_words_kept",
                                     "first_words_grow", "first_words_attention", "late_words_lost",
                                     "source_used")} == {"refuted"}, given
