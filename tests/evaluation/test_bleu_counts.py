"""Counts by sentence against sacreBLEU's score of the corpus."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_lab.evaluation.bleu import corpus_bleu
from attention_lab.evaluation.bleu_counts import COLUMNS, bleu_counts, bleu_of

SENTENCE = st.lists(st.sampled_from("abcD"), max_size=9).map(" ".join)


@given(st.lists(st.tuples(SENTENCE, SENTENCE.filter(bool)), min_size=1, max_size=5))
def test_sums_of_counts_give_the_bleu_of_the_corpus(pairs):
    hypotheses, references = zip(*pairs)
    counts = bleu_counts(hypotheses, references)
    assert counts.shape == (len(pairs), COLUMNS)
    np.testing.assert_allclose(bleu_of(counts.sum(0)), corpus_bleu(hypotheses, references).score, rtol=1e-9,
                               atol=1e-9)


def test_corpora_are_scored_side_by_side():
    hypotheses, references = ["a b c d e", "a b d c e"], ["a b c d e", "a b c d e f"]
    counts = bleu_counts(hypotheses, references)
    assert counts[0].tolist() == [5, 4, 3, 2, 5, 4, 3, 2, 5, 5]
    stacked = np.stack([counts[0], counts[1], counts.sum(0)])
    found = bleu_of(stacked.reshape(3, 1, COLUMNS))
    assert found.shape == (3, 1) and found[0, 0] == pytest.approx(100.0)
    assert found[2, 0] == pytest.approx(corpus_bleu(hypotheses, references).score)


def test_raw_text_is_tokenised_as_for_the_score():
    counts = bleu_counts(["A cat, here."], ["a cat, here."], "raw")
    assert counts[0].tolist()[-2:] == [5, 5] and counts[0, 0] == 4
    with pytest.raises(ValueError, match="text='x'"):
        bleu_counts(["a"], ["a"], "x")
