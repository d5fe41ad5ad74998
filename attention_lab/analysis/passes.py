"""Passes of a classifier that its explainers share: compiled once for all that share a model."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.attention import counterfactual
from attention_lab.config import POOLED
from attention_lab.data import batching
from attention_lab.data.vocabulary import EOS, PAD
from attention_lab.models.classifier import POOL
from attention_lab.models.record import Model

ROOM = 4096  # padded tokens a batch


class Alone(NamedTuple):
    """A pooling by attention taken apart: its logits are `weights @ logits`, whatever the weights.

    Fields:
      weights: the model's own, (B, S). words: bool (B, S), True for a word.
      logits: those of a pooling that looks at one token alone, (B, S, C). allowed: bool (B, C).
    """

    weights: Any
    words: Any
    logits: Any
    allowed: Any

    def probabilities(self, weights: jax.Array) -> jax.Array:
        """Of the classes, if these weights (..., B, S) pooled; they sum to 1."""
        logits = jnp.einsum("...bs,bsc->...bc", weights, self.logits)
        allowed = jnp.broadcast_to(self.allowed, logits.shape)
        return jax.nn.softmax(logits, axis=-1, where=allowed)


class Passes:
    """Functions of one model, compiled when first called.

    Fields:
      model: the Model. pooling: what is read of its states, as model.pooling says.
      probabilities: (params, batch, hyper) -> (B, C), compiled.
    """

    def __init__(self, model: Model, pooling: str):
        self.model, self.pooling = model, pooling
        self.probabilities = jax.jit(self._probabilities)
        self._compiled: dict[Any, Callable] = {}

    def compiled(self, function: Callable, *static: Any) -> Callable:
        """`function` with this model and `static` as its first arguments, jitted once."""
        if (function, static) not in self._compiled:
            self._compiled[function, static] = jax.jit(functools.partial(function, self, *static))
        return self._compiled[function, static]

    def _probabilities(self, params, batch, hyper):
        found = self.model.apply(params, batch, hyper)
        return jax.nn.softmax(found.logits, axis=-1, where=found.allowed)

    def apart(self, params: Any, batch: dict, hyper: Any) -> Alone:
        """The pooling of a batch taken apart; for use inside `compiled`."""
        own = self.model.apply(params, batch, hyper, with_weights=True)
        S = batch["source"].shape[1]

        def at(here):
            numbers = jnp.broadcast_to(here, (1, 1, 1, 1, S))
            return self.model.apply(params, batch, hyper,
                                    intervention={POOL: counterfactual.given(numbers)}).logits

        # Under vmap what doesn't depend on the weights, the states, is made once.
        logits = jax.vmap(at, out_axes=1)(jnp.eye(S))
        return Alone(own.weights[POOL][0, :, 0, 0], words(batch), logits, own.allowed)


def passes(classifier: Any) -> Passes:
    """The passes of a `tasks` Classifier; those that share a model share them."""
    return _passes(classifier.model, classifier.config.model.pooling)


_passes = functools.lru_cache(maxsize=16)(Passes)


def pools(classifier: Any) -> Passes:
    """As `passes`; ValueError for a classifier that doesn't pool by attention."""
    if classifier.config.model.pooling not in POOLED:
        raise ValueError(f"model.pooling={classifier.config.model.pooling} has no weights to change; "
                         f"{' and '.join(POOLED)} have")
    return passes(classifier)


def words(batch: dict) -> jax.Array:
    """bool (B, S), True for a token of the sentence, the end mark not among them."""
    return (batch["source"] != PAD) & (batch["source"] != EOS)


def encoded(classifier: Any, sentences: Any) -> list[list[int]]:
    """Ids of each sentence, one for each word.

    Raises:
      ValueError: a tokenizer that cuts words into pieces.
    """
    if classifier.tokenizer.kind != "word":
        raise ValueError(f"data.tokenizer={classifier.tokenizer.kind} cuts words into pieces; word is needed "
                         "to speak of words")
    return classifier.encode(sentences)[0]


def rows(function: Callable, ids: Sequence[Sequence[int]], batches: Iterator[dict]) -> list[Any]:
    """What `function` makes of each sentence, in the order given.

    Args:
      function: batch -> a pytree whose every leaf leads with B.
      ids: of each sentence. batches: of `Classifier.in_order`.
    """
    found: list[Any] = [None] * len(ids)
    for batch in batches:
        made = jax.device_get(function(batch))
        for row, example in enumerate(batch["example"]):
            if example >= 0:
                found[example] = jax.tree.map(lambda leaf: leaf[row], made)
    return found


def without_a_word(ids: Sequence[Sequence[int]], columns: dict[str, np.ndarray], buckets: Sequence[int],
                   guide: Sequence[np.ndarray] | None = None, room: int = ROOM
                   ) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
    """Every sentence without each of its words in turn, in batches of few shapes.

    Args:
      ids: of each sentence. columns: of each sentence, (N,), "place" among them, which moves with its word.
      guide: frozen weights of each sentence, its end mark's among them; a word takes its own along.
    Yields:
      a batch, and of each of its rows (sentence, word), int (B, 2), -1 in rows that fill it up.
    """
    pairs = np.array([(i, w) for i, row in enumerate(ids) for w in range(len(row))], np.int64).reshape(-1, 2)
    left = [[*ids[i][:w], *ids[i][w + 1:]] for i, w in pairs]
    columns = {name: column[pairs[:, 0]] for name, column in columns.items()}
    columns["place"] = columns["place"] - (pairs[:, 1] < columns["place"]).astype(np.int32)
    for batch in batching.in_order(left, left, buckets, room):
        which, real = np.maximum(batch["example"], 0), batch["example"] >= 0
        made = {name: np.where(real, column[which], 0).astype(column.dtype)
                for name, column in columns.items()}
        if guide is not None:
            made["guide"] = np.zeros(batch["source"].shape, np.float32)
            for row, (i, w) in enumerate(pairs[which]):
                kept = np.delete(np.asarray(guide[i]), w)
                made["guide"][row, :len(kept)] = kept
        yield made | {"source": batch["source"], "example": batch["example"]}, np.where(
            real[:, None], pairs[which], -1)


def variation(p: jax.Array, q: jax.Array) -> jax.Array:
    """Total variation of distributions (..., C), by their sums over all classes but the likeliest of p.

    Half the sum of |p - q| is lost in rounding where p is all but 1; the rest of the classes keep it.
    """
    likeliest = jnp.argmax(p, axis=-1, keepdims=True) == jnp.expand_dims(
        jnp.arange(p.shape[-1]), range(p.ndim - 1))
    gain = jnp.where(likeliest, 0.0, q - p)
    up, down = jnp.maximum(gain, 0.0).sum(axis=-1), jnp.maximum(-gain, 0.0).sum(axis=-1)
    return jnp.maximum(up, down)
