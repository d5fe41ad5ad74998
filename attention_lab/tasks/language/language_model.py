"""A trained language model as functions on text: it continues a prompt."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab import models
from attention_lab.config import Config, split
from attention_lab.data import lines, tokenizers
from attention_lab.data.vocabulary import BOS, EOS, PAD, UNKNOWN
from attention_lab.decoding import beam, sampling, window
from attention_lab.models import Model
from attention_lab.storage.runs import Run
from attention_lab.tasks.text import TOKENIZER


class LanguageModel:
    """The model of one config. Fields: model, the Model; tokenizer; context, the most tokens that it sees."""

    attends = False  # it has no pairs of sentences whose attention is drawn

    def __init__(self, config: Config, tokenizer: tokenizers.Tokenizer):
        self.tokenizer, self.context, self.hyper = tokenizer, config.data.context, split(config)[1]
        self.model = models.build(config, tokenizer.size)

    def samples(self, params: Any, prompt: str, count: int, tokens: int, temperature: float = 1.0,
                top_k: int = 0, seed: int = 0, top_p: float = 1.0) -> list[str]:
        """The prompt and what follows it, drawn `count` times.

        Args:
          prompt: "" begins a line. tokens: how many are written; a line end is one.
          temperature, top_k, top_p: as of `sampling.sample`; top_p 1: all tokens.
        Raises:
          ValueError: arguments that can't be used.
        """
        if not 0 < top_p <= 1:
            raise ValueError(f"top_p={top_p}: a number above 0 and at most 1 is allowed")
        ids = [EOS, *self._ids(prompt)]
        seen = ids[:-1][1 - self.context:]  # and ids[-1] fill the window
        read = np.full((1, self.context), PAD, np.int32)
        read[0, :len(seen)] = seen
        written = continued(self.model, params, self.hyper, read, np.array(ids[-1:], np.int32),
                            jax.random.key(seed), temperature, None if top_p == 1 else top_p, tokens,
                            min(top_k, self.tokenizer.size), count)
        return [self._text([*ids[1:], *row]) for row in np.asarray(written).tolist()]

    def _text(self, ids: list[int]) -> str:
        rows = [[]]
        for token in ids:
            rows[-1].append(token) if token != EOS else rows.append([])
        return "\n".join(self.tokenizer.decode(rows))

    def _ids(self, prompt: str) -> list[int]:
        rows = self.tokenizer.encode([lines.one_space(line) for line in prompt.split("\n")])
        return [token for row in rows for token in (*row, EOS)][:-1]


@partial(jax.jit, static_argnames=("model", "tokens", "top_k", "samples"))
def continued(model: Model, params: Any, hyper: Any, read: jax.Array, first: jax.Array, key: jax.Array,
              temperature: Any, top_p: Any, tokens: int, top_k: int, samples: int) -> jax.Array:
    """Tokens (B * samples, tokens) drawn after `read` and `first`, as of `sampling.sample`.

    read: (B, C), the tokens before `first` (B,), then PAD; C, the context, as of `decoding.window`.
    """
    start, step = partial(_start, model, params, hyper), partial(_step, model, params, hyper)
    carry = beam.repeated(window.begin(start, read, (read != PAD).sum(axis=1, dtype=jnp.int32)), samples)
    return sampling.sample(carry, partial(window.step, start, step), jnp.repeat(first, samples), tokens, key,
                           temperature, top_k, top_p, banned=(PAD, BOS, UNKNOWN))


def _start(model, params, hyper, tokens, room):
    return model.start(params, tokens, hyper, room)


def _step(model, params, hyper, carry, token):
    return model.step(params, carry, token, hyper)


def read(run: Run, config: Config) -> LanguageModel:
    """The language model of a finished run."""
    return LanguageModel(config, tokenizers.load(run.folder / TOKENIZER))
