"""A classifier's prediction when the weights of its pooling are permuted (Jain & Wallace 2019, 4.2.1)."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.analysis.batches import ROOM, encoded, rows
from attention_lab.analysis.pooling import check_pools, decompose, variation
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


def shuffled(classifier: Classifier, params: Any, sentences: Labelled, key: jax.Array, times: int = 100
             ) -> Shuffled:
    """Permutes the weights of each sentence among its words, `times` times.

    Args:
      classifier: with word tokens; pools by attention.
      key: random; the shuffles of a sentence depend on it and on the sentence's index.
    Raises:
      ValueError: the model does not pool by attention, the tokenizer splits words, or times below 1.
    """
    if times < 1:
        raise ValueError(f"times={times}: 1 or more shuffles are needed")
    check_pools(classifier)
    encoded(classifier, sentences)  # raises unless each token is a word
    each = rows(lambda batch: shuffle(classifier.model, params, batch, classifier.hyper, key, times),
                len(sentences), classifier.in_order(sentences, batch_tokens=ROOM))
    return Shuffled(*(np.array(column, np.float64) for column in zip(*each)))


@partial(jax.jit, static_argnames=("model", "times"))
def shuffle(model: Model, params: Any, batch: dict, hyper: Hyper, key: jax.Array, times: int
            ) -> tuple[jax.Array, jax.Array]:
    """Largest weight (B,) and median variation (B,) of a batch; see `shuffled`."""
    pooled = decompose(model, params, batch, hyper)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, batch["example"])
    S = pooled.weights.shape[1]

    def permute(key, weights, words):
        return counterfactual.replaced(weights[None], words[None], counterfactual.permuted(key, (1, S)))[0]

    old = pooled.probabilities(pooled.weights)

    def once(number):
        each = jax.vmap(jax.random.fold_in, (0, None))(keys, number)
        return variation(old, pooled.probabilities(jax.vmap(permute)(each, pooled.weights, pooled.words)))

    moved = jax.lax.map(once, jnp.arange(times))
    return pooled.weights.max(axis=1), jnp.median(moved, axis=0)
