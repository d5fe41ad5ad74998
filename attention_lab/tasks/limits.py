"""The longest sentence for a trained model, as limited by positions, memory and about a minute of time.

Estimated from shapes alone, so that every machine refuses the same sentences, and long before it runs out of
memory. A sentence that fits into the buckets of its run is never refused.
"""

import itertools
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from attention_lab.config import ENCODERS, LEARNED_POSITIONS, Config, Hyper
from attention_lab.data.batching import ROW_MULTIPLE
from attention_lab.models import Model

MEMORY = 2 ** 30  # bytes of the arrays of a batch that grow with its length
MOVED = 2 ** 38  # bytes that a search for translations reads and writes: its carry, at every step
CLASSIFIED = 2 ** 33  # bytes of such arrays over all batches of the target words of a line
COPIES = 3  # of an array that an attention or a layer holds: logits, exponentials, weights


def longest(buckets: Sequence[int], fits: Callable[[int], bool]) -> int:
    """The largest padded length, as of `batching.in_order`, that `fits`; at least the last bucket."""
    last = buckets[-1]
    return last * next(n for n in itertools.count(1) if not fits((n + 1) * last))


def layer_bytes(config: Config, length: int) -> int:
    """Bytes of the arrays of one layer for the smallest batch of sentences of `length` tokens."""
    model = config.model
    units = model.num_heads * length if model.kind in ("transformer", *ENCODERS) else max(
        model.width, model.hidden)
    return 4 * COPIES * ROW_MULTIPLE * length * units


def carry_bytes(model: Model, hyper: Hyper, last: int, limit: Callable[[int], int]) -> tuple[int, int]:
    """Bytes of the carry of the smallest batch of sources of `last` tokens, and of twice as many.

    limit: tokens written at most for a source of so many.
    """
    params = jax.eval_shape(model.init, jax.random.key(0))

    def size(length: int) -> int:
        source = jax.ShapeDtypeStruct((ROW_MULTIPLE, length), jnp.int32)
        carry = jax.eval_shape(lambda params, source: model.start(params, source, hyper, limit(last)
                                                                  * length // last), params, source)
        return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(carry))

    return size(last), size(2 * last)


def translated(config: Config, buckets: Sequence[int], limit: Callable[[int], int], carries: tuple[int, int]
               ) -> int:
    """Tokens, end mark included, of the longest source that is translated.

    Args:
      limit: as of `carry_bytes`; ValueError beyond a table of positions. carries: what that gives, times the
        hypotheses kept of each sentence.
    """
    last, (first, second) = buckets[-1], carries

    def fits(length: int) -> bool:
        if config.model.positions == "learned" and length > LEARNED_POSITIONS:
            return False
        carried = first + (second - first) * (length // last - 1)  # keys, values and masks of each token
        return max(carried, layer_bytes(config, length)) <= MEMORY and carried * limit(length) <= MOVED

    return longest(buckets, fits)


def classified(config: Config, buckets: Sequence[int], targets: int = 1) -> int:
    """Most tokens, end mark included, of a sentence that is classified for each of `targets` words."""
    def fits(length: int) -> bool:
        batches = math.ceil(targets / ROW_MULTIPLE)
        return layer_bytes(config, length) <= min(MEMORY, CLASSIFIED // batches)

    tokens = longest(buckets, fits)
    learned = config.model.kind in ENCODERS and config.model.positions == "learned"
    return min(tokens, LEARNED_POSITIONS) if learned else tokens
