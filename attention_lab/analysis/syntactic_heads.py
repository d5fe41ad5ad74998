"""Heads that look along the relations of dependency trees, as a translator reads both sides of a treebank.

Source sentences are read by self-attention of the encoder, target sentences by that of the decoder, at the
step whose input is the querying word; there a word sees itself and the words to its left alone, so that only
related words to its left count. Attention to a token is summed over its subwords, attention from a token is
the mean over its subwords (Clark et al. 2019). Tokens are those of the text: `du` is one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from attention_lab.analysis.head_roles import ODD, Linked, picked
from attention_lab.data.readers.conllu import Tree, links
from attention_lab.data.vocabulary import UNKNOWN
from attention_lab.evaluation.alignment import merge_subwords
from attention_lab.tasks.translation.translator import Translator
from attention_lab.tasks.translation.word_attention import word_numbers

UP, DOWN = "up", "down"  # from a dependent to its head, and from a head to its dependents
AT_A_TIME = 200  # sentences, whose weights are in memory together


def related(tree: Tree, relation: str, direction: str, left: bool = False) -> Mapping[int, set[int]]:
    """{token: the tokens that it is related to, itself never}.

    Args:
      relation: without subtype, as "nsubj". direction: UP or DOWN.
      left: related tokens to the right do not count.
    """
    targets: dict[int, set[int]] = defaultdict(set)
    for link in links(tree):
        query, other = {UP: (link.dependent, link.head), DOWN: (link.head, link.dependent)}[direction]
        if link.relation == relation and (other < query or not left):
            targets[query].add(other)
    return targets


class Text(NamedTuple):
    """A tree as a translator reads it. Fields: text; owners, the token of each word of the text, (words,)."""

    text: str
    owners: np.ndarray


def as_text(translator: Translator, tree: Tree, language: str) -> Text:
    """The tokens of a tree, each converted to the form of the training text: "It's" becomes `it &apos;s`."""
    words = [text.split() for text in translator.prepare(tree.tokens, language)]
    return Text(" ".join(word for of_token in words for word in of_token),
                np.repeat(np.arange(len(words)), [len(of_token) for of_token in words]))


class Cut(NamedTuple):
    """Shares of the tokens of some texts that the vocabulary has in several parts, and not in whole."""

    split: float
    unknown: float


def cut(translator: Translator, texts: Sequence[Text]) -> Cut:
    """How the vocabulary cuts texts; a token with an unknown part counts in both where it has several."""
    counts, unknown = [], []
    for text, ids in zip(texts, translator.tokenizer.encode([text.text for text in texts])):
        owners = _owners(translator, translator.tokenizer.tokens(ids), text)
        counts.append(np.bincount(owners))
        unknown.append(np.bincount(owners, np.array(ids) == UNKNOWN) > 0)
    return Cut(float((np.concatenate(counts) > 1).mean()), float(np.concatenate(unknown).mean()))


def _owners(translator, tokens, text):
    """The tree's token that each subword belongs to; -1 for an end mark."""
    words = word_numbers(tokens, translator.tokenizer.segmentation)
    return np.where(words < 0, -1, text.owners[words])


def most_attended(weights: np.ndarray, owners: Sequence[int]) -> np.ndarray:
    """The other token that each token attends to most, by head.

    Args:
      weights: self-attention between subwords, (heads, T, T), rows to columns.
      owners: the token that each subword belongs to, (T,); -1 for a mark.
    Returns:
      indices of tokens, int (heads, tokens); the first of equals.

    >>> most_attended(np.array([[[0.5, 0.3, 0.2], [0.4, 0.1, 0.5], [0.3, 0.3, 0.4]]]), [0, 1, 1]).tolist()
    [[1, 0]]
    """
    between = merge_subwords(weights, owners, owners)
    return np.where(np.eye(between.shape[-1], dtype=bool), -1.0, between).argmax(axis=-1)


class Attended(NamedTuple):
    """Of each sentence, what its tokens attend to most, as of `most_attended`. Fields: source, target."""

    source: list[np.ndarray]
    target: list[np.ndarray]


def read(translator: Translator, params: Any, sources: Sequence[Text], targets: Sequence[Text]) -> Attended:
    """Lets a model read sentences and their translations, AT_A_TIME of them together."""
    attended = Attended([], [])
    for start in range(0, len(sources), AT_A_TIME):
        sides = [side[start:start + AT_A_TIME] for side in (sources, targets)]
        attentions = translator.attention(params, *([text.text for text in side] for side in sides))
        for attention, source, target in zip(attentions, *sides):
            # The decoder's inputs begin with a mark: row and column j + 1 are of word j.
            for into, weights, tokens, text in (
                    (attended.source, attention.encoder, attention.source, source),
                    (attended.target, attention.decoder[:, :, 1:, 1:], attention.target[:-1], target)):
                into.append(most_attended(weights.reshape(-1, *weights.shape[2:]),
                                          _owners(translator, tokens, text)))
    return attended


def linked(attended: Iterable[np.ndarray], trees: Iterable[Tree], relation: str, direction: str,
           left: bool = False) -> Linked:
    """The best head against the best fixed offset in tokens, both picked on sentences of even index.

    A word that is related to several counts once, and finds one of them or none.

    Args:
      attended: as of `most_attended`, for each tree. relation, direction, left: as of `related`.
    Raises:
      ValueError: one of the halves of the sentences has no word with this relation.
    """
    heads, others, halves = [], [], []
    for index, (looks, tree) in enumerate(zip(attended, trees, strict=True)):
        for query, targets in related(tree, relation, direction, left).items():
            heads.append(np.isin(looks[:, query], list(targets)))
            others.append({target - query for target in targets})
            halves.append(index % 2)
    offsets = sorted(set().union(*others))
    number, head = picked(np.array(heads), np.array(halves), relation)
    column, fixed = picked(np.array([[offset in each for offset in offsets] for each in others]),
                           np.array(halves), relation)
    return Linked(head, number, fixed, offsets[column], halves.count(ODD))
