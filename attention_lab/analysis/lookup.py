"""Is attention a look-up? What the place of the match and the value there decide, on trained recall models.

At the first position after its P pairs a sequence is asked for one of its keys. A model that looks up attends
there, in its last layer, to the place of the pair's value, 2 i + 1 for pair i.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.attention import counterfactual
from attention_lab.data.sequences import Sequences
from attention_lab.models import Model


class Query(NamedTuple):
    """What the first query of each sequence asks for, (N,) each.

    Fields: pair, the number of the pair whose key it is; other, that of a pair with another value.
    """

    pair: np.ndarray
    other: np.ndarray


def first_query(source: np.ndarray, pairs: int) -> Query:
    """The pair that is asked for first, and the next one in a circle whose value differs.

    ValueError for a sequence whose values are all the same.
    """
    keys, values = source[:, 0:2 * pairs:2], source[:, 1:2 * pairs:2]
    pair = np.argmax(keys == source[:, 2 * pairs, None], axis=1)
    circle = (pair[:, None] + np.arange(1, pairs)) % pairs
    differs = np.take_along_axis(values, circle, 1) != np.take_along_axis(values, pair[:, None], 1)
    if not differs.any(axis=1).all():
        raise ValueError("a sequence has one value alone: there is no other to be looked up")
    return Query(pair, np.take_along_axis(circle, np.argmax(differs, axis=1)[:, None], 1)[:, 0])


def value_replaced(source: np.ndarray, pairs: int, at: Query, values: range) -> np.ndarray:
    """Sequences whose queried value is another one, the first after it in `values` that they do not have.

    ValueError for a sequence that has every value.
    """
    changed, row, left = source.copy(), np.arange(len(source)), np.ones(len(source), bool)
    present = source[:, 1:2 * pairs:2]
    for step in range(len(values) - 1, 0, -1):  # the nearest of those that fit comes last
        new = values.start + (present[row, at.pair] - values.start + step) % len(values)
        fits = (present != new[:, None]).all(axis=1)
        changed[fits, 2 * at.pair[fits] + 1] = new[fits]
        left &= ~fits
    if left.any():
        raise ValueError("a sequence has every value: there is none to replace one by")
    return changed


def keys_swapped(source: np.ndarray, at: Query) -> np.ndarray:
    """Sequences in which the queried key and the other pair's have changed places; values stay."""
    changed, row = source.copy(), np.arange(len(source))
    changed[row, 2 * at.pair], changed[row, 2 * at.other] = (
        source[row, 2 * at.other], source[row, 2 * at.pair])
    return changed


@partial(jax.jit, static_argnames=("model", "query"))
def answered(model: Model, params: Any, source: jax.Array, hyper: Any, query: int, weights: Any = None
             ) -> tuple[jax.Array, jax.Array]:
    """The answer (N,) at position `query`, and the last layer's weights there, (N, S), mean over heads.

    weights: (N, S), used there instead, by every head.
    """
    batch = {"source": source, "target": source, "example": jnp.arange(len(source))}
    changed = None
    if weights is not None:
        S, L = source.shape[1], model.spec.model.num_layers
        at = (jnp.arange(L) == L - 1)[:, None, None, None] & (jnp.arange(S) == query)[None, None, None, :]
        changed = {"encoder": counterfactual.given(weights[None, :, None, None, :], at)}
    output = model.apply(params, batch, hyper, with_weights=True, intervention=changed)
    answers = jnp.argmax(output.hidden[:, query] @ output.readout.T, axis=-1)
    return answers, output.weights["encoder"][-1, :, :, query].mean(axis=1)


def interventions(model: Model, params: Any, hyper: Any, sequences: Sequences, pairs: int, values: range
                  ) -> dict[str, float]:
    """Shares of the sequences in which a model of attention does what a look-up does, by name.

    Sequences with one value alone, or with every value, are left out: there is none to put in its place.

    Fields:
      matched: the largest weight is at the queried pair's value. answered: the answer is right.
      value_followed, value_stayed: where that value is replaced in the sequence, the answer is the new one;
        the largest weight stays where it was.
      key_moved, key_followed: where two keys change places in the sequence, the largest weight moves from one
        pair's value to the other's, and the answer is that value.
      vectors_followed: where the last layer's values at the two places are exchanged, and nothing else, the
        answer is the other pair's. A mean is the same where the two weights are exchanged, as is done.
    """
    ordered = np.sort(sequences.source[:, 1:2 * pairs:2], axis=1)
    different = 1 + (np.diff(ordered, axis=1) > 0).sum(axis=1)
    source = sequences.source[(different > 1) & (different < len(values))]
    query, row = 2 * pairs, np.arange(len(source))
    at = first_query(source, pairs)
    match, other = 2 * at.pair + 1, 2 * at.other + 1
    run = partial(answered, model, params, hyper=hyper, query=query)

    def outcome(source, **more):
        answers, weights = map(np.asarray, run(source=source, **more))
        return answers, weights, weights.argmax(axis=1)

    answers, weights, place = outcome(source)
    new = value_replaced(source, pairs, at, values)
    new_answers, _, new_place = outcome(new)
    key_answers, _, key_place = outcome(keys_swapped(source, at))
    exchanged = weights.copy()
    exchanged[row, match], exchanged[row, other] = weights[row, other], weights[row, match]
    exchanged_answers, _, _ = outcome(source, weights=exchanged)
    shares = {
        "matched": place == match, "answered": answers == source[row, match],
        "value_followed": new_answers == new[row, match], "value_stayed": new_place == place,
        "key_moved": (place == match) & (key_place == other),
        "key_followed": key_answers == source[row, other],
        "vectors_followed": exchanged_answers == source[row, other]}
    return {name: float(np.mean(share)) for name, share in shares.items()}
