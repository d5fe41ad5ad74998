"""The formula itself; what is asked for besides the context is computed from its weights."""

import jax.numpy as jnp

from attention_lab.attention.counterfactual import replaced
from attention_lab.attention.dropout import dropped
from attention_lab.attention.formula import exponentials, logits, softmax, weighted_sum
from attention_lab.attention.masks import used_keys, within
from attention_lab.attention.options import Options
from attention_lab.attention.readouts import READOUTS, Rows


def attention(q, k, v, options, score, readouts, return_weights):
    """What `attend` gives, with every option."""
    k, v = without_unused(k, v, options.mask, q.shape[0])
    context, weights, values = rows(q, k, v, options, score, readouts)
    return context, weights if return_weights else None, values


def without_unused(k, v, mask, T):
    """Keys and values, zeros in the place of those that no row may attend to."""
    if mask is None:
        return k, v
    used = used_keys(mask, T, k.shape[0])
    return jnp.where(used, k, 0), jnp.where(used, v, 0)


def rows(q, k, v, options: Options, score, readouts, t=0, s=0, divide_last=False):
    """Context, weights and read-outs of a block whose first query is at position t and first key at s.

    divide_last: exp(logits) v is divided by the sums of rows, not exp(logits), which saves passes over (T, S).
    """
    T, S = q.shape[0], k.shape[0]
    allowed = None if options.mask is None else within(options.mask, T, S)
    x = logits(q, k, allowed, options.scale, score, options.bias, options.soft_cap)
    if divide_last and options.counterfactual is None:
        parts, total = exponentials(x, allowed)
        w = parts / total
    else:
        w = parts = softmax(x, allowed)
        total = jnp.ones((1, 1))
    if options.counterfactual is not None:
        w = parts = replaced(w, allowed, options.counterfactual)
    t, s = t + jnp.arange(T), s + jnp.arange(S)
    pairs = None if options.pairs is None else within(options.pairs, T, S)
    values = {name: READOUTS[name].function(Rows(w, x, t, s, pairs)) for name in readouts}
    parts = parts if options.dropout is None else dropped(parts, options.dropout, t, s)
    return (weighted_sum(parts, v) / total).astype(v.dtype), w, values
