"""A classifier's pooling by attention, decomposed so that other weights need no further forward pass."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attention_lab.attention import counterfactual
from attention_lab.config import POOLED, Hyper
from attention_lab.data.vocabulary import EOS, PAD
from attention_lab.models import Model
from attention_lab.models.classifier import POOL
from attention_lab.tasks.classification.classifier import Classifier


class Decomposed(NamedTuple):
    """A pooling by attention, decomposed: the classifier's logits under any weights are `weights @ logits`.

    Fields:
      weights: the model's, (B, S). words: bool (B, S), True for a word.
      logits: with all weight on one token, (B, S, C). allowed: bool (B, C), True for a class of the word.
    """

    weights: Any
    words: Any
    logits: Any
    allowed: Any

    def probabilities(self, weights: jax.Array) -> jax.Array:
        """Probabilities of the classes (..., B, C) under these weights (..., B, S)."""
        logits = jnp.einsum("...bs,bsc->...bc", weights, self.logits)
        allowed = jnp.broadcast_to(self.allowed, logits.shape)
        return jax.nn.softmax(logits, axis=-1, where=allowed)


def decompose(model: Model, params: Any, batch: dict, hyper: Hyper) -> Decomposed:
    """The decomposed pooling of a batch; `model` pools by attention."""
    decision = model.apply(params, batch, hyper, with_weights=True)
    S = batch["source"].shape[1]

    def pooled(weights):
        numbers = jnp.broadcast_to(weights, (1, 1, 1, 1, S))
        return model.apply(params, batch, hyper, intervention={POOL: counterfactual.given(numbers)}).logits

    # Under vmap the states, which don't depend on the weights, are computed once.
    logits = jax.vmap(pooled, out_axes=1)(jnp.eye(S))
    return Decomposed(decision.weights[POOL][0, :, 0, 0], words(batch), logits, decision.allowed)


def check_pools(classifier: Classifier) -> None:
    """ValueError for a classifier that doesn't pool by attention."""
    if classifier.config.model.pooling not in POOLED:
        raise ValueError(f"model.pooling={classifier.config.model.pooling} has no weights to change; "
                         f"{' and '.join(POOLED)} have")


def words(batch: dict) -> jax.Array:
    """bool (B, S), True for a token of the sentence other than its end mark."""
    return (batch["source"] != PAD) & (batch["source"] != EOS)


def variation(p: jax.Array, q: jax.Array) -> jax.Array:
    """Total variation of distributions (..., C), summed over all classes but the most probable one of p.

    Where p is nearly 1, half the sum of |p - q| would be lost in rounding.
    """
    likeliest = jnp.argmax(p, axis=-1, keepdims=True) == jnp.expand_dims(
        jnp.arange(p.shape[-1]), range(p.ndim - 1))
    gain = jnp.where(likeliest, 0.0, q - p)
    up, down = jnp.maximum(gain, 0.0).sum(axis=-1), jnp.maximum(-gain, 0.0).sum(axis=-1)
    return jnp.maximum(up, down)
