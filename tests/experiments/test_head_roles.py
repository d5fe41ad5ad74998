"""The study head_roles: planted costs of heads are judged; heads are picked on one half of the sentences."""

import numpy as np
import pytest

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


def test_heads_are_picked_on_even_sentences_and_scored_on_odd_ones():
    lost = np.zeros((2, 2, 24))
    lost[0, ROLES.EVEN, 3], lost[1, ROLES.EVEN, 8] = 5.0, 6.0
    lost[0, ROLES.ODD, 4], lost[1, ROLES.ODD, 8] = 50.0, 7.0
    found = ROLES.dissociation_of({"odds_mean": lost}, "odds_mean")
    assert (found.first, found.second, found.in_first, found.in_second) == (3, 8, 0.0, 7.0)


class OfHalves:
    """Choices of four sentences: two verbs in even ones and one in an odd one, a pronoun in each half."""

    sentence = {"agreement": np.array([0, 1, 2]), "pronoun": np.array([2, 3])}


def test_losses_are_counted_in_each_half():
    whole = {"agreement": np.array([1.0, 2.0, 3.0]), "pronoun": np.array([1.0, -1.0])}
    without = {"agreement": np.array([-1.0, 1.0, 2.0]), "pronoun": np.array([0.5, 1.0])}
    (agreement, pronoun), (agreement_odds, pronoun_odds) = ROLES._lost(OfHalves, whole, without)
    assert agreement == [50.0, 0.0] and pronoun == [0.0, -100.0]
    assert agreement_odds == pytest.approx([1.5, 1.0]) and pronoun_odds == pytest.approx([0.5, -2.0])
