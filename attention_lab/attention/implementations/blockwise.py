"""The formula mapped over blocks of queries, whose weights alone are in memory.

The weights of a block are formed again in the backward pass (`jax.checkpoint`), so that memory grows with
T + S instead of T S. What the band of the mask hides costs little or nothing: a narrow window takes one loop
over copies of the keys near each block, other bands a loop over each of a few stretches of the keys.
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
STRETCHES = 8  # of the queries, each with the keys that the band allows it
NEAR = 8  # blocks of keys near a block, at most, of which copies are made


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
        return context, weights if return_weights else None, values

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
        for first, last, start, stop in stretches(count, size, S, options.mask):
            many = largest_divisor(last - first, AREA // (size * (stop - start))) * size

            def step(totals, x, s=start, k=across(k[start:stop]), v=across(v[start:stop])):
                context, weights, values = block(*x, k, v, s)
                weights = jnp.pad(weights, ((0, 0), (s, S - s - k.shape[1]))) if return_weights else None
                totals = {name: total.at[s:s + k.shape[1]].add(values.pop(name))
                          for name, total in totals.items()}
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


def stretches(count, size, S, mask):
    """(first block, last block, first key, last key that they may see) of each loop; ends are exclusive."""
    before, after = (None, None) if mask is None else mask.band
    if before is None and after is None:
        return [(0, count, 0, S)]
    edges = sorted({round(count * i / STRETCHES) for i in range(STRETCHES + 1)})
    stops = [S if after is None else max(1, min(S, b * size + after)) for b in edges[1:]]
    starts = [0 if before is None else max(0, a * size - before) for a in edges]
    return [(a, b, min(start, stop - 1), stop) for a, b, start, stop in zip(edges, edges[1:], starts, stops)]


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
    blocks = before + 1 + after
    return (before, after) if blocks <= NEAR and blocks * size < S / 2 else None


def windows(x, size, count, before, after):
    """Rows of x (S, K) near each block: (count, (before + 1 + after) * size, K), zeros outside x."""
    x = x[:(count + after) * size]
    blocks = jnp.pad(x, ((before * size, (count + after) * size - x.shape[0]), (0, 0)))
    blocks = blocks.reshape(before + count + after, size, -1)
    return jnp.concatenate([blocks[j:j + count] for j in range(before + 1 + after)], axis=1)
