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
from attention_lab.decoding import sampling
from attention_lab.models import Model
from attention_lab.storage.runs import Run
from attention_lab.tasks.text import TOKENIZER


class LanguageModel:
    """The model of one config. Fields: model, the Model; tokenizer; context, the most tokens that it sees."""

    attends = False  # it has no pairs of sentences whose attention is drawn

    def __init__(self, config: Config, tokenizer: tokenizers.Tokenizer):
        self.tokenizer, self.context, self.hyper = tokenizer, config.data.context, split(config)[1]
        self.model = models.build(config, tokenizer.size)

    def sample(self, params: Any, prompt: str, tokens: int, temperature: float = 1.0, top_k: int = 0,
               seed: int = 0) -> str:
        """The prompt and what follows it.

        Args:
          prompt: "" begins a line. tokens: how many are written; a line end is one.
          temperature, top_k: as of `sampling.sample`.
        Raises:
          ValueError: arguments that can't be used.
        """
        ids = [EOS, *self._ids(prompt)]
        window = np.full((1, self.context), PAD, np.int32)
        seen = ids[:-1][-self.context:]
        window[0, :len(seen)] = seen
        carry = {"window": window, "filled": np.array([len(seen)], np.int32)}
        written = continued(self.model, params, self.hyper, carry, np.array(ids[-1:], np.int32),
                            jax.random.key(seed), temperature, tokens, min(top_k, self.tokenizer.size))
        rows = [[]]
        for token in [*ids[1:], *np.asarray(written)[0].tolist()]:
            rows[-1].append(token) if token != EOS else rows.append([])
        return "\n".join(self.tokenizer.decode(rows))

    def _ids(self, prompt: str) -> list[int]:
        rows = self.tokenizer.encode([lines.one_space(line) for line in prompt.split("\n")])
        return [token for row in rows for token in (*row, EOS)][:-1]


@partial(jax.jit, static_argnames=("model", "tokens", "top_k"))
def continued(model: Model, params: Any, hyper: Any, carry: Any, first: jax.Array, key: jax.Array,
              temperature: Any, tokens: int, top_k: int) -> jax.Array:
    """Tokens (B, tokens) drawn after `first` (B,), as of `sampling.sample`."""
    return sampling.sample(carry, partial(step, model, params, hyper), first, tokens, key, temperature, top_k,
                           banned=(PAD, BOS, UNKNOWN))


def step(model: Model, params: Any, hyper: Any, carry: Any, token: jax.Array) -> tuple[jax.Array, Any]:
    """Logits (B, N) of what follows a token (B,), and the carry with it.

    The whole window is read again for each token, so that every kind of model can be sampled from. carry:
    window (B, T), the last tokens read, then PAD; filled (B,), how many they are.
    """
    window, filled = carry["window"], carry["filled"]
    rows, length = jnp.arange(window.shape[0]), window.shape[1]
    window = jnp.where((filled == length)[:, None], jnp.roll(window, -1, axis=1), window)
    place = jnp.minimum(filled, length - 1)
    window = window.at[rows, place].set(token)
    output = model.apply(params, {"source": window, "target": window, "example": rows}, hyper)
    logits = output.hidden[rows, place] @ output.readout.T
    return logits, {"window": window, "filled": place + 1}


def read(run: Run, config: Config) -> LanguageModel:
    """The language model of a finished run."""
    return LanguageModel(config, tokenizers.load(run.folder / TOKENIZER))
