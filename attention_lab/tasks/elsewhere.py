"""What a model says while its attention looks elsewhere: passes in which weights are replaced.

The weights that a sentence has are changed (uniform, permuted, without the largest) and given to the model in
all layers and heads at once, in one layer, or in one head; layers after the change see its effect, and attend
by themselves where nothing is replaced. With all layers at once the given weights are those of the
undisturbed pass, changed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from attention_lab.attention import Counterfactual
from attention_lab.view import CHANGES, Said


class Request(NamedTuple):
    """One pass of a sentence.

    Fields:
      sentence: its index. given: {kind of attention: (numbers (L, H, T, S), places bool (L, H))}, the weights
        that stand for the model's own at these places; a kind that is left out keeps its own.
    """

    sentence: int
    given: Mapping[str, tuple[np.ndarray, np.ndarray]] = {}


def places(layers: int, heads: int) -> np.ndarray:
    """Where weights are replaced, bool (1 + L + L * H, L, H): all, each layer, each head.

    >>> places(2, 1).squeeze().astype(int).tolist()
    [[1, 1], [1, 0], [0, 1], [1, 0], [0, 1]]
    """
    each = np.eye(layers * heads, dtype=bool).reshape(-1, layers, heads)
    rows = np.repeat(np.eye(layers, dtype=bool)[:, :, None], heads, axis=2)
    return np.concatenate([np.ones((1, layers, heads), bool), rows, each])


def order_of(allowed: np.ndarray, seed: int) -> np.ndarray:
    """A permutation of each row's allowed columns, (T, S) int; a forbidden column stands for itself."""
    T, S = allowed.shape
    raw = np.random.PCG64(seed).random_raw(T * S).reshape(T, S)
    order = np.tile(np.arange(S), (T, 1))
    for row, noise, mask in zip(order, raw, allowed):
        columns = np.flatnonzero(mask)
        row[columns] = columns[np.argsort(noise[columns], kind="stable")]
    return order


def changed(weights: np.ndarray, allowed: np.ndarray, change: str, order: np.ndarray) -> np.ndarray:
    """Weights (..., T, S) after a change, as `attention.counterfactual` defines it.

    Args:
      allowed: bool (T, S). order: of `order_of`. change: of CHANGES; KeyError for another.
    """
    return _CHANGES[change](weights, allowed, order) * allowed


def _uniform(weights, allowed, order):
    share = allowed / np.maximum(allowed.sum(axis=-1, keepdims=True), 1)
    return np.broadcast_to(share, weights.shape).astype(np.float32)


def _permuted(weights, allowed, order):
    return np.take_along_axis(weights, np.broadcast_to(order, weights.shape), axis=-1)


def _zero_max(weights, allowed, order):
    largest = np.arange(weights.shape[-1]) == weights.argmax(axis=-1)[..., None]
    rest = np.where(largest, 0, weights)
    left = rest.sum(axis=-1, keepdims=True)
    return np.where(left < np.finfo(np.float32).tiny, 0, rest / np.maximum(left, np.finfo(np.float32).tiny))


_CHANGES = dict(zip(CHANGES, (_uniform, _permuted, _zero_max)))


def replacements(requests: Sequence[Request | None], sizes: Mapping[str, tuple[int, int, int, int]]
                 ) -> dict[str, Counterfactual]:
    """An intervention for a batch, a row for each request, None in rows that only fill it up.

    sizes: {kind of attention: (L, H, T, S)} of the padded batch. Every kind is in the intervention, so that
    all changes are one program.
    """
    intervention = {}
    for kind, (layers, heads, T, S) in sizes.items():
        numbers = np.zeros((layers, len(requests), heads, T, S), np.float32)
        rows = np.zeros((layers, len(requests), heads, T), bool)
        for b, request in enumerate(requests):
            if request is not None and kind in request.given:
                given, where = request.given[kind]
                numbers[:, b, :, :given.shape[2], :given.shape[3]] = given
                rows[:, b, :, :given.shape[2]] = where[:, :, None]
        intervention[kind] = Counterfactual("given", numbers, rows)
    return intervention


def said(output: np.ndarray, written: Sequence[int], name: Callable[[np.ndarray], Any],
         before: np.ndarray | None = None) -> Said:
    """What probabilities (N, V) say; before: those of the model's own weights, or None."""
    best = output.argmax(axis=-1)
    steps = np.arange(len(output))
    moved = None if before is None else 0.5 * np.abs(output - before).sum(axis=-1)
    return Said(np.array(name(best), object), output[steps, best], output[steps, list(written)], moved)


def stacked(parts: Sequence[Said]) -> Said:
    """Said of several places as one with a leading axis."""
    return Said(*(None if column[0] is None else np.stack(column) for column in zip(*parts)))
