"""The word that a class is told by: of a classifier whose log-odds are a sum over words."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_lab.analysis import class_told_by
from attention_lab.data.labelled import WHOLE, Labelled

PULL = {"robs": 3.0, "river": -2.0, "money": 1.0, "wet": -5.0}


def predict(params, sentences, extra=None):
    """Classes by the sum of PULL; the word to classify has to be where `position` says."""
    for text, position, word in zip(sentences.text, sentences.position, sentences.word):
        assert text and (position == WHOLE or text.split()[position] == word), (text, position)
    score = np.array([sum(PULL.get(word, 0.0) for word in text.split()) for text in sentences.text])
    score = score + (0.0 if extra is None else extra["shift"])
    logits = np.stack([score, 0 * score, 0 * score - 1.0], axis=1)
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    return SimpleNamespace(probabilities=p.astype(np.float32))


CLASSIFIER = SimpleNamespace(predict=predict, classes={
    "bank": ("banque", "rive", "banc"), "": ("a", "b", "c"), "club": ("one",)})


def told(*rows, **given):
    texts, words = zip(*rows)
    positions = [text.split().index(word) if word else WHOLE for text, word in rows]
    return class_told_by.class_told_by(
        CLASSIFIER, None, Labelled(list(texts), positions, list(words), [""] * len(rows)), **given)


def test_the_word_that_pulls_most_toward_the_class_that_was_chosen():
    assert told(("money robs the old bank", "bank"), ("a bank by the river with money", "bank"),
                ("robs", ""), ("it robs", ""), ("bank", "bank"), ("the club", "club")) == [
        "robs", "river", "", "robs", "", ""]


def test_many_sentences_are_answered_in_their_order():
    rows = [("the bank robs", "bank"), ("wet bank money", "bank"), ("bank", "bank")] * 23
    assert told(*rows) == ["robs", "wet", ""] * 23


def test_further_columns_are_of_the_shortened_sentences():
    seen = []

    def extra(sentences):
        seen.extend(sentences.text)
        return {"shift": np.full(len(sentences), -9.0)}

    assert told(("robs bank river", "bank"), extra=extra) == ["river"]  # the shift makes another class win
    assert seen == ["robs bank river", "bank river", "robs bank"]


@given(st.lists(st.sampled_from([*PULL, "the", "old"]), min_size=1, max_size=7), st.integers(0, 7))
def test_it_is_the_word_that_the_log_odds_fall_most_without(words, place):
    words.insert(min(place, len(words)), "bank")
    row = (" ".join(words), "bank")
    score = sum(PULL.get(word, 0.0) for word in words)
    chosen = int(np.argmax([score, 0.0, -1.0]))

    def odds(score):
        logits = [score, 0.0, -1.0]
        return logits.pop(chosen) - np.log(np.sum(np.exp(logits)))

    falls = {word: odds(score) - odds(score - PULL.get(word, 0.0)) for word in words if word != "bank"}
    assert falls[told(row)[0]] == pytest.approx(max(falls.values()), abs=1e-5)


def test_a_certain_class_has_finite_log_odds():
    odds = class_told_by.log_odds(np.array([[1.0, 0.0], [0.0, 1.0]], np.float32))
    assert odds == pytest.approx([87.34, -87.34], abs=0.01)
