"""Minimal pairs for a language model: sentences, each a context, with a word that would be wrong in them."""

import dataclasses

import numpy as np

from attention_lab.data import batching, sequences, vocabulary
from attention_lab.data.contexts import Batches, Contexts
from attention_lab.data.corpus import Corpus
from attention_lab.data.tokenizers import Tokenizer


@dataclasses.dataclass(frozen=True)
class MinimalPairs(Corpus):
    """Sentences, and for each the same with another word at one place, which makes it wrong.

    Fields:
      text: sentences, words separated by single spaces.
      position: index of that word among the words, from 0.
      right, wrong: the word as it stands there, and the one that makes the sentence wrong: "is", "are".
    """

    UNIT, TEXTS, EXAMPLES = "sentences", "sentences", "sentences_with_their_pair"
    text: list[str]
    position: list[int]
    right: list[str]
    wrong: list[str]

    def texts(self) -> list[str]:
        """Input of a model: `text`."""
        return self.text

    def text_columns(self) -> list[list[str]]:
        """The text that the digest of a corpus covers: a line for each sentence."""
        return [["\t".join(map(str, row)) for row in zip(*self._columns().values())]]

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
