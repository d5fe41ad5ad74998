"""Induction heads: heads that attend to what followed the same token before (Olsson et al. 2022)."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.analysis.head_ablation import Head
from attention_lab.config import Hyper
from attention_lab.data import sequences
from attention_lab.data.sequences import Sequences
from attention_lab.data.vocabulary import PAD
from attention_lab.models import Model
from attention_lab.training.task import Batch

ROWS = 256  # sequences at once


class HeadScores(NamedTuple):
    """Mean attention weights of each head, (L, H).

    Fields:
      prefix_matching: from a token to the one after its earlier occurrence, summed over several occurrences.
      previous_token: from a token to the one before it.
    """

    prefix_matching: np.ndarray
    previous_token: np.ndarray


def head_scores(model: Model, params: Any, hyper: Hyper, drawn: Sequences) -> HeadScores:
    """The scores of a causal encoder's heads, mean over the tokens that have an answer and came before.

    In sequences of `data.source=repeated` these are the tokens of the second copy.

    Raises:
      ValueError: no token with an answer came before.
    """
    sums = [jax.device_get(_sums(model, params, batch, hyper)) for batch in sequences.in_order(drawn, ROWS)]
    prefix, previous, count = (sum(part) for part in zip(*sums))
    if not count:
        raise ValueError("no token with an answer came before in its sequence: there is no prefix to match")
    return HeadScores(prefix / count, previous / count)


@partial(jax.jit, static_argnames="model")
def _sums(model: Model, params: Any, batch: Batch, hyper: Hyper) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Sums of both weights over tokens, (L, H) each, and the number of tokens."""
    weights = model.apply(params, batch, hyper, with_weights=True).weights["encoder"]
    source, place = batch["source"], jnp.arange(batch["source"].shape[1])
    earlier = (place[None, :] < place[:, None])[None]
    same = (source[:, :, None] == source[:, None, :]) & earlier
    after = jnp.pad(same, ((0, 0), (0, 0), (1, 0)))[:, :, :-1]  # [b, t, s]: token s - 1 is token t
    came_before = ((batch["target"] != PAD) & same.any(axis=2))[:, :, None]
    before = (place[None, :] == place[:, None] - 1)[None]
    prefix, previous = (jnp.einsum("lbhts,bts->lh", weights, (came_before & to).astype(jnp.float32))
                        for to in (after, before))
    return prefix, previous, came_before.sum()


def best_head(scores: np.ndarray, layer: int) -> Head:
    """The head of an encoder's layer, counted from 0, with the largest of the scores (L, H).

    >>> best_head(np.array([[0.1, 0.2], [0.7, 0.3]]), 1)
    Head(kind='encoder', layer=1, number=0)
    """
    return Head("encoder", layer, int(np.argmax(scores[layer])))
