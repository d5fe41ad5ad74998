"""The formula mapped over blocks of queries: never more than BLOCK rows of weights at once.

The weights of a block are formed again in the backward pass (`jax.checkpoint`), so that memory grows with T + S
instead of T S. What the band of the mask hides costs little or nothing: a causal mask takes a loop over each of
a few prefixes of the keys, a window one loop over the keys near each block.
"""

import dataclasses

import jax
import jax.numpy as jnp

from attention_lab.attention.implementations.reference import rows, without_unused
from attention_lab.attention.masks import Mask
from attention_lab.attention.readouts import READOUTS

BLOCK = 128  # queries
PREFIXES = 8


def attention(q, k, v, options, score, readouts, return_weights):
    """What the reference gives, a block of queries at a time."""
    T, S = q.shape[0], k.shape[0]
    k, v = without_unused(k, v, options.mask, T)
    count = -(-T // BLOCK)
    size = -(-T // count)
    more = count * size - T
    blocks = jnp.pad(q, ((0, more), (0, 0))).reshape(count, size, -1)
    sums = {name: jnp.zeros(S) for name in readouts if READOUTS[name].of == "key"}
    if more:
        options = options.padded(more)
        if sums:  # rows of padding give nothing to any key
            options = options.masked(Mask(stop=jnp.where(jnp.arange(count * size) < T, S, 0)))

    def loop(first, last, keys):
        """Blocks first to last, which see a prefix of the keys."""
        def block(sums, inputs):
            i, q = inputs
            here = options.block(i * size, size, 0, keys)
            context, weights, values = rows(q, k[:keys], v[:keys], here, score, readouts, i * size)
            sums = {name: x.at[:keys].add(values.pop(name)) for name, x in sums.items()}
            weights = jnp.pad(weights, ((0, 0), (0, S - keys))) if return_weights else None
            return sums, (context, weights, values)
        return jax.lax.scan(jax.checkpoint(block, prevent_cse=False), sums,
                            (jnp.arange(first, last), blocks[first:last]))

    parts = []
    for first, last, keys in prefixes(count, size, S, options.mask):
        sums, part = loop(first, last, keys)
        parts.append(part)
    context, weights, values = jax.tree.map(
        lambda *x: jnp.concatenate(x).reshape(count * size, *x[0].shape[2:])[:T], *parts)
    return context, weights, values | sums


def prefixes(count, size, S, mask):
    """(first block, last block, keys that they may attend to) of each loop."""
    if mask is None or mask.band[1] is None:
        return [(0, count, S)]
    edges = sorted({round(count * i / PREFIXES) for i in range(PREFIXES + 1)})
    return [(a, b, max(1, min(S, b * size + mask.band[1]))) for a, b in zip(edges, edges[1:])]
