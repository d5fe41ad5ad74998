"""Contexts of the grammar's stories: train never repeats, dev and test are drawn once."""

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np

from attention_lab.data import vocabulary
from attention_lab.data.contexts import Batches, Contexts
from attention_lab.data.corpus import SPLITS
from attention_lab.data.grammar.stories import StoryGrammar, stories, write
from attention_lab.data.tokenizers import Tokenizer


@dataclasses.dataclass(frozen=True)
class Endless:
    """Stories of one split, each cut after as many words as a context has.

    Fields: size, the number of stories; train, which has no end, counts as many as an epoch. counts: {}.
    """

    given: StoryGrammar
    seed: int
    split: str
    size: int
    counts: dict[str, int] = dataclasses.field(default_factory=dict)

    def text_columns(self) -> list[list[str]]:
        """What the digest of a corpus covers: the words of all rules and their probabilities."""
        grammar = self.given.grammar
        return [[f"{grammar.words[word]} {p:.9g}" for word, p in zip(grammar.word, grammar.probability)]]

    def sample(self) -> list[str]:
        """All words, from which a vocabulary is learnt."""
        return [" ".join(self.given.grammar.words)]

    def contexts(self, tokenizer: Tokenizer, length: int) -> Contexts:
        """The first words of the stories of dev or test."""
        return self._drawn(self._ids(tokenizer), [self.seed, SPLITS.index(self.split)], self.size, length)

    def training(self, tokenizer: Tokenizer, length: int, rows: int) -> tuple[Batches, int]:
        """(seed, first step) -> endless batches of stories, all drawn anew; and the stories of an epoch."""
        ids = self._ids(tokenizer)

        def batches(seed: int, first: int) -> Iterator[dict[str, np.ndarray]]:
            for step in itertools.count(first):
                key = [self.seed, SPLITS.index(self.split), seed, step]
                drawn = self._drawn(ids, key, rows, length)
                example = (step * rows + np.arange(rows)) % 2 ** 31
                yield {"source": drawn.source, "target": drawn.target, "example": example.astype(np.int32)}

        return batches, self.size

    def _ids(self, tokenizer: Tokenizer) -> np.ndarray:
        rows = tokenizer.encode(self.given.grammar.words)
        if tokenizer.kind != "word":
            raise ValueError(f"data.tokenizer={tokenizer.kind}: stories, whose entropy is that of their "
                             "words, are cut into words: word is allowed, or a file by data.path")
        if any(row == [vocabulary.UNKNOWN] for row in rows):
            least = len(rows) + len(vocabulary.SPECIALS)
            raise ValueError(f"data.vocabulary_size={tokenizer.size} is too small: the words of these "
                             f"stories and the special ids need {least}")
        return np.array([row[0] for row in rows], np.int32)

    def _drawn(self, ids, key, rows, length):
        # The raw words of PCG64 are fixed for good, the methods of Generator may change with numpy.
        raw = np.random.PCG64(key).random_raw(rows * length).reshape(rows, length)
        words, surprisal = write(self.given, (raw >> np.uint64(11)) * 2.0 ** -53)
        target = ids[words]
        source = np.pad(target[:, :-1], ((0, 0), (1, 0)), constant_values=vocabulary.EOS)
        return Contexts(source, target, surprisal=surprisal)


def endless(lexicon_size: int, seed: int, sizes: dict[str, int]) -> dict[str, Endless]:
    """{split: stories} of the sizes {split: number}, all by the grammar that the seed draws."""
    given = stories(lexicon_size, seed)
    return {split: Endless(given, seed, split, size) for split, size in sizes.items()}
