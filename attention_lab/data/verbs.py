"""Sentences for a language model, each in a context of its own, and the verb whose number is scored."""

import dataclasses
from collections import defaultdict

import numpy as np

from attention_lab.data import batching, sequences, vocabulary
from attention_lab.data.contexts import Batches, Contexts
from attention_lab.data.corpus import Corpus
from attention_lab.data.tokenizers import Tokenizer

TEST, DEV = 0.2, 0.1  # shares of the sentences with equally many attractors


@dataclasses.dataclass(frozen=True)
class Verbs(Corpus):
    """Sentences with a verb that agrees with its subject.

    Fields:
      text: sentences, words separated by single spaces.
      position: index of the verb among the words, from 0.
      right, wrong: the verb as it stands there, and in the other number: "is", "are".
      attractors: how many nouns of the other number stand between the subject and the verb.
      counts: {name: number} of irregularities, and "sentences".
    """

    UNIT, TEXTS, EXAMPLES = "sentences", "sentences", "sentences_with_their_verb"
    text: list[str]
    position: list[int]
    right: list[str]
    wrong: list[str]
    attractors: list[int]
    counts: dict[str, int] = dataclasses.field(default_factory=dict)

    def texts(self) -> list[str]:
        """Input of a model: `text`."""
        return self.text

    def text_columns(self) -> list[list[str]]:
        """The text that the digest of a corpus covers: a line for each sentence."""
        rows = zip(self.text, self.position, self.right, self.wrong, self.attractors)
        return [["\t".join(map(str, row)) for row in rows]]

    def sample(self) -> list[str]:
        """The sentences, from which a vocabulary is learnt."""
        return self.text

    def contexts(self, tokenizer: Tokenizer, length: int) -> Contexts:
        """A context of `length` for each sentence, cut off after it or filled up with PAD.

        The end mark stands before the first word, where it ends the sentence before, and after the last.
        `bytes` is 0 where a sentence is cut off.
        """
        rows = tokenizer.encode(self.text)
        target = batching.pad(rows, 1 + max(length, max(map(len, rows), default=0)))[:, :length]
        source = np.pad(target[:, :-1], ((0, 0), (1, 0)), constant_values=vocabulary.EOS)
        whole = all(len(row) < length for row in rows)
        return Contexts(source, target, sum(len(text.encode()) + 1 for text in self.text) * whole)

    def training(self, tokenizer: Tokenizer, length: int, rows: int) -> tuple[Batches, int]:
        """(seed, first step) -> endless batches, each pass in another order; and the contexts of a pass."""
        contexts = self.contexts(tokenizer, length)
        return lambda seed, first: sequences.batches(contexts, rows, seed, first), len(self)


def split(verbs: Verbs, seed: int) -> dict[str, Verbs]:
    """The sentences as train, dev and test, drawn at random among those with equally many attractors.

    Of n, round(TEST n) are test, round(DEV n) dev. Each part keeps the order of the whole; train, the counts.
    """
    raw = np.random.PCG64(seed).random_raw(len(verbs))  # raw words: the same from every numpy
    groups = defaultdict(list)
    for index, attractors in enumerate(verbs.attractors):
        groups[attractors].append(index)
    parts: dict[str, list[int]] = {"train": [], "dev": [], "test": []}
    for indices in groups.values():
        indices = sorted(indices, key=lambda i: (raw[i], i))
        test = round(TEST * len(indices))
        dev = test + round(DEV * len(indices))
        for name, part in zip(parts, (indices[dev:], indices[test:dev], indices[:test])):
            parts[name] += part
    train = verbs.select(sorted(parts.pop("train")))
    return {"train": train, **{name: verbs.held_out(part) for name, part in parts.items()}}


def is_singular(right: str, wrong: str) -> bool:
    """Whether the first of two forms of an English verb in the present, or of "was", is its singular.

    >>> [is_singular(*forms) for forms in (("is", "are"), ("passes", "pass"), ("were", "was"))]
    [True, True, False]
    """
    ends = right.endswith("s"), wrong.endswith("s")
    return len(right) > len(wrong) if ends[0] == ends[1] else ends[0]
