"""Hard links from attention weights, and their error rate against an alignment of words.

A link is (source index, target index), words counted from 0.
"""

from collections.abc import Iterable, Sequence

import numpy as np

Link = tuple[int, int]


def alignment_error_rate(predicted: Sequence[Iterable[Link]], sure: Sequence[Iterable[Link]],
                         possible: Sequence[Iterable[Link]] | None = None) -> float:
    """Alignment error rate of predicted links A against sure links S and possible links P (Och & Ney 2003).

    1 - (|A and S| + |A and P|) / (|A| + |S|), from counts over all sentences.

    Args:
      predicted, sure, possible: the links of each sentence. Sure links are possible too, whether `possible`
        repeats them or not; None: no others are.
    Raises:
      ValueError: no sentences, unequal counts, or no sure link at all.

    >>> alignment_error_rate([{(0, 0), (1, 1), (2, 1)}], [{(0, 0)}], [{(1, 1)}])
    0.25
    """
    possible = [()] * len(sure) if possible is None else possible
    if not len(predicted) == len(sure) == len(possible):
        raise ValueError(f"links for {len(predicted)} predicted, {len(sure)} sure and "
                         f"{len(possible)} possible sentences; the counts must be equal")
    matches = links = sure_links = 0
    for sides in zip(predicted, sure, possible):
        a, s, p = (set(map(tuple, side)) for side in sides)
        matches += len(a & s) + len(a & (s | p))
        links += len(a)
        sure_links += len(s)
    if not sure_links:
        raise ValueError(f"no sure link in {len(sure)} sentences to score against")
    return 1.0 - matches / (links + sure_links)


def hard_links(weights: np.ndarray) -> set[Link]:
    """Links each target word to the source word with the largest weight, the first of a tie.

    A row of zeros, which may attend to nothing, gives no link.

    Args:
      weights: cross-attention (T, S). Row t of a decoder's weights belongs to the step that predicts token t;
        weights[1:] are those of the steps with token t as input, which align better in deep models (Chen et
        al. 2020).
    Raises:
      ValueError: another number of axes, no source, or a value that is not finite.
    """
    weights = _checked(weights)
    return {(int(source), target) for target, source in enumerate(np.argmax(weights, axis=1))
            if weights[target, source] > 0}


def merge_subwords(weights: np.ndarray, source_words: Sequence[int], target_words: Sequence[int]
                   ) -> np.ndarray:
    """Weights between words, (..., target words, source words), from weights between subwords (..., T, S).

    Sums over the subwords of a source word, as attention to a word is attention to any part of it; averages
    over those of a target word, so that each row stays a distribution.

    Args:
      source_words, target_words: index of each subword's word, from 0, (S,) and (T,); -1 for a mark that is
        no word: its weight is left out, and rows sum to less than 1.
    Raises:
      ValueError: lengths that differ from the weights', or an index that skips a word.
    """
    weights = _checked(weights, leading=True)
    source = _membership("source_words", source_words)
    target = _membership("target_words", target_words)
    if weights.shape[-2:] != (target.shape[1], source.shape[1]):
        raise ValueError(f"weights {weights.shape} do not fit {target.shape[1]} target and "
                         f"{source.shape[1]} source subwords")
    return (target / target.sum(axis=1, keepdims=True)) @ weights @ source.T


def _membership(name, words):
    """1 where a subword belongs to a word: (words, subwords)."""
    words = np.asarray(words, dtype=np.int64)
    count = int(words.max(initial=-1)) + 1
    member = (np.arange(count)[:, None] == words[None]).astype(np.float64)
    if words.min(initial=0) < -1 or not member.any(axis=1).all():
        raise ValueError(f"{name} must count words from 0 without a gap, or be -1 off words; got "
                         f"{sorted(set(words.tolist()))}")
    return member


def _checked(weights, leading=False):
    weights = np.asarray(weights, dtype=np.float64)
    if weights.ndim < 2 or weights.ndim > 2 and not leading or weights.shape[-1] == 0:
        raise ValueError(f"weights have shape {weights.shape}; (target, source) is needed")
    if not np.isfinite(weights).all():
        raise ValueError("weights hold a value that is not finite")
    return weights
