"""Roles of heads in a translator of the grammar: choices that fail without a head, words that it links."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from attention_lab.data import batching
from attention_lab.data.grammar import Sentence
from attention_lab.data.vocabulary import UNKNOWN
from attention_lab.evaluation.phenomena import CASES
from attention_lab.tasks.translation.translator import SCORING_TOKENS, Attention, Translator

EVEN, ODD = 0, 1  # sentences to pick a head on, and to score it on, by index modulo 2


class Choices:
    """Choices between the right form of a word and the same word in another form, in the grammar's sentences.

    A choice is made from the source and the reference before the word. Forms that the vocabulary lacks are
    left out.

    Fields:
      batches: of the model. names: the phenomena that were given.
      sentence: {phenomenon: index of each case's sentence}.
    """

    def __init__(self, translator: Translator, sentences: Sequence[Sentence], names: Sequence[str]):
        """ValueError where a word is not one token, or a phenomenon has no case."""
        whole_words(translator)
        self.translator, self.names = translator, tuple(names)
        sides = [translator.tokenizer.encode([getattr(sentence, side) for sentence in sentences])
                 for side in ("source", "target")]
        self.batches = list(batching.in_order(*sides, translator.buckets, SCORING_TOKENS))
        rows = {int(example): (number, row) for number, batch in enumerate(self.batches)
                for row, example in enumerate(batch["example"]) if example >= 0}
        self._cases, self.sentence = {}, {}
        for name in self.names:
            found = [(*rows[index], case.position, *self._ids(case), index)
                     for index, sentence in enumerate(sentences) for case in CASES[name](sentence)]
            cases = np.array([case for case in found if UNKNOWN not in case[3:5]], np.int64).reshape(-1, 6)
            if not len(cases):
                raise ValueError(f"no sentence has a case of {name}")
            self._cases[name], self.sentence[name] = cases[:, :5], cases[:, 5]

    def _ids(self, case):
        (right,), (wrong,) = self.translator.tokenizer.encode([case.right, case.wrong[0]])
        return right, wrong

    def log_odds(self, params: Any) -> dict[str, np.ndarray]:
        """log p(right) - log p(wrong) of each case, by phenomenon, nats."""
        computed = [jax.device_get(_states(self.translator.model, params, batch, self.translator.hyper))
                    for batch in self.batches]
        odds = {}
        for name, cases in self._cases.items():
            odds[name] = np.array([states[row, t] @ (readout[right] - readout[wrong]) for states, readout, row,
                                   t, right, wrong in ((*computed[b], *rest) for b, *rest in cases.tolist())])
        return odds


@partial(jax.jit, static_argnames="model")
def _states(model, params, batch, hyper):
    output = model.apply(params, batch, hyper)
    return output.hidden, output.readout


def whole_words(translator: Translator) -> None:
    """ValueError where the translator's tokens are parts of words."""
    if not translator.tokenizer.segmentation.whole_words:
        raise ValueError(f"data.tokenizer={translator.config.data.tokenizer} cuts words into pieces: roles of "
                         "heads are told word by word; word is allowed")


def _subjects(sentence: Sentence) -> Iterator[tuple[int, int]]:
    return ((verb.english_verb, verb.english_subject) for verb in sentence.agreement)


def _antecedents(sentence: Sentence) -> Iterator[tuple[int, int]]:
    return ((pronoun.english_pronoun, pronoun.english_antecedent) for pronoun in sentence.antecedents)


def _nouns(sentence: Sentence) -> Iterator[tuple[int, int]]:
    """The noun after an adjective, or the subject of the verb before it: `an old dog`, `the dog is old`."""
    tags = sentence.english_tags
    for i in (i for i, tag in enumerate(tags) if tag == "ADJ"):
        after = next(j for j in range(i + 1, len(tags)) if tags[j] != "ADJ")
        if tags[after] == "NOUN":
            yield i, after
        else:
            before = [verb for verb in sentence.agreement if verb.english_verb < i]
            yield i, max(before, key=lambda verb: verb.english_verb).english_subject


# Relation -> its (word, word that it is related to) in an English sentence.
RELATIONS: Mapping[str, Callable[[Sentence], Iterator[tuple[int, int]]]] = {
    "subject": _subjects, "antecedent": _antecedents, "noun": _nouns}


class Linked(NamedTuple):
    """How often something picked on sentences of even index finds the related word in those of odd index.

    Fields:
      head: share of words whose largest weight is on the related word, of the head with the largest such
        share; number: that head, layer * H + head, from 0.
      fixed: share of words whose related word is at the most frequent distance; distance: in words, below 0 to
        the left.
      count: words in sentences of odd index.
    """

    head: float
    number: int
    fixed: float
    distance: int
    count: int


def linked(attentions: Sequence[Attention], sentences: Sequence[Sentence], relation: str) -> Linked:
    """The best head of encoder self-attention against the best fixed distance, for a key of RELATIONS.

    ValueError if one of the halves has no pair of related words.
    """
    hits, distances, halves = [], [], []
    for index, (attention, sentence) in enumerate(zip(attentions, sentences, strict=True)):
        for word, other in RELATIONS[relation](sentence):
            hits.append(attention.encoder[:, :, word].argmax(axis=-1).ravel() == other)
            distances.append(other - word)
            halves.append(index % 2)
    halves = np.array(halves)
    if len(set(halves.tolist())) < 2:
        raise ValueError(f"{relation}: each half of the sentences needs a pair of related words")
    hits, distances = np.array(hits), np.array(distances)
    number = int(hits[halves == EVEN].mean(axis=0).argmax())
    values, counts = np.unique(distances[halves == EVEN], return_counts=True)
    distance = int(values[counts.argmax()])
    odd = halves == ODD
    return Linked(float(hits[odd, number].mean()), number, float((distances[odd] == distance).mean()),
                  distance, int(odd.sum()))


class Dissociation(NamedTuple):
    """A crossed double dissociation of two costs over heads, with heads picked on another half of the sentences.

    Fields:
      first, second: heads that cost most of each kind on the half for picking.
      in_first: cost of the first kind without head `first` minus without head `second`; in_second: cost of the
        second kind without `second` minus without `first`; both on the half for scoring.
      chance: the 0.95 quantile of their sum over all ordered pairs of different heads: what a permutation of
        the heads' labels gives.
    """

    first: int
    second: int
    in_first: float
    in_second: float
    chance: float

    @property
    def crossed(self) -> float:
        """The sum of both differences: the interaction."""
        return self.in_first + self.in_second


def dissociation(picking: np.ndarray, scoring: np.ndarray) -> Dissociation:
    """See `Dissociation`; costs (2 kinds, heads) of the two halves of the sentences.

    >>> costs = np.array([[5.0, 1.0, 0.0], [0.0, 2.0, 0.0]])
    >>> dissociation(costs, costs)[:4]
    (0, 1, 4.0, 2.0)
    """
    first, second = (int(number) for number in picking.argmax(axis=1))
    lead = scoring[0] - scoring[1]
    every = (lead[:, None] - lead[None, :])[~np.eye(len(lead), dtype=bool)]
    return Dissociation(first, second, float(scoring[0, first] - scoring[0, second]),
                        float(scoring[1, second] - scoring[1, first]), float(np.quantile(every, 0.95)))
