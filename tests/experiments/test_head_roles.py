"""The study head_roles: planted costs of heads are judged; heads are picked on one half of the sentences."""

from types import SimpleNamespace

import numpy as np
import pytest

from attention_lab.analysis.head_roles import EVEN, Linked
from tests.experiments.loaded import module, study, verdicts

STUDY, ROLES = study("head_roles"), module("head_roles")
AGREEMENT_HEAD, GENDER_HEAD = 5, 17  # of 24


def planted(special, found):
    """A row for each seed; special: two heads or one for both; found: lead of the best head."""
    rows = []
    for cell in STUDY.cells(STUDY.settings("cpu")):
        rng = np.random.default_rng(cell["seed"])
        lost = rng.uniform(0.0, 1.0, (2, 2, 24))  # (choice, half, head)
        lost[0, :, AGREEMENT_HEAD] += 10.0
        lost[1, :, GENDER_HEAD if special else AGREEMENT_HEAD] += 20.0
        noise = rng.uniform(0.0, 0.01)
        rows.append(cell | {name: lost for name in ("lost_mean", "lost_zero", "odds_mean", "odds_zero")} | {
            f"{relation}_{name}": 0.5 + noise + (found if name == "head" else 0.0)
            for relation in ROLES.RELATIONS for name in ("head", "fixed")})
        rows[-1]["odds_zero"] = lost + np.array([1.0 + noise, 0.0])[:, None, None]
    return rows


def test_two_special_heads_dissociate_and_one_for_both_does_not():
    special, common = (verdicts(STUDY, planted(special, 0.2)) for special in (True, False))
    assert set(special.values()) == {"supported"}
    crossed = {"agreement_has_a_head", "gender_has_a_head", "beyond_permuted_labels"}
    assert all(common[name] != "supported" for name in crossed) and common["subject_head"] == "supported"
    assert common["beyond_permuted_labels"] == "refuted"


def test_heads_that_find_no_more_than_a_distance_support_nothing():
    given = verdicts(STUDY, planted(True, 0.0))
    assert {given[f"{relation}_head"] for relation in ROLES.RELATIONS} == {"inconclusive"}


class OfHalves:
    """Choices of four sentences: two verbs in even ones and one in an odd one, a pronoun in each half."""

    sentence = {"agreement": np.array([0, 1, 2]), "pronoun": np.array([2, 3])}


def test_losses_are_counted_in_each_half():
    whole = {"agreement": np.array([1.0, 2.0, 3.0]), "pronoun": np.array([1.0, -1.0])}
    without = {"agreement": np.array([-1.0, 1.0, 2.0]), "pronoun": np.array([0.5, 1.0])}
    (agreement, pronoun), (agreement_odds, pronoun_odds) = ROLES._lost(OfHalves, whole, without)
    assert agreement == [50.0, 0.0] and pronoun == [0.0, -100.0]
    assert agreement_odds == pytest.approx([1.5, 1.0]) and pronoun_odds == pytest.approx([0.5, -2.0])


class OfCosts(OfHalves):
    """Log-odds that fall by what the parameters say, those of pronouns by twice as much."""

    def __init__(self, translator, sentences):
        assert sentences == "truth of test"

    def log_odds(self, params):
        return {"agreement": np.array([1.0, 2.0, -3.0]) - params,
                "pronoun": np.array([1.0, -1.0]) - 2 * params}


def test_each_head_is_left_out_and_means_are_those_of_dev(monkeypatch):
    """Head a costs 0.4 nats by its mean and 2.5 by zeros, head b 1.5 and 3.5."""
    means, costs = {"a": 10.0, "b": 20.0}, {10.0: 0.4, 20.0: 1.5}

    def contexts(model, params, given, hyper):
        assert given == "source of dev, target of dev"
        return means

    def without(params, head, model, mean=None):
        assert mean in (None, means[head])
        return {"a": 2.5, "b": 3.5}[head] if mean is None else costs[mean]

    splits = {name: SimpleNamespace(source=f"source of {name}", target=f"target of {name}",
                                    truth=f"truth of {name}") for name in ("dev", "test")}
    translator = SimpleNamespace(model=None, hyper=None, config=SimpleNamespace(model=None),
                                 attention=lambda params, source, target: (source, target))
    looks = []

    def linked(attentions, truth, relation):
        looks.append((*attentions, truth))
        return Linked(0.5, list(ROLES.RELATIONS).index(relation), 0.25, -1, 7)

    for name, new in {
            "Choices": OfCosts, "linked": linked, "load_corpus": lambda data, names: splits,
            "head_ablation": SimpleNamespace(mean_contexts=contexts, without=without),
            "batches": lambda translator, source, target: f"{source}, {target}",
            "load": lambda folder: SimpleNamespace(translator=translator, params=0.0, run=SimpleNamespace(
                config=SimpleNamespace(data=None)))}.items():
        monkeypatch.setitem(ROLES.measure.__globals__, name, new)
    row = ROLES.measure({}, {}, lambda cell: SimpleNamespace(
        folder=None, result={"status": "finished", "dev_bleu": 9.0}))
    assert row["agreement_accuracy"] == pytest.approx(2 / 3) and row["pronoun_accuracy"] == 0.5
    assert (row["agreement_cases"], row["pronoun_cases"], row["dev_bleu"]) == (3, 2, 9.0)
    # (choice, half, head)
    np.testing.assert_allclose(row["odds_mean"], [[[0.4, 1.5]] * 2, [[0.8, 3.0]] * 2])
    np.testing.assert_allclose(row["odds_zero"], [[[2.5, 3.5]] * 2, [[5.0, 7.0]] * 2])
    np.testing.assert_allclose(row["lost_mean"], [[[0, 50], [0, 0]], [[0, 100], [0, 0]]])
    np.testing.assert_allclose(row["lost_zero"], [[[50, 50], [100, 100]], [[100, 100], [0, 0]]])
    assert looks == [("source of test", "target of test", "truth of test")] * 3
    assert [row[f"{name}_number"] for name in ROLES.RELATIONS] == [0, 1, 2]
    assert (row["noun_head"], row["noun_fixed"], row["noun_count"]) == (0.5, 0.25, 7)


def test_every_claim_reads_the_choice_and_the_ablation_that_it_names():
    """Costs of both heads in odd sentences: agreement 10 and 1, gender 2 and 5, times 1 to 3 by column."""
    rows = planted(True, 0.25)
    for row in rows:
        for factor, name in enumerate(("odds_mean", "odds_zero", "lost_mean"), 1):
            row[name] = np.zeros((2, 2, 24))
            row[name][:, :, AGREEMENT_HEAD] = factor * np.array([[10.0], [2.0]])
            row[name][:, :, GENDER_HEAD] = factor * np.array([[1.0], [5.0]])
        row["lost_zero"] = np.full((2, 2, 24), np.nan)
    values = {name: each[0] for name, each in STUDY.values(rows).items()}
    assert (values["agreement_has_a_head"], values["gender_has_a_head"]) == (9.0, 3.0)
    assert (values["agreement_zeros"], values["gender_zeros"]) == (18.0, 6.0)
    assert (values["agreement_errors"], values["gender_errors"]) == (27.0, 9.0)
    # The leads of agreement over gender are 8, -4 and 22 times 0: 552 ordered pairs.
    assert values["beyond_permuted_labels"] == pytest.approx(12.0 - np.quantile(
        [12.0, -12.0, *[8.0, -8.0, 4.0, -4.0] * 22, *[0.0] * 462], 0.95))
    assert values["noun_head"] == pytest.approx(0.25)


def test_the_figure_shows_the_half_that_heads_are_scored_on():
    rows = planted(True, 0.2)
    for row in rows:
        row["odds_mean"] = row["odds_mean"].copy()
        row["odds_mean"][:, EVEN] += 100.0
    every, crossed, _ = STUDY.draw(rows, STUDY.settings("cpu")).axes
    for ax in (every, crossed):
        assert max(line.get_ydata().max() for line in ax.lines) < 30
    bars = [line.get_ydata()[0] for line in crossed.lines if line.get_marker() == "None"]
    assert bars[0] > 10 > bars[1] and bars[2] < 10 < 20 < bars[3]
