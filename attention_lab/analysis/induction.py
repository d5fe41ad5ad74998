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
      prefix_matching: from a token to the one after its earlier occurrence, summed over several occurrences;
        over the tokens that have an answer and came before, with `data.source=repeated` the second copy.
      previous_token: from a token to the one before it; over all tokens but the first.
    """

    prefix_matching: np.ndarray
    previous_token: np.ndarray


def head_scores(model: Model, params: Any, hyper: Hyper, drawn: Sequences) -> HeadScores:
    """The scores of a causal encoder's heads; ValueError where no token with an answer came before."""
    sums = [jax.device_get(_sums(model, params, batch, hyper)) for batch in sequences.in_order(drawn, ROWS)]
    (prefix, matched), (previous, followed) = ([sum(part) for part in zip(*of)] for of in zip(*sums))
    if not matched:
        raise ValueError("no token with an answer came before in its sequence: there is no prefix to match")
    return HeadScores(prefix / matched, previous / followed)


@partial(jax.jit, static_argnames="model")
def _sums(model: Model, params: Any, batch: Batch, hyper: Hyper) -> list[tuple[jax.Array, jax.Array]]:
    """For each field of HeadScores the sum of weights, (L, H), and the number of tokens that it is over."""
    weights = model.apply(params, batch, hyper, with_weights=True).weights["encoder"]
    source, place = batch["source"], jnp.arange(batch["source"].shape[1])
    earlier = (place[None, :] < place[:, None])[None]
    same = (source[:, :, None] == source[:, None, :]) & earlier
    after = jnp.pad(same, ((0, 0), (0, 0), (1, 0)))[:, :, :-1]  # [b, t, s]: token s - 1 is token t
    before = (place[None, :] == place[:, None] - 1)[None]
    came_before = (batch["target"] != PAD) & same.any(axis=2)
    follows = (source != PAD) & (place > 0)[None]
    return [(jnp.einsum("lbhts,bts->lh", weights, (of[:, :, None] & to).astype(jnp.float32)), of.sum())
            for of, to in ((came_before, after), (follows, before))]


def best_head(scores: np.ndarray, layer: int) -> Head:
    """The head of an encoder's layer, counted from 0, with the largest of the scores (L, H).

    >>> best_head(np.array([[0.1, 0.2], [0.7, 0.3]]), 1)
    Head(kind='encoder', layer=1, number=0)
    """
    return Head("encoder", layer, int(np.argmax(scores[layer])))
