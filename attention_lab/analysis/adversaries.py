"""Adversarial weights for a frozen pooling: as far from the model's as the same prediction allows.

Jain & Wallace 2019, section 4.2.2: the weights of each sentence, softmax of free logits, that maximise the
Jensen-Shannon divergence from the model's weights, minus 500 times the change of the prediction beyond 0.01,
by Adam from several starts. Their loss also drives the starts apart, to count different adversaries; here
each start is optimised separately.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from attention_lab.analysis.batches import ROOM, encoded, rows
from attention_lab.analysis.pooling import check_pools, decompose, variation
from attention_lab.config import Hyper
from attention_lab.data.labelled import Labelled
from attention_lab.models import Model
from attention_lab.tasks.classification.classifier import Classifier

FREE, PENALTY = 0.01, 500.0  # total variation without a cost; nats that each unit beyond costs
TOLERANCE = 0.05  # total variation up to which a prediction counts as kept


class Frozen(NamedTuple):
    """The best adversary of each sentence.

    Fields:
      divergence: Jensen-Shannon, nats, the largest of the starts that keep the prediction, (N,); 0 if none
        does.
      variation: total variation of the prediction under those weights, (N,); the least if none keeps it.
    """

    divergence: np.ndarray
    variation: np.ndarray


class Attempts(NamedTuple):
    """The final state of all starts: weights (B, K, S), divergence (B, K), variation (B, K)."""

    weights: jax.Array
    divergence: jax.Array
    variation: jax.Array


def frozen(classifier: Classifier, params: Any, sentences: Labelled, key: jax.Array, steps: int = 500,
           starts: int = 5, learning_rate: float = 0.01) -> Frozen:
    """The most divergent weights that keep each prediction.

    Args:
      classifier: with word tokens; pools by attention.
      key: random; the starts of a sentence depend on it and on the sentence's index.
      steps: of Adam. starts: K. learning_rate: of the logits.
    Raises:
      ValueError: the model does not pool by attention, the tokenizer splits words, or a number below 1.
    """
    if min(steps, starts) < 1:
        raise ValueError(f"steps={steps} and starts={starts}: 1 or more of each are needed")
    check_pools(classifier)
    encoded(classifier, sentences)  # raises unless each token is a word
    ends = rows(lambda batch: attack(classifier.model, params, batch, classifier.hyper, key, learning_rate,
                                     steps, starts)[1:],
                len(sentences), classifier.in_order(sentences, batch_tokens=ROOM))
    divergence, moved = np.array(ends, np.float64).reshape(-1, 2, starts).swapaxes(0, 1)
    kept = moved <= TOLERANCE
    best = np.where(kept.any(axis=1), np.where(kept, divergence, -1.0).argmax(axis=1), moved.argmin(axis=1))
    each = np.arange(len(best))
    return Frozen(np.where(kept.any(axis=1), divergence[each, best], 0.0), moved[each, best])


@partial(jax.jit, static_argnames=("model", "steps", "starts"))
def attack(model: Model, params: Any, batch: dict, hyper: Hyper, key: jax.Array, learning_rate: float,
           steps: int, starts: int) -> Attempts:
    """The final weights of all starts for a batch, whether they keep the prediction or not."""
    pooled = decompose(model, params, batch, hyper)
    words, old = pooled.words[:, None, :], pooled.probabilities(pooled.weights)[:, None, :]
    S = words.shape[-1]

    def start(example):
        # Normal with standard deviation 3, as theirs; drawn by position, so that padding has no effect.
        keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.fold_in(key, example), jnp.arange(S))
        return 3.0 * jax.vmap(lambda each: jax.random.normal(each, (starts,)), out_axes=1)(keys)

    def outcome(logits):
        weights = jax.nn.softmax(logits, axis=-1, where=words)
        new = pooled.probabilities(jnp.moveaxis(weights, 1, 0)).swapaxes(0, 1)
        return Attempts(weights, jensen_shannon(weights, pooled.weights[:, None, :]),
                        variation(jnp.broadcast_to(old, new.shape), new))

    def loss(logits):
        # A sum, as Adam updates each logit by itself.
        end = outcome(logits)
        return (PENALTY * jax.nn.relu(end.variation - FREE) - end.divergence).sum()

    optimizer = optax.adam(learning_rate)

    def step(carry, _):
        logits, state = carry
        updates, state = optimizer.update(jax.grad(loss)(logits), state)
        return (optax.apply_updates(logits, updates), state), None

    logits = jax.vmap(start)(batch["example"])
    (logits, _), _ = jax.lax.scan(step, (logits, optimizer.init(logits)), length=steps)
    return outcome(logits)


def jensen_shannon(p: jax.Array, q: jax.Array) -> jax.Array:
    """Jensen-Shannon divergence in nats over the last axis; its gradients are finite where p or q is 0."""
    p, q = jnp.broadcast_arrays(p, q)
    log_middle = _log(0.5 * (p + q))
    return 0.5 * (p * (_log(p) - log_middle) + q * (_log(q) - log_middle)).sum(axis=-1)


def _log(x):
    return jnp.log(jnp.maximum(x, jnp.finfo(jnp.float32).tiny))
