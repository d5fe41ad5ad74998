"""Poolings of a classifier: from the states of a sentence to one vector.

Each is a function (module, size of the states) -> pool, which creates its parameters in a linen module. pool
is (states (B, S, D), words, batch, counterfactual) -> vectors (B, D), and the weights (B, 1, 1, S) or None,
where words (B, S) is True for a token of the sentence, False for its end mark.
"""

import flax.linen as nn
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.attention import counterfactual as replacements
from attention_lab.config.choices import look_up
from attention_lab.models.score_parameters import score_of, score_parameters

# attention.weights -> (batch) -> the Counterfactual that stands for the learned weights, or None.
WEIGHTS = {
    "learned": lambda batch: None,
    "uniform": lambda batch: replacements.uniform(),
    "frozen": lambda batch: replacements.given(batch["guide"][:, None, None, :]),
    "adversarial": lambda batch: None,  # learned, by another loss
}


def at_position(module, size):
    """The state of the target word."""
    def pool(states, words, batch, counterfactual):
        return jnp.take_along_axis(states, batch["position"][:, None, None], axis=1)[:, 0], None
    return pool


def mean(module, size):
    """The mean of the states of words."""
    def pool(states, words, batch, counterfactual):
        share = words / jnp.maximum(words.sum(axis=1, keepdims=True), 1)
        return jnp.einsum("bs,bsd->bd", share, states), None
    return pool


def additive(module, size):
    """Additive attention by a learned query, a vector of size / 2 hidden units (Jain & Wallace 2019)."""
    def create(names):
        return score_parameters(module, "additive", size, hidden=half, names=names)

    half = max(size // 2, 1)
    # The order of creation determines the initial values.
    score = create({"w_key": "pool_key"})
    query = module.param("pool_query", nn.initializers.zeros, (half,))
    return _attention(module, "additive", query, {"w_query": None} | score | create({"v": "pool_vector"}))


def dot(module, size):
    """Dot attention by a learned query."""
    return _attention(module, "dot", module.param("pool_query", nn.initializers.normal(1.0), (size,)), {})


def _attention(module, kind, query, parameters):
    replacement = look_up(WEIGHTS, "attention.weights", module.spec.attention.weights)
    parameters = {name: None if x is None else x[None] for name, x in parameters.items()}  # H = 1

    def pool(states, words, batch, counterfactual):
        counterfactual = replacement(batch) if counterfactual is None else counterfactual
        queries = jnp.broadcast_to(query, (states.shape[0], 1, 1, *query.shape))
        context, weights = attention.multi_head(
            queries, states[:, None], states[:, None], words[:, None, None, :], score=score_of(kind),
            parameters=parameters, return_weights=True, counterfactual=counterfactual)
        return context[:, 0, 0], weights
    return pool


POOLINGS = {"place": at_position, "mean": mean, "additive": additive, "dot": dot}
