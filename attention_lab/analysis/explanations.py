"""Importance of each word for a classifier's prediction: by attention, by gradients, by leaving words out.

An importance concerns the predicted class and is at least 0; only the order within a sentence has a meaning.
An encoder is read at the target word, or by the mean of all tokens.

* attention: weights of the pooling; of an encoder the row that is read, in the last layer, mean over heads.
* attention_mean: the same, mean over layers.
* rollout: that row of the product over layers of half the weights and half the identity (Abnar & Zuidema
  2020).
* value_norm: weights times the norm of what a value adds, summed over the heads of the last layer (Kobayashi
  et al. 2020); of a pooling, times the norm of the state.
* value_zeroing: change when a token's value is 0 in all layers at once and the other weights stay (Mohebbi et
  al. 2023 take one layer at a time): cosine distance of the state that is read; of a pooling by attention,
  total variation of the prediction.
* gradient: norm of the gradient of the log-odds in the embedding. It is that of the probability p, which
  Jain & Wallace 2019 take, over p (1 - p), a constant factor in a sentence, and does not vanish where p is
  nearly 1.
* input_gradient: |embedding . gradient|. gradient_detached: the same with constant weights, as theirs.
* leave_one_out: total variation of the prediction without the word; 0 for the target word.
* random: noise from the config's seed and the sentence.
"""

import zlib
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.analysis.batches import ROOM, encoded, rows, without_a_word
from attention_lab.analysis.pooling import variation, words
from attention_lab.attention import counterfactual
from attention_lab.config import ENCODERS, POOLED, Hyper
from attention_lab.data.labelled import Labelled
from attention_lab.models import Decision, Model
from attention_lab.models.classifier import POOL
from attention_lab.tasks.classification.classifier import Classifier, decide

LEAVE_ONE_OUT, RANDOM = "leave_one_out", "random"


def explain(classifier: Classifier, params: Any, sentences: Labelled, methods: Sequence[str]
            ) -> dict[str, list[np.ndarray]]:
    """The importance of every word by each of these METHODS: {method: (W,) float64 of each sentence}.

    ValueError for a method that is unknown or not available for this model, or a tokenizer that splits words.
    """
    for method in methods:
        if method not in available(classifier):
            raise ValueError(f"methods: {method!r} is not available for this classifier: "
                             f"{', '.join(available(classifier))}")
    ids, hyper = encoded(classifier, sentences), classifier.hyper
    of_batch = tuple(name for name in _OF_BATCH if name in methods)
    result: dict[str, list[np.ndarray]] = {}
    if of_batch:
        pooling = classifier.config.model.pooling
        results = rows(lambda batch: importances(classifier.model, params, batch, hyper, pooling, of_batch),
                       len(ids), classifier.in_order(sentences, batch_tokens=ROOM))
        for name in of_batch:
            result[name] = [values[name][:len(row)].astype(np.float64) for values, row in zip(results, ids)]
    if LEAVE_ONE_OUT in methods:
        result[LEAVE_ONE_OUT] = _leave_one_out(classifier, params, sentences, ids)
    if RANDOM in methods:
        result[RANDOM] = [_noise(hyper.seed, text, len(row)) for text, row in zip(sentences.text, ids)]
    return {name: result[name] for name in methods}


def available(classifier: Classifier) -> tuple[str, ...]:
    """The METHODS that a classifier allows: some need attention."""
    model = classifier.config.model
    encoder, pooled = model.kind in ENCODERS, model.pooling in POOLED
    missing = set() if encoder or pooled else {"attention", "attention_mean", "value_norm", "value_zeroing"}
    missing |= set() if encoder else {"rollout"}
    return tuple(name for name in METHODS if name not in missing)


class Forward(NamedTuple):
    """A forward pass of a classifier on a batch, with its arguments; pooling is model.pooling."""

    model: Model
    params: Any
    batch: dict
    hyper: Hyper
    pooling: str
    decision: Decision

    @property
    def weights(self) -> dict[str, jax.Array]:
        """{kind of attention: its weights}."""
        return self.decision.weights

    def again(self, **changes: Any) -> Decision:
        """Another pass with further arguments of `Model.apply`."""
        return self.model.apply(self.params, self.batch, self.hyper, **changes)


@partial(jax.jit, static_argnames=("model", "pooling", "methods"))
def importances(model: Model, params: Any, batch: dict, hyper: Hyper, pooling: str, methods: tuple[str, ...]
                ) -> dict[str, jax.Array]:
    """Importances (B, S) of a batch, without leave_one_out and random; equal passes are shared."""
    decision = model.apply(params, batch, hyper, with_weights=True)
    forward = Forward(model, params, batch, hyper, pooling, decision)
    return {name: _OF_BATCH[name](forward) for name in methods}


def _read(forward, decision=None):
    """Shares of the states in the classified vector, (B, S), of the forward pass or of another decision."""
    decision, batch = decision or forward.decision, forward.batch
    if POOL in decision.weights:
        return decision.weights[POOL][0, :, 0, 0]
    real = words(batch)
    if forward.pooling == "mean":
        return real / jnp.maximum(real.sum(axis=1, keepdims=True), 1).astype(jnp.float32)
    return jax.nn.one_hot(batch["position"], real.shape[1])


def _through(read, weights):
    """Shares of sources (B, S), from shares of states (B, T) and weights (B, T, S)."""
    return jnp.einsum("bt,bts->bs", read, weights)


def _attention(forward):
    read = _read(forward)
    return read if POOL in forward.weights else _through(read, forward.weights["encoder"][-1].mean(axis=1))


def _attention_mean(forward):
    read = _read(forward)
    return read if POOL in forward.weights else _through(read, forward.weights["encoder"].mean(axis=(0, 2)))


def _rollout(forward):
    read = _read(forward)
    for layer in forward.weights["encoder"][::-1]:
        read = 0.5 * read + 0.5 * _through(read, layer.mean(axis=1))
    return read


def _value_norm(forward):
    read = _read(forward)
    if POOL in forward.weights:
        return read * jnp.linalg.norm(forward.decision.states, axis=-1)
    norms = forward.model.values(forward.params, forward.batch, forward.hyper)[-1]
    return jnp.einsum("bt,bhts,bhs->bs", read, forward.weights["encoder"][-1], norms)


def _value_zeroing(forward):
    S, pooled = forward.batch["source"].shape[1], POOL in forward.weights

    def output(decision):
        if pooled:
            return jax.nn.softmax(decision.logits, axis=-1, where=decision.allowed)
        state = jnp.einsum("bs,bsd->bd", _read(forward, decision), decision.states)
        return state / jnp.maximum(jnp.linalg.norm(state, axis=-1, keepdims=True), 1e-12)

    def without(w):
        removed = jnp.arange(S) == w
        changed = {kind: counterfactual.given(jnp.where(jnp.expand_dims(removed, range(weights.ndim - 1)), 0,
                                                        weights))
                   for kind, weights in forward.weights.items()}
        new = output(forward.again(intervention=changed))
        # Half the squared distance of two directions is 1 - cosine, and is exact where that is small.
        return variation(old, new) if pooled else 0.5 * ((new - old) ** 2).sum(axis=-1)

    old = output(forward.decision)
    return jax.lax.map(without, jnp.arange(S)).T


def _slopes(forward, intervention=None):
    """Embeddings (B, S, D), and the gradient in them of the log-odds of the predicted class."""
    first = forward.decision
    best = jnp.argmax(jnp.where(first.allowed, first.logits, -jnp.inf), axis=-1)[:, None]
    chosen = jnp.arange(first.logits.shape[-1])[None, :] == best

    def odds(x):
        logits = forward.again(intervention=intervention, embedded=x).logits
        others = jax.nn.logsumexp(jnp.where(first.allowed & ~chosen, logits, -1e9), axis=-1)
        predicted = jnp.where(chosen, logits, 0.0).sum(axis=-1)
        # A word of one class has no odds: nothing matters.
        return jnp.where(first.allowed.sum(axis=-1) > 1, predicted - others, 0.0).sum()

    x = forward.model.embed(forward.params, forward.batch["source"])
    return x, jax.grad(odds)(x)


def _gradient(forward):
    return jnp.linalg.norm(_slopes(forward)[1], axis=-1)


def _input_gradient(forward, intervention=None):
    x, slope = _slopes(forward, intervention)
    return jnp.abs((x * slope).sum(axis=-1))


def _gradient_detached(forward):
    return _input_gradient(forward, {kind: counterfactual.given(jax.lax.stop_gradient(weights))
                                     for kind, weights in forward.weights.items()})


def _leave_one_out(classifier, params, sentences, ids):
    positions = classifier.encode(sentences)[1]
    columns = {"word": classifier.columns(sentences)["word"], "position": positions}

    def predict(batch):
        # The same columns with and without the word: the same programs.
        batch = {name: batch[name] for name in ("source", "example", *columns)}
        return np.asarray(decide(classifier.model, params, batch, classifier.hyper)[0])

    whole = rows(predict, len(ids), classifier.in_order(sentences, batch_tokens=ROOM))
    result = [np.zeros(len(row)) for row in ids]
    for batch, pairs in without_a_word(ids, columns, classifier.buckets):
        real = pairs[:, 0] >= 0
        old = np.stack([whole[i] for i in np.maximum(pairs[:, 0], 0)])
        moved = np.asarray(variation(old, predict(batch)))
        for (i, w), change in zip(pairs[real], moved[real]):
            if w != sentences.position[i]:
                result[i][w] = change
    return result


def _noise(seed, text, count):
    raw = np.random.PCG64([int(seed), zlib.crc32(text.encode())]).random_raw(count)
    return raw * 2.0 ** -64


_OF_BATCH = {"attention": _attention, "attention_mean": _attention_mean, "rollout": _rollout,
             "value_norm": _value_norm, "value_zeroing": _value_zeroing, "gradient": _gradient,
             "input_gradient": _input_gradient, "gradient_detached": _gradient_detached}
METHODS = (*_OF_BATCH, LEAVE_ONE_OUT, RANDOM)
