"""Cross-attention as a word alignment: error rates of every layer and head at two steps, and of baselines."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from attention_lab.config import split
from attention_lab.data.grammar import Sentence
from attention_lab.data.tokenizers import Segmentation
from attention_lab.evaluation import alignment
from attention_lab.tasks.load import Trained
from attention_lab.tasks.translation.translator import Attention
from attention_lab.tasks.translation.word_attention import word_numbers
from attention_lab.training.weights import first_weights

STEPS = ("predict", "input")  # of a target word: the step that predicts it, the step whose input it is
MEAN = "mean"
EVEN, ODD = slice(0, None, 2), slice(1, None, 2)  # sentences to choose a head on, and to score it on


def word_weights(attention: Attention, segmentation: Segmentation, step: str, by_value: bool = False
                 ) -> dict[str, np.ndarray]:
    """Weights between whole words, (target words, source words), of every layer and head and their means.

    Args:
      segmentation: of the tokenizer.
      step: "predict": weights of the step that predicts a target word; "input": of the next one, whose input
        it is; these align better in deep models (Chen et al. 2020).
      by_value: multiplies by the norm of what a source position adds (Kobayashi et al. 2020).
    Returns:
      {"0.0": layer 0, head 0; ...; "0.mean": layer 0, if it has several heads; ...; "mean": all layers}.
    Raises:
      ValueError: `step` is not one of STEPS.
    """
    if step not in STEPS:
        raise ValueError(f"step={step!r}; allowed are {', '.join(STEPS)}")
    cross = np.asarray(attention.cross, np.float64)
    if by_value:
        cross = cross * np.asarray(attention.values, np.float64)[:, :, None]
    words = [word_numbers(side, segmentation) for side in (attention.source, attention.target)]
    if step == "input":
        # The last token, the end mark, is never an input.
        cross, words[1] = cross[:, :, 1:], words[1][:-1]
    weights, layers = {}, []
    for i, layer in enumerate(cross):
        heads = [alignment.merge_subwords(head, *words) for head in layer]
        layers.append(np.mean(heads, axis=0))
        weights |= {f"{i}.{number}": head for number, head in enumerate(heads)}
        if len(heads) > 1:
            weights[f"{i}.{MEAN}"] = layers[-1]
    return weights | {MEAN: np.mean(layers, axis=0)}


class Chosen(NamedTuple):
    """The head with the lowest error rate on one half of the sentences, scored on the other half.

    Fields:
      name: of the head.
      selection_rate: its error rate on the half that it was chosen on.
      rates: {key of `word_weights`: error rate on the other half}.
      links: of every sentence, by the chosen head.
    """

    name: str
    selection_rate: float
    rates: dict[str, float]
    links: list[set]

    @property
    def error_rate(self) -> float:
        """Error rate of the chosen head."""
        return self.rates[self.name]

    @property
    def mean(self) -> float:
        """Error rate of the mean over all layers and heads."""
        return self.rates[MEAN]


def choose(attentions: Sequence[Attention], segmentation: Segmentation, step: str, sure: Sequence,
           possible: Sequence | None = None, by_value: bool = False) -> Chosen:
    """Chooses a head of any layer on the sentences of even index and scores it on those of odd index.

    Args:
      segmentation, step, by_value: as of `word_weights`.
      sure, possible: gold links of each sentence; ValueError if one of the halves has no sure link.
    """
    links: dict[str, list[set]] = {}
    for attention in attentions:
        for name, weights in word_weights(attention, segmentation, step, by_value).items():
            links.setdefault(name, []).append(alignment.hard_links(weights))
    selection = {name: _error_rate(links[name], sure, possible, EVEN) for name in links if MEAN not in name}
    best = min(selection, key=selection.__getitem__)
    return Chosen(best, selection[best],
                  {name: _error_rate(links[name], sure, possible, ODD) for name in links}, links[best])


def diagonal(sources: Sequence[int], targets: Sequence[int]) -> list[set]:
    """Links along the diagonal, for sentences of these lengths in words."""
    return [{(min(S - 1, int((j + 0.5) * S / T)), j) for j in range(T)} for S, T in zip(sources, targets)]


def by_chance(sources: Sequence[int], targets: Sequence[int], seed: int) -> list[set]:
    """A random source word for each target word, as from uniform attention."""
    bits = np.random.PCG64(seed)
    return [{(int(raw % np.uint64(S)), j) for j, raw in enumerate(bits.random_raw(T))}
            for S, T in zip(sources, targets)]


def inversions(sentence: Sentence) -> list[tuple[int, int]]:
    """Links of the adjectives that follow their noun in French and precede it in English."""
    linked = set(sentence.alignment)
    english, french = sentence.english_tags, sentence.french_tags
    return [(i, j) for i, j in sentence.alignment
            if english[i] == french[j] == "ADJ" and (i + 1, j - 1) in linked
            and english[i + 1] == french[j - 1] == "NOUN"]


class Errors(NamedTuple):
    """Error rates of a model's attention on the sentences of odd index.

    Fields:
      chosen: {(step, by_value): the head chosen on the sentences of even index}.
      not_trained: of the head and step chosen in the same way for the model before training.
      diagonal, uniform: of baselines that ignore the words.
    """

    chosen: dict[tuple[str, bool], Chosen]
    not_trained: float
    diagonal: float
    uniform: float


def errors(trained: Trained, texts: Sequence[Sequence[str]], sure: Sequence,
           possible: Sequence | None = None) -> Errors:
    """Aligns sentences by the attention of a finished run, with the references as the decoder's input.

    Args:
      trained: a translation model with attention.
      texts: sources and targets, words separated by single spaces.
      sure, possible: as of `choose`.
    """
    translator, config = trained.translator, trained.run.config
    start = first_weights(config, translator.model.init)
    after, before = (translator.attention(params, *texts, split(config)[1])
                     for params in (trained.params, start))
    segmentation = translator.tokenizer.segmentation
    lengths = [[len(text.split()) for text in side] for side in texts]
    untrained = min((choose(before, segmentation, step, sure, possible) for step in STEPS),
                    key=lambda chosen: chosen.selection_rate)
    return Errors(
        {(step, by_value): choose(after, segmentation, step, sure, possible, by_value)
         for step in STEPS for by_value in (False, True)}, untrained.error_rate,
        _error_rate(diagonal(*lengths), sure, possible, ODD),
        _error_rate(by_chance(*lengths, config.seed), sure, possible, ODD))


def _error_rate(links, sure, possible, half):
    possible = None if possible is None else possible[half]
    return alignment.alignment_error_rate(links[half], sure[half], possible)


def unknown(texts: Sequence[str], known: Sequence[str]) -> float:
    """Share of the words of `texts` that do not occur in `known`."""
    vocabulary = {word for text in known for word in text.split()}
    words = [word for text in texts for word in text.split()]
    return sum(word not in vocabulary for word in words) / max(len(words), 1)
