"""Other weights for a frozen pooling, as far from its own as the prediction lets them be.

Jain & Wallace 2019, section 4.2.2: of each sentence the weights, softmax of free logits, that maximise the
Jensen-Shannon divergence from the model's own, less 500 times what the prediction moves beyond 0.01, by Adam
from several starts. Their loss also drives the starts away from each other, which is for the number of
adversaries alone; here each start goes its own way.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from attention_lab.analysis.batches import ROOM, encoded, rows
from attention_lab.analysis.pooling import check_pools, take_apart, variation
from attention_lab.config import Hyper
from attention_lab.data.labelled import Labelled
from attention_lab.models import Model
from attention_lab.tasks.classification.classifier import Classifier

FREE, PENALTY = 0.01, 500.0  # variation that costs nothing; what each unit beyond costs, nats
TOLERANCE = 0.05  # variation up to which the prediction counts as kept


class Frozen(NamedTuple):
    """What the best adversary of each sentence reaches.

    Fields:
      divergence: Jensen-Shannon, nats, the largest among starts that keep the prediction, (N,); 0 if none
        does.
      variation: total variation of the prediction under those weights, (N,); if none keeps it, the least.
    """

    divergence: np.ndarray
    variation: np.ndarray


class Attempts(NamedTuple):
    """Where the starts of one sentence end: weights (K, W), divergence (K,), variation (K,)."""

    weights: np.ndarray
    divergence: np.ndarray
    variation: np.ndarray


def frozen(classifier: Classifier, params: Any, sentences: Labelled, key: jax.Array, steps: int = 500,
           starts: int = 5, learning_rate: float = 0.01, hyper: Hyper | None = None,
           extra: Mapping[str, Any] | None = None) -> Frozen:
    """The most divergent weights that keep each prediction; arguments as of `attempts`."""
    made = attempts(classifier, params, sentences, key, steps, starts, learning_rate, hyper, extra)
    divergence, moved = (np.array([getattr(one, name) for one in made], np.float64).reshape(-1, starts)
                         for name in ("divergence", "variation"))
    passed = moved <= TOLERANCE
    best = np.where(passed.any(axis=1), np.where(passed, divergence, -1.0).argmax(axis=1),
                    moved.argmin(axis=1))
    each = np.arange(len(best))
    return Frozen(np.where(passed.any(axis=1), divergence[each, best], 0.0), moved[each, best])


def attempts(classifier: Classifier, params: Any, sentences: Labelled, key: jax.Array, steps: int = 500,
             starts: int = 5, learning_rate: float = 0.01, hyper: Hyper | None = None,
             extra: Mapping[str, Any] | None = None) -> list[Attempts]:
    """Where every start of each sentence ends, whether it keeps the prediction or not.

    Args:
      classifier: with word tokens; pools by attention. params: its weights.
      key: a random key; what a sentence draws depends on it and on the sentence's number.
      steps: of Adam. starts: K. learning_rate: of the logits.
      hyper, extra: as of `explanations.explain`.
    Raises:
      ValueError: another pooling or tokenizer, or steps or starts below 1.
    """
    if min(steps, starts) < 1:
        raise ValueError(f"steps={steps} and starts={starts}: 1 or more of each are needed")
    check_pools(classifier)
    ids = encoded(classifier, sentences)
    ends = rows(lambda batch: attack(classifier.model, params, batch, hyper or classifier.hyper, key,
                                     learning_rate, steps, starts),
                ids, classifier.in_order(sentences, extra, ROOM))
    return [Attempts(one.weights[:, :len(row)], *one[1:]) for one, row in zip(ends, ids)]


@partial(jax.jit, static_argnames=("model", "steps", "starts"))
def attack(model: Model, params: Any, batch: dict, hyper: Hyper, key: jax.Array, learning_rate: float,
           steps: int, starts: int) -> Attempts:
    """Where the starts of each sentence of a batch end; see `attempts`. All lead with (B, starts)."""
    parts = take_apart(model, params, batch, hyper)
    words, old = parts.words[:, None, :], parts.probabilities(parts.weights)[:, None, :]
    S = words.shape[-1]

    def drawn(example):
        # As theirs: log-uniform weights and normal noise of 3; of each place its own, whatever the padding.
        keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.fold_in(key, example), jnp.arange(S))
        return 3.0 * jax.vmap(lambda one: jax.random.normal(one, (starts,)), out_axes=1)(keys)

    def outcome(logits):
        weights = jax.nn.softmax(logits, axis=-1, where=words)
        new = parts.probabilities(jnp.moveaxis(weights, 1, 0)).swapaxes(0, 1)
        return Attempts(weights, jensen_shannon(weights, parts.weights[:, None, :]), variation(
            jnp.broadcast_to(old, new.shape), new))

    def loss(logits):
        # A sum, for Adam takes each logit by itself: sentences don't meet.
        found = outcome(logits)
        return (PENALTY * jax.nn.relu(found.variation - FREE) - found.divergence).sum()

    optimizer = optax.adam(learning_rate)

    def step(carry, _):
        logits, state = carry
        updates, state = optimizer.update(jax.grad(loss)(logits), state)
        return (optax.apply_updates(logits, updates), state), None

    logits = jax.vmap(drawn)(batch["example"])
    (logits, _), _ = jax.lax.scan(step, (logits, optimizer.init(logits)), length=steps)
    return outcome(logits)


def jensen_shannon(p: jax.Array, q: jax.Array) -> jax.Array:
    """Jensen-Shannon divergence in nats over the last axis; its gradients are finite where p or q is 0."""
    p, q = jnp.broadcast_arrays(p, q)
    log_middle = _log(0.5 * (p + q))
    return 0.5 * (p * (_log(p) - log_middle) + q * (_log(q) - log_middle)).sum(axis=-1)


def _log(x):
    return jnp.log(jnp.maximum(x, jnp.finfo(jnp.float32).tiny))
