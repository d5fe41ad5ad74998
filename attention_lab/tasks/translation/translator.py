"""A trained translation model with its tokenizer: sentences in, sentences and attention out."""

import functools
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from attention_lab import models
from attention_lab.config import LEARNED_POSITIONS, Config, Hyper, split
from attention_lab.data import batching, detokenize, lines, tokenizers
from attention_lab.data.spelling import Spelling, learned
from attention_lab.data.vocabulary import EOS, PAD
from attention_lab.models import Model
from attention_lab.storage.runs import Run
from attention_lab.tasks import limits
from attention_lab.tasks.text import TOKENIZER, buckets_of
from attention_lab.tasks.translation.shrinking import decode

SCORING_TOKENS = 4096  # padded tokens of a batch while scoring
DECODED_TOKENS = 8192  # padded source tokens of a batch while decoding, at most
FEW = 16  # up to this number, sentences are decoded in the smallest batches, for a short wait
AT_A_TIME = 2  # batches
ROWS = (128, 64)  # sentences in a batch while decoding, greedily and with a beam


class Attention(NamedTuple):
    """Attention weights of a model on one sentence pair.

    Fields:
      source, target: the tokens with end marks.
      cross: weights from target (T) to source (S), float32 (L, H, T, S).
      values: norm of what a source position adds at a weight of 1, float32 (L, H, S).
      encoder, decoder: weights within the source (L, H, S, S) and within the target (L, H, T, T); None
        for a recurrent model.
    """

    source: list[str]
    target: list[str]
    cross: np.ndarray
    values: np.ndarray
    encoder: np.ndarray | None
    decoder: np.ndarray | None


class Translations(NamedTuple):
    """Fields: texts, as the tokenizer spells them; cut, how many met the length limit before their end."""

    texts: list[str]
    cut: int


class Translator:
    """A translation model with its tokenizer: text in, translations and attention weights out.

    Fields:
      model: the Model. tokenizer: text to ids. buckets: padded lengths, rising.
    """

    def __init__(self, config: Config, tokenizer: tokenizers.Tokenizer, buckets: Sequence[int]):
        self.config, self.tokenizer, self.buckets = config, tokenizer, tuple(buckets)
        self.hyper = split(config)[1]
        self.model = models.build(config, tokenizer.size)

    @property
    def attends(self) -> bool:
        """Whether the model has cross-attention."""
        return self.config.attention.compatibility != "none"

    def _limit(self, length: int) -> int:
        """Tokens written at most for sources padded to `length`, more where that exceeds the last bucket."""
        limit = self.config.decoding.max_length * max(1, math.ceil(length / self.buckets[-1]))
        if self.config.model.positions != "learned":
            return limit
        if length > LEARNED_POSITIONS:
            raise ValueError(f"a sentence of more than {LEARNED_POSITIONS} tokens is beyond the table of "
                             "model.positions=learned")
        return min(limit, LEARNED_POSITIONS)

    def longest(self, beam: int | None = None) -> int:
        """Tokens, end mark included, of the longest source that is translated; beam: as in `translate`."""
        beam = self.config.decoding.beam if beam is None else beam
        first, second = self._carry_bytes
        return limits.translated(self.config, self.buckets, self._limit, (beam * first, beam * second))

    @functools.cached_property
    def _carry_bytes(self) -> tuple[int, int]:
        return limits.carry_bytes(self.model, self.hyper, self.buckets[-1], self._limit)

    def too_long(self, sentences: Sequence[str], beam: int | None = None) -> dict[int, int]:
        """{index: tokens} of the sentences, source text as in training, beyond `longest`."""
        counts = batching.lengths(self.tokenizer.encode(sentences))
        if counts.max(initial=0) <= self.buckets[-1]:
            return {}
        longest = self.longest(beam)
        return {i: int(n) for i, n in enumerate(counts) if n > longest}

    def translate(self, params: Any, sentences: Sequence[str], beam: int | None = None,
                  hyper: Hyper | None = None) -> Translations:
        """The best translation of each sentence.

        Args:
          sentences: source text as in training.
          beam: hypotheses kept; None: as in the config. hyper: None: the config's.
        Raises:
          ValueError: a beam below 1, or a sentence that is longer than a table of learned positions.
        """
        if not sentences:
            return Translations([], 0)
        ids = self.tokenizer.encode(sentences)
        beam = self.config.decoding.beam if beam is None else beam
        if beam < 1:
            raise ValueError(f"beam={beam} is not a size; it must be at least 1")
        best: list[Any] = [None] * len(ids)
        rows = ROWS[beam > 1] if len(ids) > FEW else batching.ROW_MULTIPLE

        def decoded(batch):
            length = batch["source"].shape[1]
            return decode(self.model, params, batch["source"], hyper or self.hyper,
                          self.config.decoding.length_penalty, beam, self._limit(length),
                          max(length, self.buckets[-1]))

        # Small operations keep one core busy; so two batches are decoded at a time. Of sources beyond the
        # buckets one alone may take all the memory that `longest` allows.
        batches = list(batching.by_length(ids, self.buckets, rows, DECODED_TOKENS))
        long = batches[-1]["source"].shape[1] > self.buckets[-1]
        pool = ThreadPoolExecutor(1 if long else AT_A_TIME)
        try:
            for batch, tokens in zip(batches, pool.map(decoded, batches)):
                for example, row in zip(batch["example"], tokens):
                    if example >= 0:
                        best[example] = row
        finally:
            pool.shutdown(cancel_futures=True)
        return Translations(self.tokenizer.decode(best), sum(EOS not in row for row in best))

    @functools.cached_property
    def spelling(self) -> Spelling:
        """How the training text is spelled."""
        return learned(self.tokenizer)

    def prepare(self, sentences: Sequence[str], language: str = "en") -> list[str]:
        """Converts written sentences to the form of the training text; language: en or fr."""
        if self.config.data.text == "raw":
            return [self.spelling.in_letters(lines.one_space(sentence)) for sentence in sentences]
        return [detokenize.prepare(sentence, language, self.spelling) for sentence in sentences]

    def restore(self, translations: Sequence[str]) -> list[str]:
        """Converts translations to written text: unescaped, punctuation joined to its words."""
        if self.config.data.text == "raw":
            return list(translations)
        return [detokenize.restore(translation) for translation in translations]

    def attention(self, params: Any, sources: Sequence[str], targets: Sequence[str],
                  hyper: Hyper | None = None) -> list[Attention]:
        """The weights of every layer and head for each source with its target as the decoder's input."""
        ids = [self.tokenizer.encode(side) for side in (sources, targets)]
        attentions: list[Any] = [None] * len(sources)
        for batch in batching.in_order(*ids, self.buckets, SCORING_TOKENS):
            weights = jax.device_get(attention_weights(self.model, params, batch, hyper or self.hyper))
            for row, example in enumerate(batch["example"]):
                if example < 0:
                    continue
                source, target = (batch[side][row][batch[side][row] != PAD]
                                  for side in ("source", "target"))
                S, T = len(source), len(target)
                inner = [weights[name][:, row, :, :size, :size] if name in weights else None
                         for name, size in (("encoder", S), ("decoder", T))]
                attentions[example] = Attention(self.tokenizer.tokens(source), self.tokenizer.tokens(target),
                                                weights["cross"][:, row, :, :T, :S],
                                                weights["values"][:, row, :, :S], *inner)
        return attentions


@partial(jax.jit, static_argnames="model")
def attention_weights(model: Model, params: Any, batch: dict, hyper: Hyper) -> dict[str, jax.Array]:
    """`Output.weights`, and the norms of `Model.values` as "values"."""
    weights = model.apply(params, batch, hyper, with_weights=True).weights
    return weights | {"values": model.values(params, batch, hyper)}


def read(run: Run, config: Config) -> Translator:
    """The translator of a finished run; ValueError where a file of it can't be read.

    config: the run's, or one whose decoding differs from it.
    """
    return Translator(config, tokenizers.load(run.folder / TOKENIZER), buckets_of(run))
