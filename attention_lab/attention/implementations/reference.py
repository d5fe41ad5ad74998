"""The formula itself; what is asked for besides the context is computed from its weights."""

import jax.numpy as jnp

from attention_lab.attention.counterfactual import replaced
from attention_lab.attention.dropout import dropped
from attention_lab.attention.formula import logits, mean, softmax
from attention_lab.attention.masks import used_keys, used_rows, within
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


def rows(q, k, v, options: Options, score, readouts, t=0, s=0):
    """Context, weights and read-outs of a block whose first query is at position t and first key at s."""
    T, S = q.shape[0], k.shape[0]
    allowed, some = (None if options.mask is None else of(options.mask, T, S) for of in (within, used_rows))
    x = logits(q, k, allowed, some, options.scale, score, options.bias, options.soft_cap)
    w = softmax(x, some)
    if options.counterfactual is not None:
        w = replaced(w, allowed, options.counterfactual)
    t, s = t + jnp.arange(T), s + jnp.arange(S)
    pairs = None if options.pairs is None else within(options.pairs, T, S)
    values = {name: READOUTS[name].function(Rows(w, x, t, s, some, pairs)) for name in readouts}
    used = w if options.dropout is None else dropped(w, options.dropout, t, s)
    return mean(used, v), w, values
