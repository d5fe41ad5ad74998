"""What a classifier says when the weights of its pooling are dealt out anew (Jain & Wallace 2019, 4.2.1)."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.analysis.batches import ROOM, encoded, rows
from attention_lab.analysis.pooling import check_pools, take_apart, variation
from attention_lab.attention import counterfactual
from attention_lab.config import Hyper
from attention_lab.data.labelled import Labelled
from attention_lab.models import Model
from attention_lab.tasks.classification.classifier import Classifier


class Shuffled(NamedTuple):
    """Fields: largest, the largest weight of each sentence, (N,); variation, the median over shuffles of the
    total variation of the prediction, (N,)."""

    largest: np.ndarray
    variation: np.ndarray


def shuffled(classifier: Classifier, params: Any, sentences: Labelled, key: jax.Array, times: int = 100,
             hyper: Hyper | None = None, extra: Mapping[str, Any] | None = None) -> Shuffled:
    """Deals the weights of each sentence out anew among its words, `times` times.

    Args:
      classifier: with word tokens; pools by attention. params: its weights.
      key: a random key; what a sentence draws depends on it and on the sentence's number.
      times: at least 1. hyper, extra: as of `explanations.explain`.
    Raises:
      ValueError: another pooling or tokenizer, or times below 1.
    """
    if times < 1:
        raise ValueError(f"times={times}: 1 or more shuffles are needed")
    check_pools(classifier)
    each = rows(lambda batch: shuffle(classifier.model, params, batch, hyper or classifier.hyper, key, times),
                encoded(classifier, sentences), classifier.in_order(sentences, extra, ROOM))
    return Shuffled(*(np.array(column, np.float64) for column in zip(*each)))


@partial(jax.jit, static_argnames=("model", "times"))
def shuffle(model: Model, params: Any, batch: dict, hyper: Hyper, key: jax.Array, times: int
            ) -> tuple[jax.Array, jax.Array]:
    """Largest weight (B,) and median variation (B,) of a batch; see `shuffled`."""
    parts = take_apart(model, params, batch, hyper)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, batch["example"])
    S = parts.weights.shape[1]

    def deal(key, weights, words):
        return counterfactual.replaced(weights[None], words[None], counterfactual.permuted(key, (1, S)))[0]

    old = parts.probabilities(parts.weights)

    def once(number):
        own = jax.vmap(jax.random.fold_in, (0, None))(keys, number)
        return variation(old, parts.probabilities(jax.vmap(deal)(own, parts.weights, parts.words)))

    moved = jax.lax.map(once, jnp.arange(times))
    return parts.weights.max(axis=1), jnp.median(moved, axis=0)
