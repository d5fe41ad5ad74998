"""Attention read as a word alignment: every layer and head, at two steps, against links, with baselines."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from attention_lab.config import split
from attention_lab.data.grammar import Sentence
from attention_lab.evaluation import alignment
from attention_lab.tasks.load import Trained
from attention_lab.tasks.translation.translator import Attention
from attention_lab.tasks.translation.word_alignment import word_numbers
from attention_lab.training.weights import first_weights

STEPS = ("predict", "input")  # when a target word is read: while it is predicted, or while it is the input
MEAN = "mean"
EVEN, ODD = slice(0, None, 2), slice(1, None, 2)  # sentences to choose on, and to score on


def readings(one: Attention, kind: str, step: str, by_value: bool = False) -> dict[str, np.ndarray]:
    """Weights between whole words, (target words, source words), of every layer and head and their means.

    Args:
      one: an Attention record. kind: of the tokenizer.
      step: "predict": of the step that predicts a target word; "input": of the next one, which takes it in
        and aligns better in deep models (Chen et al. 2020).
      by_value: times the norm of what a source position adds (Kobayashi et al. 2020).
    Returns:
      {"0.0": layer 0, head 0; ...; "0.mean": layer 0, where it has several heads; ...; "mean": all layers}.
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
    found, layers = {}, []
    for i, layer in enumerate(cross):
        heads = [alignment.merge_subwords(head, *words) for head in layer]
        layers.append(np.mean(heads, axis=0))
        found |= {f"{i}.{number}": head for number, head in enumerate(heads)}
        if len(heads) > 1:
            found[f"{i}.{MEAN}"] = layers[-1]
    return found | {MEAN: np.mean(layers, axis=0)}


class Chosen(NamedTuple):
    """The head that errs least on one half of the sentences, and its error on the other.

    Fields:
      name: of the head.
      selection_rate: its error rate on the half that it was chosen on, to choose further by.
      rates: {reading: its error rate on the other half}, of every head, and of the means.
      links: of every sentence, by the chosen head.
    """

    name: str
    selection_rate: float
    rates: dict[str, float]
    links: list[set]

    @property
    def error_rate(self) -> float:
        """Of the chosen head."""
        return self.rates[self.name]

    @property
    def mean(self) -> float:
        """Of the mean over all layers and heads."""
        return self.rates[MEAN]


def choose(looked: Sequence[Attention], kind: str, step: str, sure: Sequence,
           possible: Sequence | None = None, by_value: bool = False) -> Chosen:
    """Picks a head of any layer on the sentences at even places and scores it on those at odd ones.

    Args:
      looked: Attention records. kind, step, by_value: as for `readings`.
      sure, possible: gold links of each sentence.
    Raises:
      ValueError: one of the halves has no sure link.
    """
    found: dict[str, list[set]] = {}
    for one in looked:
        for name, weights in readings(one, kind, step, by_value).items():
            found.setdefault(name, []).append(alignment.hard_links(weights))
    possible = _possible(possible, sure)

    def error(name, half):
        return alignment.alignment_error_rate(found[name][half], sure[half], possible[half]).error_rate

    selection = {name: error(name, EVEN) for name in found if MEAN not in name}
    best = min(selection, key=selection.__getitem__)
    return Chosen(best, selection[best], {name: error(name, ODD) for name in found}, found[best])


def diagonal(sources: Sequence[int], targets: Sequence[int]) -> list[set]:
    """Links along the diagonal, for sentences of so many words."""
    return [{(min(S - 1, int((j + 0.5) * S / T)), j) for j in range(T)} for S, T in zip(sources, targets)]


def by_chance(sources: Sequence[int], targets: Sequence[int], seed: int) -> list[set]:
    """A source word drawn for each target word: what uniform attention comes to."""
    bits = np.random.PCG64(seed)
    return [{(int(raw % np.uint64(S)), j) for j, raw in enumerate(bits.random_raw(T))}
            for S, T in zip(sources, targets)]


def inversions(one: Sentence) -> list[tuple[int, int]]:
    """Links (adjective, adjective) of a grammar's Sentence where French puts it after the noun."""
    linked = set(one.alignment)
    return [(i, j) for i, j in one.alignment
            if one.english_tags[i] == one.french_tags[j] == "ADJ" and (i + 1, j - 1) in linked
            and one.english_tags[i + 1] == one.french_tags[j - 1] == "NOUN"]


class Errors(NamedTuple):
    """How a model's attention errs on sentences with links; all rates are of the sentences at odd places.

    Fields:
      chosen: {(step, by_value): the head that erred least on those at even places}.
      not_trained: of the head and step that are so chosen of a model before training.
      diagonal, uniform: of baselines that look at no word.
    """

    chosen: dict[tuple[str, bool], Chosen]
    not_trained: float
    diagonal: float
    uniform: float


def errors(trained: Trained, texts: Sequence[Sequence[str]], sure: Sequence,
           possible: Sequence | None = None) -> Errors:
    """Aligns sentences by the attention of a finished run while the references are read.

    Args:
      trained: translates, with attention.
      texts: sources and targets, words parted by single spaces.
      sure, possible: gold links of each pair.
    Raises:
      ValueError: one of the halves has no sure link.
    """
    translator, config = trained.translator, trained.run.config
    start = first_weights(config, translator.model.init)
    looked, blank = (translator.attention(one, *texts, split(config)[1]) for one in (trained.params, start))
    kind = translator.tokenizer.kind
    lengths = [[len(text.split()) for text in side] for side in texts]
    allowed = _possible(possible, sure)

    def baseline(links):
        return alignment.alignment_error_rate(links[ODD], sure[ODD], allowed[ODD]).error_rate

    untrained = min((choose(blank, kind, step, sure, possible) for step in STEPS),
                    key=lambda one: one.selection_rate)
    return Errors(
        {(step, by_value): choose(looked, kind, step, sure, possible, by_value)
         for step in STEPS for by_value in (False, True)}, untrained.error_rate,
        baseline(diagonal(*lengths)), baseline(by_chance(*lengths, config.seed)))


def _possible(possible, sure):
    return [()] * len(sure) if possible is None else possible


def unknown(texts: Sequence[str], known: Sequence[str]) -> float:
    """Share of the words of some texts that others do not have."""
    words, others = ([word for text in side for word in text.split()] for side in (texts, known))
    others = set(others)
    return sum(word not in others for word in words) / max(len(words), 1)
