"""Which source word a translation model looks at for each target word, held against gold links."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from attention_lab.data.pairs import Pairs
from attention_lab.data.tokenizers import MARK
from attention_lab.data.vocabulary import BOS, EOS, PAD, SPECIALS
from attention_lab.evaluation import alignment


def word_numbers(tokens: Sequence[str], kind: str) -> np.ndarray:
    """The word that each token belongs to, counted from 0; -1 for an end mark. `kind`: bpe or word.

    >>> word_numbers(["▁a", "▁re", "d", "</s>"], "bpe").tolist()
    [0, 1, 1, -1]
    """
    begins = np.array([kind == "word" or token.startswith(MARK) for token in tokens])
    marks = [SPECIALS[PAD], SPECIALS[BOS], SPECIALS[EOS]]
    return np.where(np.isin(tokens, marks), -1, np.cumsum(begins) - 1)


def cross_weights(one: Any, kind: str) -> np.ndarray:
    """Cross-attention of the last layer, mean over heads, between whole words: (target, source)."""
    return alignment.merge_subwords(one.cross[-1].mean(axis=0), word_numbers(one.source, kind),
                                    word_numbers(one.target, kind))


def error_rate(translator: Any, params: Any, pairs: Pairs, hyper: Any = None) -> float:
    """Alignment error rate of the last layer's cross-attention while the references are read.

    Each target word is linked to the source word that it looks at most (Och & Ney 2003).
    """
    looked = translator.attention(params, pairs.source, pairs.target, hyper)
    kind = translator.tokenizer.kind
    found = [alignment.hard_links(cross_weights(one, kind)) for one in looked]
    return alignment.alignment_error_rate(found, [one.alignment for one in pairs.truth]).error_rate


STEPS = ("predict", "input")  # when a target word is read: while it is predicted, or while it is the input
MEAN = "mean"


def readings(one: Any, kind: str, step: str, by_value: bool = False) -> dict[str, np.ndarray]:
    """Weights between whole words, (target words, source words), of every layer and head and their means.

    Args:
      one: an Attention record. kind: of the tokenizer.
      step: "predict": of the step that predicts a target word; "input": of the next one, which takes it in
        and aligns better in deep models (Chen et al. 2020).
      by_value: times the norm of what a source position adds (Kobayashi et al. 2020).
    Returns:
      {"0.0": layer 0, head 0; ...; "0.mean": layer 0; ...; "mean": all layers}.
    Raises:
      ValueError: another `step`.
    """
    if step not in STEPS:
        raise ValueError(f"step={step!r}; allowed are {', '.join(STEPS)}")
    cross = np.asarray(one.cross, np.float64)
    if by_value:
        cross = cross * np.asarray(one.values, np.float64)[:, :, None]
    words = [word_numbers(side, kind) for side in (one.source, one.target)]
    if step == "input":
        # The last token, the end mark, is never an input.
        cross, words[1] = cross[:, :, 1:], words[1][:-1]
    found = {}
    for i, layer in enumerate(cross):
        heads = [alignment.merge_subwords(head, *words) for head in layer]
        if len(heads) > 1:
            found |= {f"{i}.{number}": head for number, head in enumerate(heads)}
        found[f"{i}.{MEAN}"] = np.mean(heads, axis=0)
    return found | {MEAN: np.mean([found[f"{i}.{MEAN}"] for i in range(len(cross))], axis=0)}


class Chosen(NamedTuple):
    """The reading that errs least on one half of the sentences, and its error on the other.

    Fields:
      name: of the reading. error_rate: on the half that it was not chosen on.
      mean: error rate there of the mean over all layers and heads.
      links: of every sentence, by the chosen reading.
    """

    name: str
    error_rate: float
    mean: float
    links: list[set]


def choose(looked: Sequence[Any], kind: str, step: str, sure: Sequence, possible: Sequence | None = None,
           by_value: bool = False) -> Chosen:
    """Picks layer and head on the sentences at even places and scores them on those at odd ones.

    Args:
      looked: Attention records. kind, step, by_value: as for `readings`.
      sure, possible: gold links of each sentence.
    """
    found: dict[str, list[set]] = {}
    for one in looked:
        for name, weights in readings(one, kind, step, by_value).items():
            found.setdefault(name, []).append(alignment.hard_links(weights))
    possible = [()] * len(sure) if possible is None else possible

    def error(name, half):
        return alignment.alignment_error_rate(found[name][half], sure[half], possible[half]).error_rate

    even, odd = slice(0, None, 2), slice(1, None, 2)
    best = min(found, key=lambda name: error(name, even))
    return Chosen(best, error(best, odd), error(MEAN, odd), found[best])


def diagonal(sources: Sequence[int], targets: Sequence[int]) -> list[set]:
    """Links along the diagonal, for sentences of so many words."""
    return [{(min(S - 1, int((j + 0.5) * S / T)), j) for j in range(T)} for S, T in zip(sources, targets)]


def by_chance(sources: Sequence[int], targets: Sequence[int], seed: int) -> list[set]:
    """A source word drawn for each target word: what uniform attention comes to."""
    bits = np.random.PCG64(seed)
    return [{(int(raw % np.uint64(S)), j) for j, raw in enumerate(bits.random_raw(T))}
            for S, T in zip(sources, targets)]


def inversions(one: Any) -> list[tuple[int, int]]:
    """Links (adjective, adjective) of a grammar's Sentence where French puts it after the noun."""
    linked = set(one.alignment)
    return [(i, j) for i, j in one.alignment
            if one.english_tags[i] == one.french_tags[j] == "ADJ" and (i + 1, j - 1) in linked
            and one.english_tags[i + 1] == one.french_tags[j - 1] == "NOUN"]
