"""Which tokens of a reference a translator gets right, where it has read the reference up to each of them."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.analysis.batches import rows
from attention_lab.config import Hyper
from attention_lab.data import batching
from attention_lab.models import Model
from attention_lab.tasks.translation.translator import SCORING_TOKENS, Translator


def right_tokens(translator: Translator, params: Any, sources: Sequence[str], targets: Sequence[str]
                 ) -> list[np.ndarray]:
    """Whether token t of each reference, the end mark too, is the most probable after those before it: (T,).

    sources, targets: pairs, text as in training.
    """
    ids = [translator.tokenizer.encode(side) for side in (sources, targets)]
    right = rows(lambda batch: _right(translator.model, params, batch, translator.hyper), len(sources),
                 batching.in_order(*ids, translator.buckets, SCORING_TOKENS))
    return [row[:len(target) + 1] for row, target in zip(right, ids[1])]  # the end mark, too


def by_share(right: Sequence[np.ndarray], parts: int) -> np.ndarray:
    """The share of right tokens in each of `parts` equal parts of the references: (parts,).

    Token t of T, from 0, is in part floor(t parts / T); nan for a part without a token.

    >>> by_share([np.array([True, False, True, True])], 2).tolist()
    [0.5, 1.0]
    """
    part = np.concatenate([np.arange(len(row)) * parts // len(row) for row in right])
    total = np.bincount(part, minlength=parts).astype(float)
    return np.bincount(part, np.concatenate(right), parts) / np.where(total, total, np.nan)


@partial(jax.jit, static_argnames="model")
def _right(model: Model, params: Any, batch: dict, hyper: Hyper) -> jax.Array:
    output = model.apply(params, batch, hyper)
    return jnp.argmax(output.hidden @ output.readout.T, axis=-1) == batch["target"]
