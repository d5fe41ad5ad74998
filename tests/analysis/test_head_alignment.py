"""Attention read as an alignment: heads, steps, values, the half that is scored, baselines."""

from types import SimpleNamespace

import numpy as np
import pytest

from attention_lab.analysis import head_alignment
from attention_lab.data.tokenizers import TOKENIZERS


def seen(cross, values=None):
    """An Attention record of three words a side and their end marks."""
    cross = np.array(cross, np.float32)
    return SimpleNamespace(source=["a", "b", "c", "</s>"], target=["x", "y", "z", "</s>"], cross=cross,
                           values=np.ones((*cross.shape[:2], 4)) if values is None else np.array(values))


SHIFTED = np.eye(4)[[3, 0, 1, 2]]  # the row after a word looks at that word


def test_weights_of_every_head_at_either_step():
    one = seen([[np.eye(4), SHIFTED], [SHIFTED, SHIFTED]])
    at = {step: head_alignment.word_weights(one, TOKENIZERS["word"], step) for step in head_alignment.STEPS}
    assert list(at["predict"]) == ["0.0", "0.1", "0.mean", "1.0", "1.1", "1.mean", "mean"]
    np.testing.assert_array_equal(at["predict"]["0.0"], np.eye(3))
    np.testing.assert_array_equal(at["input"]["0.1"], np.eye(3))
    np.testing.assert_array_equal(at["input"]["0.mean"], (np.eye(4)[1:, :3] + np.eye(3)) / 2)
    np.testing.assert_array_equal(at["input"]["mean"], np.eye(4)[1:, :3] / 4 + 3 * np.eye(3) / 4)
    single = head_alignment.word_weights(seen([[np.eye(4)]]), TOKENIZERS["word"], "input")
    assert list(single) == ["0.0", "mean"]
    with pytest.raises(ValueError, match="step='output'; allowed are predict, input"):
        head_alignment.word_weights(one, TOKENIZERS["word"], "output")


def test_a_value_without_length_takes_its_weight_away():
    flat = np.full((4, 4), 0.25)
    one = seen([[flat]], [[[0.0, 2.0, 1.0, 9.0]]])
    weights = head_alignment.word_weights(one, TOKENIZERS["word"], "predict", by_value=True)["mean"]
    np.testing.assert_allclose(weights, [[0.0, 0.5, 0.25]] * 3)


def test_a_head_is_chosen_on_one_half_and_scored_on_the_other():
    # Sentences at even places are aligned by head 0, those at odd places by head 1.
    even, odd = seen([[np.eye(4), SHIFTED]]), seen([[SHIFTED, np.eye(4)]])
    gold = [{(0, 0), (1, 1), (2, 2)}] * 4
    found = head_alignment.choose([even, odd, even, odd], TOKENIZERS["word"], "predict", gold)
    assert found.name == "0.0" and found.links[0] == gold[0] and found.selection_rate == 0.0
    # Shifted, x looks at the end mark and has no link, y and z look at the word before: no link is right.
    assert found.error_rate == found.rates["0.0"] == 1.0 and found.rates["0.1"] == 0.0
    assert set(found.rates) == {"0.0", "0.1", "0.mean", "mean"} and found.mean == found.rates["mean"]
    assert head_alignment.choose([even] * 4, TOKENIZERS["word"], "predict", gold).error_rate == 0.0
    # The mean of two heads finds every word, and is no head.
    half = seen([[np.diag([9.0, 0, 0, 0]), np.diag([0, 1, 1, 1.0])]])
    found = head_alignment.choose([half] * 4, TOKENIZERS["word"], "predict", gold)
    assert found.mean == 0.0 and found.name == "0.1" and found.selection_rate == found.error_rate > 0


def test_baselines_and_inversions():
    assert head_alignment.diagonal([4, 2], [2, 4]) == [{(1, 0), (3, 1)}, {(0, 0), (0, 1), (1, 2), (1, 3)}]
    drawn = head_alignment.by_chance([5] * 200, [7] * 200, seed=0)
    assert {j for one in drawn for _, j in one} == set(range(7))
    assert {i for one in drawn for i, _ in one} == set(range(5))
    one = SimpleNamespace(alignment=((0, 0), (1, 2), (2, 1), (3, 3), (4, 4)),
                          english_tags=("DET", "ADJ", "NOUN", "ADJ", "NOUN"),
                          french_tags=("DET", "NOUN", "ADJ", "ADJ", "NOUN"))
    assert head_alignment.inversions(one) == [(1, 2)]
