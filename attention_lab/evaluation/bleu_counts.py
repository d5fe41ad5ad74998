"""The n-gram counts that BLEU is made of, sentence by sentence, so that a test set can be resampled."""

from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics import BLEU

from attention_lab.evaluation.bleu import bleu_settings, check_pairs

ORDER = 4
COLUMNS = 2 * ORDER + 2


def bleu_counts(hypotheses: Sequence[str], references: Sequence[str], text: str = "tokenized") -> np.ndarray:
    """Counts of each sentence, (sentences, 10) int64, whose sum over a corpus determines its BLEU.

    Columns: matching n-grams of 1 to 4 words, n-grams of the hypothesis, its words, the reference's words.
    Errors as of `bleu.corpus_bleu`.

    >>> bleu_counts(["un chat dort ."], ["un chat noir dort ."]).tolist()
    [[4, 2, 0, 0, 4, 3, 2, 1, 4, 5]]
    """
    check_pairs(hypotheses, references)
    metric = BLEU(**bleu_settings(text), effective_order=True)  # or it warns that sentences are short
    scores = [metric.sentence_score(hypothesis, [reference])
              for hypothesis, reference in zip(hypotheses, references)]
    return np.array([[*score.counts, *score.totals, score.sys_len, score.ref_len] for score in scores],
                    np.int64)


def bleu_of(counts: np.ndarray) -> np.ndarray:
    """BLEU, 0 to 100, from counts of `bleu_counts` summed over a corpus: (..., 10) -> (...).

    Smoothed as in `bleu.corpus_bleu`: the k-th order of n-grams without a match counts as 2^-k matches.

    >>> bleu_of(np.array([4, 2, 0, 0, 4, 3, 2, 1, 4, 5])).round(2).item()
    35.19
    """
    counts = np.asarray(counts, np.float64)
    matches, totals = counts[..., :ORDER], counts[..., ORDER:2 * ORDER]
    words, reference_words = np.maximum(counts[..., -2], 1e-9), counts[..., -1]
    smoothed = np.where(matches > 0, matches, 0.5 ** np.cumsum(matches == 0, axis=-1))
    precision = np.log(smoothed) - np.log(np.maximum(totals, 1e-9))
    score = 100.0 * np.exp(np.minimum(0.0, 1.0 - reference_words / words) + precision.mean(axis=-1))
    # Without a match, or with hypotheses of fewer than four words, there is no mean of logarithms.
    return np.where((matches[..., 0] > 0) & (totals[..., -1] > 0), score, 0.0)
