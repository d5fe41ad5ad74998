"""Weighted grammars: entropy and length against all texts of small grammars, and what is no grammar."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_lab.data.grammar import weighted

# Two words, one of which may be followed by a third; the text "b" is likelier than both others.
SMALL = {"S": [(0.3, "a", ("B",)), (0.7, "b", ())], "B": [(0.25, "c", ("C", "C")), (0.75, "d", ())],
         "C": [(0.5, "a", ()), (0.4, "b", ()), (0.1, "e", ("D",))], "D": [(1.0, "f", ())]}


def texts(rules, symbols):
    """{text below these symbols: its probability}, by writing all of them."""
    if not symbols:
        return {(): 1.0}
    found = {}
    for p, word, after in rules[symbols[0]]:
        for rest, q in texts(rules, (*after, *symbols[1:])).items():
            assert (word, *rest) not in found, "two derivations"
            found[word, *rest] = p * q
    return found


def entropy_of(found):
    return -sum(p * math.log(p) for p in found.values())


@st.composite
def finite_grammars(draw):
    """Rules whose symbols are of lower layers, so that there are finitely many texts."""
    rules = {}
    for layer in range(draw(st.integers(1, 3))):
        weights = draw(st.lists(st.floats(0.05, 1.0), min_size=1, max_size=3))
        rules[layer] = [(w / sum(weights), f"w{i}", tuple(draw(st.lists(
            st.integers(0, layer - 1), max_size=2)) if layer else ())) for i, w in enumerate(weights)]
    return rules


@given(finite_grammars())
def test_entropy_and_length_are_those_of_all_texts(rules):
    grammar = weighted.grammar(rules)
    entropies = weighted.expected(grammar, weighted.choices(grammar))
    lengths = weighted.expected(grammar, np.ones(len(rules)))
    for symbol, entropy, length in zip(grammar.symbols, entropies, lengths):
        found = texts(rules, (symbol,))
        assert sum(found.values()) == pytest.approx(1.0)
        assert entropy == pytest.approx(entropy_of(found), abs=1e-9)
        assert length == pytest.approx(sum(p * len(text) for text, p in found.items()))


def test_a_grammar_by_hand():
    """The choice of B counts with the chance that there is one, that of C twice, D chooses nothing."""
    grammar = weighted.grammar(SMALL)
    choice = [entropy_of(dict(enumerate(p for p, _, _ in group))) for group in SMALL.values()]
    found = dict(zip(grammar.symbols, weighted.expected(grammar, weighted.choices(grammar))))
    assert found["S"] == pytest.approx(choice[0] + 0.3 * (choice[1] + 0.25 * 2 * choice[2]), abs=1e-12)
    assert found["D"] == 0.0 and grammar.words == ("a", "b", "c", "d", "e", "f")


def test_a_recursive_grammar_has_the_entropy_of_a_geometric_number():
    """n words more with chance 0.3: entropy h / 0.7 of n, and 1 / 0.7 words."""
    grammar = weighted.grammar({"S": [(0.3, "more", ("S",)), (0.7, "end", ())]})
    choice = -0.3 * math.log(0.3) - 0.7 * math.log(0.7)
    assert weighted.expected(grammar, weighted.choices(grammar))[0] == pytest.approx(choice / 0.7, rel=1e-12)
    assert weighted.expected(grammar, np.ones(1))[0] == pytest.approx(1 / 0.7, rel=1e-12)


def test_numbers_draw_rules_by_their_probabilities():
    grammar = weighted.grammar(SMALL)
    bounds = weighted.cumulative(grammar)
    assert bounds.tolist() == pytest.approx([0.3, 1.0, 1.25, 2.0, 2.5, 2.9, 3.0, 4.0])
    tenths = weighted.cumulative(weighted.grammar({"S": [(0.1, f"w{i}", ()) for i in range(10)]}))
    assert tenths[-1] == 1.0 > np.cumsum(np.full(10, 0.1))[-1]  # no number below 1 draws nothing
    drawn = [np.searchsorted(bounds, 2 + u, side="right") for u in (0.0, 0.49, 0.5, 0.91, 1 - 2 ** -40)]
    assert drawn == [4, 4, 5, 6, 6]


@pytest.mark.parametrize("rules, message", [
    ({"S": [(0.5, "a", ()), (0.5, "a", ("S",))]}, "symbol 'S' has two rules that begin with the same word"),
    ({"S": [(0.5, "a", ()), (0.4, "b", ())]}, "symbol 'S': the probabilities of its rules are not above 0"),
    ({"S": [(1.5, "a", ()), (-0.5, "b", ())]}, "symbol 'S': the probabilities of its rules are not above 0"),
    ({"S": []}, "symbol 'S': the probabilities of its rules are not above 0"),
    ({"S": [(1.0, "a", ("T",))]}, "symbol 'T' has no rules")])
def test_what_is_no_grammar(rules, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        weighted.grammar(rules)


def test_texts_without_an_end_have_no_entropy():
    grammar = weighted.grammar({"S": [(0.5, "a", ("S", "S")), (0.5, "b", ("S",))]})
    with pytest.raises(ValueError, match="no end on average"):
        weighted.expected(grammar, weighted.choices(grammar))
