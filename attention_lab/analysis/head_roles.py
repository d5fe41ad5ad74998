"""Roles of heads in a translator of the grammar: choices that fail without a head, words that it links."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from attention_lab.data import batching
from attention_lab.data.grammar import Sentence
from attention_lab.data.vocabulary import UNKNOWN
from attention_lab.evaluation.phenomena import CASES, Case
from attention_lab.tasks.translation.translator import SCORING_TOKENS, Attention, Translator
from attention_lab.training.task import Batch

EVEN, ODD = 0, 1  # sentences to pick a head on, and to score it on, by index modulo 2

# Choices between two forms: of verbs whose number only the subject shows in English (`will see`), and of
# pronouns by the gender of their antecedent.
CHOICES: Mapping[str, Callable[[Sentence], Sequence[Case]]] = {
    "agreement": lambda sentence: [Case(verb.french_verb, verb.right, (verb.wrong,))
                                   for verb in sentence.agreement if not verb.marked],
    "pronoun": CASES["pronoun"],
}


def batches(translator: Translator, sources: Sequence[str], targets: Sequence[str]) -> list[Batch]:
    """Sentences and their translations in batches of the translator's model, in order."""
    ids = [translator.tokenizer.encode(side) for side in (sources, targets)]
    return list(batching.in_order(*ids, translator.buckets, SCORING_TOKENS))


class Choices:
    """Choices between the right form of a word and the same word in another form, in the grammar's sentences.

    A choice is made from the source and the reference before the word. Forms that the vocabulary lacks are
    left out.

    Fields:
      batches: of the model. sentence: {key of CHOICES: index of each case's sentence}.
    """

    def __init__(self, translator: Translator, sentences: Sequence[Sentence]):
        """ValueError where tokens are parts of words, or a choice has no case."""
        if not translator.tokenizer.segmentation.whole_words:
            raise ValueError(f"data.tokenizer={translator.config.data.tokenizer} cuts words into pieces: "
                             "roles of heads are told word by word; word is allowed")
        self.translator = translator
        self.batches = batches(translator, [sentence.source for sentence in sentences],
                               [sentence.target for sentence in sentences])
        rows = {int(example): (number, row) for number, batch in enumerate(self.batches)
                for row, example in enumerate(batch["example"]) if example >= 0}
        self._cases, self.sentence = {}, {}
        for name, cases_of in CHOICES.items():
            every = [(*rows[index], case.position, *self._ids(case), index)
                     for index, sentence in enumerate(sentences) for case in cases_of(sentence)]
            cases = np.array([case for case in every if UNKNOWN not in case[3:5]], np.int64).reshape(-1, 6)
            if not len(cases):
                raise ValueError(f"no sentence has a case of {name}")
            self._cases[name], self.sentence[name] = cases[:, :5], cases[:, 5]

    def _ids(self, case):
        (right,), (wrong,) = self.translator.tokenizer.encode([case.right, case.wrong[0]])
        return right, wrong

    def log_odds(self, params: Any) -> dict[str, np.ndarray]:
        """log p(right) - log p(wrong) of each case, by key of CHOICES, nats."""
        computed = [jax.device_get(_states(self.translator.model, params, batch, self.translator.hyper))
                    for batch in self.batches]

        def odds(number, row, position, right, wrong):
            states, readout = computed[number]
            return states[row, position] @ (readout[right] - readout[wrong])

        return {name: np.array([odds(*case) for case in cases.tolist()])
                for name, cases in self._cases.items()}


@partial(jax.jit, static_argnames="model")
def _states(model, params, batch, hyper):
    output = model.apply(params, batch, hyper)
    return output.hidden, output.readout


class Related(NamedTuple):
    """A word and one that it is related to: indices in the English and in the French sentence."""

    english: int
    french: int
    english_other: int
    french_other: int


def _subjects(sentence: Sentence) -> Iterator[Related]:
    return (Related(verb.english_verb, verb.french_verb, verb.english_subject, verb.french_subject)
            for verb in sentence.agreement)


def _antecedents(sentence: Sentence) -> Iterator[Related]:
    return (Related(pronoun.english_pronoun, pronoun.french_pronoun, pronoun.english_antecedent,
                    pronoun.french_antecedent) for pronoun in sentence.antecedents)


def _nouns(sentence: Sentence) -> Iterator[Related]:
    """Of an adjective the noun after it, or the subject of the verb before: an old dog, the dog is old."""
    tags, french = sentence.english_tags, dict(sentence.alignment)
    for i in (i for i, tag in enumerate(tags) if tag == "ADJ"):
        noun = next(j for j in range(i + 1, len(tags)) if tags[j] != "ADJ")
        if tags[noun] == "NOUN":
            yield Related(i, french[i], noun, french[noun])
        else:
            before = [verb for verb in sentence.agreement if verb.english_verb < i]
            verb = max(before, key=lambda verb: verb.english_verb)
            yield Related(i, french[i], verb.english_subject, verb.french_subject)


RELATIONS: Mapping[str, Callable[[Sentence], Iterator[Related]]] = {
    "subject": _subjects, "antecedent": _antecedents, "noun": _nouns}


class Linked(NamedTuple):
    """How often something picked on sentences of even index finds the related word in those of odd index.

    Fields:
      head: share of words whose largest weight is on the related word, of the head with the largest such
        share; number: of that head in `head_ablation.heads`.
      fixed: share of words whose related word is at the best fixed distance; distance: in words, below 0 to
        the left, counted in one sentence or from the French word's index to the English one.
      count: words in sentences of odd index.
    """

    head: float
    number: int
    fixed: float
    distance: int
    count: int


def linked(attentions: Sequence[Attention], sentences: Sequence[Sentence], relation: str) -> Linked:
    """The best head against the best fixed distance, for a key of RELATIONS.

    The encoder looks from the English word to the English one; the decoder and cross-attention look, at the
    step that predicts the French word, to the French and to the English one. ValueError if one of the halves
    has no pair of related words.
    """
    hits, distances, halves = [], [], []
    for index, (attention, sentence) in enumerate(zip(attentions, sentences, strict=True)):
        for word in RELATIONS[relation](sentence):
            # The decoder's inputs begin with a mark, so that word j is its key j + 1.
            looks = ((attention.encoder, word.english, word.english_other),
                     (attention.decoder, word.french, word.french_other + 1),
                     (attention.cross, word.french, word.english_other))
            hits.append([weights[:, :, query].argmax(axis=-1) == key for weights, query, key in looks])
            distances.append([word.english_other - word.english, word.french_other - word.french,
                              word.english_other - word.french])
            halves.append(index % 2)
    hits, distances, halves = np.array(hits).reshape(len(halves), -1), np.array(distances), np.array(halves)
    number, head = picked(hits, halves, relation)
    places = [(kind, int(distance)) for kind, of_kind in enumerate(distances.T)
              for distance in np.unique(of_kind)]
    column, fixed = picked(np.stack([distances[:, kind] == distance for kind, distance in places], axis=1),
                           halves, relation)
    return Linked(head, number, fixed, places[column][1], int((halves == ODD).sum()))


def picked(hits: np.ndarray, halves: np.ndarray, relation: str) -> tuple[int, float]:
    """What finds most related words in one half of the sentences, and its share in the other half.

    Args:
      hits: whether each of several things, heads or distances, finds the related word, (words, things).
      halves: EVEN, to pick on, or ODD, to score on, for each word. relation: its name, for the error.
    Returns:
      the index of the picked thing, the first of equals; its share of hits among the words of ODD.
    Raises:
      ValueError: one of the halves has no word.
    """
    even, odd = halves == EVEN, halves == ODD
    if not (even.any() and odd.any()):
        raise ValueError(f"{relation}: each half of the sentences needs a pair of related words")
    number = int(hits[even].mean(axis=0).argmax())
    return number, float(hits[odd, number].mean())


class Dissociation(NamedTuple):
    """A crossed double dissociation of two costs over heads, picked on another half of the sentences.

    Fields:
      first, second: heads that cost most of each kind on the half for picking.
      in_first: cost of the first kind without head `first` minus without head `second`; in_second: cost of
        the second kind without `second` minus without `first`; both on the half for scoring.
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
