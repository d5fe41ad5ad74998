"""The formula mapped over blocks of queries, whose weights alone are in memory.

The weights of a block are formed again in the backward pass (`jax.checkpoint`), so that memory grows with
T + S instead of T S. What the band of the mask hides costs little or nothing: a causal mask takes a loop over
each of a few prefixes of the keys, a window one loop over the keys near each block.
"""

import functools

import jax
import jax.numpy as jnp

from attention_lab.attention.implementations import reference
from attention_lab.attention.implementations.reference import rows, without_unused
from attention_lab.attention.masks import Mask
from attention_lab.attention.readouts import READOUTS

BLOCK = 128  # queries of a block, at least
AREA = 1 << 19  # weights of a block, at most, where a block has more queries: fewer, larger products
PREFIXES = 8


def attention(q, k, v, options, score, readouts, return_weights):
    """What the reference gives, a block of queries at a time."""
    T, S = q.shape[0], k.shape[0]
    if 0 in (T, S):
        return reference.attention(q, k, v, options, score, readouts, return_weights)
    k, v = without_unused(k, v, options.mask, T)
    count = -(-T // BLOCK)
    size = -(-T // count)
    more = count * size - T
    q = jnp.pad(q, ((0, more), (0, 0)))
    sums = [name for name in readouts if READOUTS[name].of == "key"]
    if more:
        options = options.padded(more)
        if sums:  # rows of padding give nothing to any key
            options = options.masked(Mask(stop=jnp.where(jnp.arange(count * size) < T, S, 0)))

    @functools.partial(jax.checkpoint, prevent_cse=False)
    def block(t, q, k, v, s):
        k, v = k.T, v.T
        here = options.block(t, q.shape[0], s, k.shape[0])
        context, weights, values = rows(q, k, v, here, score, readouts, t, s)
        weights = jnp.pad(weights, ((0, 0), (0, S - k.shape[0]))) if return_weights else None
        return context, weights, values

    near = None if return_weights else window(options, size, S)
    if near:
        options = options.masked(Mask(jnp.zeros(1, int), jnp.full(1, S)))
        to_blocks = functools.partial(windows, size=size, count=count, before=near[0], after=near[1])
        blocks = size * jnp.arange(count), q.reshape(count, size, -1), to_blocks(k), to_blocks(v)
        parts = [jax.lax.map(lambda x: block(x[0], x[1], across(x[2]), across(x[3]), x[0] - near[0] * size),
                             blocks)]
        from_blocks = jax.linear_transpose(to_blocks, jnp.zeros((S, 1), jnp.float32))
        totals = {name: from_blocks(parts[0][2].pop(name)[..., None])[0][:, 0] for name in sums}
    else:
        totals, parts = {name: jnp.zeros(S, jnp.float32) for name in sums}, []
        for first, last, keys in prefixes(count, size, S, options.mask):
            many = largest_divisor(last - first, AREA // (size * keys)) * size

            def step(totals, x, keys=keys, k=across(k[:keys]), v=across(v[:keys])):
                context, weights, values = block(*x, k, v, 0)
                totals = {name: total.at[:keys].add(values.pop(name)) for name, total in totals.items()}
                return totals, (context, weights, values)
            first, last = first * size, last * size
            totals, part = jax.lax.scan(step, totals, (jnp.arange(first, last, many),
                                                       q[first:last].reshape(-1, many, q.shape[1])))
            parts.append(part)
    context, weights, values = jax.tree.map(
        lambda *parts: jnp.concatenate([x.reshape(-1, *x.shape[2:]) for x in parts])[:T], *parts)
    return context, weights, values | totals


def across(x):
    """x (S, K) -> (K, S), stored so: a gradient of x is then a product of few rows by many columns.

    The other way round, many rows by few columns, XLA computes it at a quarter of the rate on CPUs.
    """
    return jax.lax.optimization_barrier(x.T)


def prefixes(count, size, S, mask):
    """(first block, last block, keys that they may attend to) of each loop."""
    if mask is None or mask.band[1] is None:
        return [(0, count, S)]
    edges = sorted({round(count * i / PREFIXES) for i in range(PREFIXES + 1)})
    return [(a, b, max(1, min(S, b * size + mask.band[1]))) for a, b in zip(edges, edges[1:])]


def largest_divisor(count, limit):
    """The largest divisor of count up to the limit; 1 where the limit is below."""
    return max(n for n in range(1, count + 1) if count % n == 0 and n <= max(1, limit))


def window(options, size, S):
    """How many blocks of keys before and after its place a block may see; None where that saves nothing."""
    other = options.counterfactual
    if options.mask is None or None in options.mask.band or any(x is not None for x in (
            options.mask.dense, options.bias, options.pairs, other and other.numbers)):
        return None
    before, after = (-(-max(0, bound) // size) for bound in options.mask.band)
    return (before, after) if (before + 1 + after) * size < S / 2 else None


def windows(x, size, count, before, after):
    """Rows of x (S, K) near each block: (count, (before + 1 + after) * size, K), zeros outside x."""
    x = x[:(count + after) * size]
    blocks = jnp.pad(x, ((before * size, (count + after) * size - x.shape[0]), (0, 0)))
    blocks = blocks.reshape(before + count + after, size, -1)
    return jnp.concatenate([blocks[j:j + count] for j in range(before + 1 + after)], axis=1)
