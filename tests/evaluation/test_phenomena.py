"""Sense, agreement and pronoun accuracy on sentences written by hand."""

import random
from types import SimpleNamespace

import pytest

from attention_lab.evaluation.phenomena import accuracies, align


def sentence(french, senses=(), agreement=(), antecedents=()):
    """A record with the fields that scoring reads; each case is (place, right, wrong)."""
    words = tuple(french.split())
    for place, right, _ in (*senses, *agreement, *antecedents):
        assert words[place] == right
    return SimpleNamespace(
        french=words,
        senses=tuple(SimpleNamespace(french=p, right=r, wrong=w) for p, r, w in senses),
        agreement=tuple(SimpleNamespace(french_verb=p, right=r, wrong=w) for p, r, w in agreement),
        antecedents=tuple(SimpleNamespace(french_pronoun=p, right=r, wrong=w)
                          for p, r, w in antecedents))


BANK = sentence("la rive du fleuve est verte parce qu' elle dort .",
                senses=[(1, "rive", ("banque",))],
                agreement=[(4, "est", "sont"), (9, "dort", "dorment")],
                antecedents=[(8, "elle", "il")])
PENS = sentence("les plumes que le chat voit sont noires .",
                senses=[(1, "plumes", ("stylos", "enclos"))],
                agreement=[(5, "voit", "voient"), (6, "sont", "est")])


def test_the_reference_has_everything_right_and_says_of_how_many():
    hypotheses = [" ".join(BANK.french), " ".join(PENS.french)]
    assert accuracies(hypotheses, [BANK, PENS])["sense"] == (1.0, 2, 2, 0, 0)
    assert accuracies(hypotheses, [BANK, PENS])["agreement"] == (1.0, 4, 4, 0, 0)
    assert accuracies(hypotheses, [BANK, PENS])["pronoun"] == (1.0, 1, 1, 0, 0)


def test_one_wrong_form_is_one_wrong_case():
    wrong = "la banque du fleuve est verte parce qu' elle dorment ."
    scores = accuracies([wrong, " ".join(PENS.french)], [BANK, PENS])
    assert scores["sense"] == (0.5, 2, 1, 1, 0)
    assert scores["agreement"] == (0.75, 4, 3, 1, 0)
    assert scores["pronoun"] == (1.0, 1, 1, 0, 0)


@pytest.mark.parametrize("hypothesis, sense, agreement, pronoun", [
    # Words added and left out before the forms move their places, not the verdicts.
    ("oui , la grande rive du fleuve est verte parce qu' elle dort .", "r", "rr", "r"),
    ("la rive est verte car il dort .", "r", "rr", "w"),
    ("banque est verte parce qu' elle dort .", "w", "rr", "r"),
    # The form moved a little: found near its place.
    ("la verte rive du fleuve est parce qu' elle dort .", "r", "rr", "r"),
    ("du fleuve la rive est verte parce qu' dort elle .", "r", "rr", "r"),
    ("la rive du fleuve sont vertes parce qu' ils dorment .", "r", "ww", "m"),
    ("la maison du fleuve .", "m", "mm", "m"),
    ("", "m", "mm", "m"),
])
def test_hypotheses_that_differ(hypothesis, sense, agreement, pronoun):
    scores = accuracies([hypothesis], [BANK])
    for name, expected in (("sense", sense), ("agreement", agreement), ("pronoun", pronoun)):
        assert (scores[name].right, scores[name].wrong, scores[name].missing) == (
            expected.count("r"), expected.count("w"), expected.count("m")), name


def test_a_form_that_belongs_to_another_place_does_not_count():
    two = sentence("il dort et elle voit la mer que les chats aiment quand il parle .",
                   antecedents=[(3, "elle", "il")])
    # Both "il" match the reference's own; the pronoun is left out.
    left_out = "il dort et voit la mer que les chats aiment quand il parle ."
    assert accuracies([left_out], [two])["pronoun"] == (0.0, 1, 0, 0, 1)
    wrong = left_out.replace("et voit", "et il voit")
    assert accuracies([wrong], [two])["pronoun"] == (0.0, 1, 0, 1, 0)


def test_a_form_far_from_its_place_does_not_count():
    far = "un deux trois quatre cinq six sept huit neuf dix rive"
    assert accuracies([far], [BANK])["sense"].missing == 1


def test_two_cases_do_not_take_the_same_word():
    twice = sentence("ils voient ce qu' ils voient .",
                     agreement=[(1, "voient", "voit"), (5, "voient", "voit")])
    assert accuracies(["voient ."], [twice])["agreement"] == (0.5, 2, 1, 0, 1)
    assert accuracies(["voit ."], [twice])["agreement"] == (0.0, 2, 0, 1, 1)
    close = sentence("voient et voient .",
                     agreement=[(0, "voient", "voit"), (2, "voient", "voit")])
    assert accuracies(["voit ."], [close])["agreement"] == (0.0, 2, 0, 1, 1)
    moved = sentence("dort q dort r s",
                     agreement=[(0, "dort", "dorment"), (2, "dort", "dorment")])
    assert accuracies(["q r s dort"], [moved])["agreement"] == (0.5, 2, 1, 0, 1)


def test_the_wrong_form_is_aligned_rather_than_another_word():
    assert align(["a", "rive", "b"], ["a", "x", "banque", "b"], {1: ("banque",)}) == [0, 2, 3]
    assert align(["a", "rive", "b"], ["a", "banque", "x", "b"], {1: ("banque",)}) == [0, 1, 3]


def test_alignment_costs_no_more_than_the_edit_distance():
    generator = random.Random(3)
    for _ in range(200):
        one, two = ([generator.choice("abc") for _ in range(generator.randrange(7))]
                    for _ in range(2))
        aligned = align(one, two, {})
        pairs = [(i, j) for i, j in enumerate(aligned) if j is not None]
        assert pairs == sorted(pairs, key=lambda pair: pair[1])
        assert len({j for _, j in pairs}) == len(pairs)
        cost = len(one) + len(two) - 2 * len(pairs) + sum(one[i] != two[j] for i, j in pairs)
        assert cost == edit_distance(one, two)


def edit_distance(one, two):
    """Levenshtein's distance by its recursion."""
    if not one or not two:
        return len(one) + len(two)
    return min(edit_distance(one[1:], two[1:]) + (one[0] != two[0]),
               edit_distance(one[1:], two) + 1, edit_distance(one, two[1:]) + 1)


def test_phenomena_without_a_case_are_left_out_or_refused():
    plain = sentence("le chat dort .", agreement=[(2, "dort", "dorment")])
    assert list(accuracies(["le chat dort ."], [plain])) == ["agreement"]
    assert accuracies(["le chat dort ."], [sentence("le chat dort .")]) == {}
    with pytest.raises(ValueError, match="no sentences"):
        accuracies([], [])
    with pytest.raises(ValueError, match="1 hypotheses for 2"):
        accuracies(["a"], [plain, plain])
