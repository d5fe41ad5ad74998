"""agreement_attractors: planted preferences give the verdicts that they should, arms have equal weights."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

from attention_lab import models
from attention_lab.config.load import load
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.data.verbs import Verbs
from attention_lab.studies.recipes import rates
from attention_lab.studies.recipes.architectures import parameters
from tests.experiments.loaded import module, study, verdicts

NAME = "agreement_attractors"
STUDY, HERE = study(NAME), module(NAME)
CPU = STUDY.settings("cpu", data="elsewhere")
T, LSTM = HERE.ARMS


def planted(seeds, lead=0.1, fall=0.3):
    """Rows of both corpora; odds of 97 sentences, of which a share that falls with attractors is right."""
    random = np.random.default_rng(0)
    attractors, singular = np.arange(97) % 4, np.arange(97) % 3 == 0
    given = []
    for cell in HERE.cells(CPU | {"seeds": seeds}):
        shares = {"0": 0.8, "1": 0.8 - fall / 2, "2": 0.8 - fall, "3up": 0.8 - fall, "2up": 0.8 - fall,
                  "1up": 0.8 - 0.8 * fall + lead * (cell["arm"] == T)}
        row = cell | {"late_rise": 0.03 if cell["arm"] == LSTM else 0.0, "odds": random.normal(
                          0.5, 1.0, 97), "unigram": np.where(singular, -1.0, 1.0), "singular": singular * 1.0,
                      "attractors": attractors * 1.0, "dev_log_likelihood": -5.0 - (cell["rate"] or 0.0),
                      "curve": np.array([[100.0, 300.0], [200.0, 200.0]])}
        for group, share in shares.items():
            row |= {f"balanced_{group}": share + 0.001 * (cell["seed"] % 3), f"share_{group}": share,
                    f"unigram_{group}": 0.5, f"unigram_share_{group}": 0.6,
                    f"bigram_{group}": 0.55, f"scored_{group}": 24}
        given.append(row)
    return given


def test_what_is_planted_supports_the_claims():
    given = verdicts(STUDY, planted(10))
    primary = {claim.name for claim in STUDY.claims if claim.primary}
    assert {given[name] for name in primary} == {"supported"}, given
    assert given["grammar_lstm_falls"] == given["beyond_bigrams"] == "supported"
    assert given["attracted"] == given["leads_without"] == given["falls_alike"] == "refuted"


def test_equals_support_nothing():
    given = verdicts(STUDY, planted(10, lead=0.0, fall=0.0))
    assert {given[name] for name in ("transformer_falls", "lstm_falls", "transformer_leads")} == {"refuted"}


def test_a_run_that_diverged_counts_as_guessing():
    rows = planted(10)
    for row in rows:
        if (row["stage"], row["arm"], row["seed"]) == ("final", T, 4):
            row["balanced_0"] = None
    assert STUDY.values(rows)["transformer_learns"][4] == 0.0
    assert min(STUDY.values(rows)["transformer_learns"][5:]) > 0.2


@pytest.mark.parametrize("preset", STUDY.presets)
def test_arms_have_equal_weights_and_configs_that_build(preset):
    settings = STUDY.settings(preset, data="elsewhere")
    counts = {}
    for cell in STUDY.cells(settings):
        config = merge(load(STUDY.config_file(settings)), STUDY.overrides(cell | {"rate": 0.1}, settings, []))
        check(config)
        shapes = jax.eval_shape(models.build(config, 97).init, jax.random.key(0))
        counts[cell["corpus"], cell["arm"]] = parameters(shapes)
        real = settings["files"].get(cell["corpus"])
        assert config.data.directory == ("elsewhere/linzen-agreement" if real else "")
    assert len(counts) == 4 and not {seed for seed in rates.TUNING_SEEDS} & set(range(settings["seeds"]))
    for corpus in settings["corpora"]:
        assert counts[corpus, LSTM] == pytest.approx(counts[corpus, T], rel=0.06)


def test_the_rate_is_the_best_on_dev_and_test_is_not_read_before():
    rows = [{"corpus": corpus, "arm": arm, "stage": "tune", "rate": rate, "seed": seed,
             "dev_log_likelihood": None if (rate, seed) == (0.01, 101) else -5.0 - abs(rate - best)}
            for corpus, arm, best in (("text", T, 0.01), ("text", LSTM, 0.003), ("grammar", T, 0.003))
            for rate in (0.003, 0.005, 0.01) for seed in (100, 101)]
    final = {"corpus": "text", "arm": T, "stage": "final", "rate": None, "seed": 3}
    assert HERE.overrides(final, CPU, rows)["optimizer.learning_rate"] == 0.005
    assert HERE.overrides(final | {"arm": LSTM}, CPU, rows)["optimizer.learning_rate"] == 0.003
    assert HERE.overrides(final, CPU, rows)["data.split"] == "test"
    assert HERE.overrides(final | {"stage": "tune", "rate": 0.1}, CPU, None)["data.split"] == "dev"


def test_the_real_sentences_are_scored_for_where_they_are_missing():
    with pytest.raises(ValueError, match="give --data=DIR, or set ATTENTION_LAB_DATA.*linzen-agreement"):
        STUDY.check(STUDY.settings("cpu"))
    STUDY.check(STUDY.settings("smoke"))


@pytest.mark.parametrize("status", ["finished", "diverged"])
def test_accuracy_by_attractors_by_hand(monkeypatch, status):
    """Two singular and two plural verbs without attractors, one verb with two, one whose form is unknown."""
    verbs = Verbs(["w"] * 6, [0] * 6, ["is", "is", "are", "are", "are", "is"],
                  ["are", "are", "is", "is", "is", "are"], [0, 0, 0, 0, 2, 0])
    odds = np.array([1.0, 2.0, 1.0, -1.0, 1.0, np.nan])
    pairs = SimpleNamespace(log_odds=lambda model, params, verbs, length: {7: odds}[length],
                            scored=lambda tokenizer, verbs, length: ~np.isnan({7: odds}[length]))
    counts = SimpleNamespace(**(vars(HERE.verb_numbers) | {
        "unigram": lambda train, verbs: np.array([1, 1, -1, -1, -1, 1])}))
    run = SimpleNamespace(config=SimpleNamespace(data=SimpleNamespace(split="test", context=7)))
    loaded = SimpleNamespace(run=run, params=None, model=SimpleNamespace(tokenizer=None))
    for name, new in {"load": lambda folder: loaded,
                      "sources": SimpleNamespace(load=lambda data, names: {"train": verbs, "test": verbs}),
                      "verb_numbers": counts, "minimal_pairs": pairs, "parameters": lambda params: 5}.items():
        monkeypatch.setitem(HERE.measure.__globals__, name, new)
    row = HERE.measure({"stage": "final"}, {}, lambda cell: SimpleNamespace(
        folder=None, changes={"optimizer.learning_rate": 0.1},
        evaluations=[{"step": 10, "dev_perplexity": 9.0}, {"step": 20, "dev_perplexity": 3.0}],
        result={"status": status, "train_seconds": 3.0, "dev_perplexity": 3.0}))
    assert row["verbs_0"] == 5 and row["verbs_2up"] == 1
    assert row["balanced_2up"] is None  # no singular verb has two attractors
    if status == "finished":
        assert (row["scored_0"], row["share_0"], row["balanced_0"], row["share_2up"]) == (4, 0.75, 0.75, 1.0)
        assert (row["unigram_0"], row["unigram_share_0"], row["unigram_share_2up"]) == (0.5, 0.5, 0.0)
        assert row["dev_log_likelihood"] == pytest.approx(-np.log(3.0))
        assert row["late_rise"] == pytest.approx(np.log(3.0))
    else:
        assert (row["scored_0"], row["share_0"], row["balanced_0"]) == (4, 0.5, 0.5)
        assert row["dev_log_likelihood"] is row["late_rise"] is None


def test_intervals_over_sentences_hold_what_the_seeds_have():
    rows = planted(6)
    final = [row for row in rows if (row["stage"], row["corpus"]) == ("final", "text")]
    for row in final:  # all right without attractors, and with them the Transformer alone
        row["odds"] = np.where((row["attractors"] == 0) | (row["arm"] == T), 1.0, -1.0)
        row["odds"][0] = np.nan
    given = {name: interval[:2] for name, interval in STUDY.resampled(rows).items()}
    assert set(given) == {claim.name for claim in STUDY.claims if claim.primary}
    assert given["transformer_learns"] == pytest.approx((0.5, 0.5)) == given["lstm_learns"]
    assert given["transformer_falls"] == pytest.approx((0.0, 0.0))
    assert given["lstm_falls"] == given["transformer_leads"] == pytest.approx((1.0, 1.0))


def test_the_figure_has_three_panels_a_corpus():
    rows = planted(3)
    for row in rows:
        if row["corpus"] == "grammar":
            row["balanced_3up"] = row["unigram_3up"] = None
    figure = STUDY.draw(rows, CPU)
    assert [ax.get_title() for ax in figure.axes] == ["text"] * 3 + ["grammar"] * 3
    assert figure.get_suptitle().endswith(f"last fifth: text {LSTM}, grammar {LSTM}")
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        "Transformer", "LSTM", "more frequent form", "after the word before"]
    assert figure.axes[0].get_xticklabels()[3].get_text() == "3 or more\n(24)"
