"""A trained translation model with its tokenizer: sentences in, sentences and attention out."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab import models
from attention_lab.config import Config, Hyper, split
from attention_lab.data import batching, detokenize, tokenizers
from attention_lab.data.vocabulary import PAD
from attention_lab.decoding.beam import beam_search

SCORING_TOKENS = 4096  # padded source tokens a batch while decoding
FEW = 16  # as many sentences go in the smallest batches, so that one of them need not wait for hundreds


class Attention(NamedTuple):
    """What a model attended to while it was given one sentence pair.

    Fields:
      source, target: the tokens, the end marks included.
      cross: weights from target (T) to source (S), float32 (L, H, T, S).
      encoder, decoder: weights within the source (L, H, S, S) and within the target (L, H, T, T).
    """

    source: list[str]
    target: list[str]
    cross: np.ndarray
    encoder: np.ndarray
    decoder: np.ndarray


class Translator:
    """Functions of one (config, tokenizer): translate, look at the attention, and text in and out.

    Fields:
      model: the Model. tokenizer: text to ids. buckets: padded lengths, rising.
    """

    def __init__(self, config: Config, tokenizer: tokenizers.Tokenizer, buckets: Sequence[int]):
        self.config, self.tokenizer, self.buckets = config, tokenizer, tuple(buckets)
        structure, self.hyper = split(config)
        self.model = models.build(structure, tokenizer.size)

    @cache
    def _decode(self, beam: int):
        def decode(params, source, hyper, length_penalty):
            limit = self.config.decoding.max_length
            tokens, _ = beam_search(
                lambda: self.model.start(params, source, hyper, limit),
                lambda carry, token: self.model.step(params, carry, token, hyper),
                source.shape[0], beam, limit, length_penalty,
                active=jnp.any(source != PAD, axis=1))
            return tokens[:, 0]
        return jax.jit(decode)

    @cache
    def _weights(self):
        return jax.jit(lambda params, batch, hyper: self.model.apply(
            params, batch, hyper, with_weights=True).weights)

    def translate(self, params: Any, sentences: Sequence[str], beam: int | None = None,
                  hyper: Hyper | None = None) -> list[str]:
        """The best translation of each sentence, in the order given; nothing is cut or left out.

        Args:
          params: weights.
          sentences: source text as in training.
          beam: hypotheses kept; None as in the config's decoding.
          hyper: None as in the config.
        """
        if not sentences:
            return []
        ids = self.tokenizer.encode(sentences)
        decode = self._decode(self.config.decoding.beam if beam is None else beam)
        found: list[Any] = [None] * len(ids)
        room = SCORING_TOKENS if len(ids) > FEW else 1
        for batch in batching.in_order(ids, ids, self.buckets, room):
            tokens = np.asarray(decode(params, batch["source"], hyper or self.hyper,
                                       jnp.float32(self.config.decoding.length_penalty)))
            for example, row in zip(batch["example"], tokens):
                if example >= 0:
                    found[example] = row
        return self.tokenizer.decode(found)

    def prepare(self, sentences: Sequence[str]) -> list[str]:
        """Sentences as people write them in the form that training saw."""
        if self.config.data.text == "raw":
            return list(sentences)
        return [detokenize.prepare(sentence) for sentence in sentences]

    def restore(self, translations: Sequence[str]) -> list[str]:
        """Translations as people read them: unescaped, punctuation joined to its words."""
        if self.config.data.text == "raw":
            return list(translations)
        return [detokenize.restore(translation) for translation in translations]

    def attention(self, params: Any, sources: Sequence[str], targets: Sequence[str],
                  hyper: Hyper | None = None) -> list[Attention]:
        """The weights of every layer and head while each target is read along its source."""
        both = [self.tokenizer.encode(side) for side in (sources, targets)]
        found: list[Any] = [None] * len(sources)
        for batch in batching.in_order(*both, self.buckets, SCORING_TOKENS):
            weights = jax.device_get(self._weights()(params, batch, hyper or self.hyper))
            for row, example in enumerate(batch["example"]):
                if example < 0:
                    continue
                source, target = (batch[side][row][batch[side][row] != PAD]
                                  for side in ("source", "target"))
                S, T = len(source), len(target)
                found[example] = Attention(
                    self.tokenizer.tokens(source), self.tokenizer.tokens(target),
                    weights["cross"][:, row, :, :T, :S], weights["encoder"][:, row, :, :S, :S],
                    weights["decoder"][:, row, :, :T, :T])
        return found


def tokenizer_path(folder: str | Path) -> Path:
    """Where a run keeps its tokenizer."""
    return Path(folder) / "tokenizer.json"
