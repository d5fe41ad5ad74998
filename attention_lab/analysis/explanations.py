"""How much each word matters to what a classifier says: its attention, its gradients, and words taken away.

An importance is of the class that the model predicts, 0 or more; only its order within a sentence counts.

* attention: weights of the pooling; of an encoder the row of what is read, the asked place or the mean of
  all, in the last layer, mean over heads. attention_mean: mean over layers as well.
* rollout: that row of the product over layers of half the weights and half the identity (Abnar & Zuidema
  2020).
* value_norm: weights times the norm of what a value adds, summed over the heads of the last layer (Kobayashi
  et al. 2020); of a pooling, times the norm of the state.
* value_zeroing: change where a token's value is nothing in every layer at once, the other weights as they
  are (Mohebbi et al. 2023 take one layer at a time): cosine distance of the state that is read; of a pooling
  by attention, total variation of the prediction.
* gradient: norm of the gradient of the log-odds in the embedding. It is that of the probability p, which
  Jain & Wallace 2019 take, over p (1 - p), one factor a sentence, and does not vanish where p is all but 1.
* input_gradient: |embedding . gradient|. gradient_detached: the same with all weights held fixed, as theirs.
* leave_one_out: total variation of the prediction without the word; 0 for the asked word itself.
* random: noise from the config's seed and the sentence.
"""

import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.analysis.batches import ROOM, encoded, rows, without_a_word
from attention_lab.analysis.pooling import variation, words
from attention_lab.attention import counterfactual
from attention_lab.config import POOLED, Hyper
from attention_lab.data.labelled import Labelled
from attention_lab.models import Decision, Model
from attention_lab.models.classifier import POOL
from attention_lab.tasks.classification.classifier import Classifier, decide

LEAVE_ONE_OUT, RANDOM = "leave_one_out", "random"
OF_ALL = ("source", "example")  # columns of every batch


def explain(classifier: Classifier, params: Any, sentences: Labelled, methods: Sequence[str],
            hyper: Hyper | None = None, extra: Mapping[str, Any] | None = None
            ) -> dict[str, list[np.ndarray]]:
    """The importance of every word by each method.

    Args:
      classifier: with word tokens. params: its weights.
      sentences: what to explain.
      methods: of METHODS. hyper: None as in the config.
      extra: more columns, as of `Classifier.in_order`; a model whose weights are frozen needs its guide.
    Returns:
      {method: importances (W,) of each sentence, the end mark left out}, float64.
    Raises:
      ValueError: a method that is unknown or that this model has no weights for, or a tokenizer of pieces.
    """
    for method in methods:
        if method not in available(classifier):
            raise ValueError(f"methods: {method!r} is none that this classifier has: "
                             f"{', '.join(available(classifier))}")
    ids, hyper = encoded(classifier, sentences), hyper or classifier.hyper
    inside = tuple(name for name in METHODS if name in methods and name in _INSIDE)
    found: dict[str, list[np.ndarray]] = {}
    if inside:
        pooling = classifier.config.model.pooling
        seen = rows(lambda batch: importances(classifier.model, params, batch, hyper, pooling, inside), ids,
                    classifier.in_order(sentences, extra, ROOM))
        for name in inside:
            found[name] = [one[name][:len(row)].astype(np.float64) for one, row in zip(seen, ids)]
    if LEAVE_ONE_OUT in methods:
        found[LEAVE_ONE_OUT] = _leave_one_out(classifier, params, sentences, ids, hyper, extra or {})
    if RANDOM in methods:
        found[RANDOM] = [_noise(hyper.seed, text, len(row)) for text, row in zip(sentences.text, ids)]
    return {name: found[name] for name in methods}


def available(classifier: Classifier) -> tuple[str, ...]:
    """The METHODS that there are for this classifier."""
    model = classifier.config.model
    encoder, pooled = model.kind == "encoder", model.pooling in POOLED
    missing = set() if encoder or pooled else {"attention", "attention_mean", "value_norm", "value_zeroing"}
    missing |= set() if encoder else {"rollout"}
    return tuple(name for name in METHODS if name not in missing)


class Forward(NamedTuple):
    """A forward pass of a classifier on a batch, and what it was made of; pooling is model.pooling."""

    model: Model
    params: Any
    batch: dict
    hyper: Hyper
    pooling: str
    decision: Decision

    @property
    def weights(self) -> dict[str, jax.Array]:
        """Those that attention had, by its kind."""
        return self.decision.weights

    def again(self, **changes: Any) -> Decision:
        """The pass again with these further arguments of `Model.apply`."""
        return self.model.apply(self.params, self.batch, self.hyper, **changes)


@partial(jax.jit, static_argnames=("model", "pooling", "methods"))
def importances(model: Model, params: Any, batch: dict, hyper: Hyper, pooling: str, methods: tuple[str, ...]
                ) -> dict[str, jax.Array]:
    """Importances (B, S) of a batch by methods that need no other batch; equal passes are shared."""
    decision = model.apply(params, batch, hyper, with_weights=True)
    forward = Forward(model, params, batch, hyper, pooling, decision)
    return {name: _INSIDE[name](forward) for name in methods}


def _read(forward, decision=None):
    """How much of each state is read, (B, S); by another decision if given."""
    decision, batch = decision or forward.decision, forward.batch
    if POOL in decision.weights:
        return decision.weights[POOL][0, :, 0, 0]
    real = words(batch)
    if forward.pooling == "mean":
        return real / jnp.maximum(real.sum(axis=1, keepdims=True), 1).astype(jnp.float32)
    return jax.nn.one_hot(batch["place"], real.shape[1])


def _through(read, weights):
    """What is read (B, T) by way of weights (B, T, S)."""
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

    def shown(one):
        if pooled:
            return jax.nn.softmax(one.logits, axis=-1, where=one.allowed)
        state = jnp.einsum("bs,bsd->bd", _read(forward, one), one.states)
        return state / jnp.maximum(jnp.linalg.norm(state, axis=-1, keepdims=True), 1e-12)

    def without(w):
        here = jnp.arange(S) == w
        changed = {kind: counterfactual.given(jnp.where(jnp.expand_dims(here, range(own.ndim - 1)), 0, own))
                   for kind, own in forward.weights.items()}
        new = shown(forward.again(intervention=changed))
        # Half the squared distance of two directions is 1 - cosine, and is exact where that is small.
        return variation(old, new) if pooled else 0.5 * ((new - old) ** 2).sum(axis=-1)

    old = shown(forward.decision)
    return jax.lax.map(without, jnp.arange(S)).T


def _slopes(forward, intervention=None):
    """Embeddings (B, S, D), and the gradient in them of the log-odds of the predicted class."""
    first = forward.decision
    best = jnp.argmax(jnp.where(first.allowed, first.logits, -jnp.inf), axis=-1)[:, None]
    chosen = jnp.arange(first.logits.shape[-1])[None, :] == best

    def odds(x):
        logits = forward.again(intervention=intervention, embedded=x).logits
        others = jax.nn.logsumexp(jnp.where(first.allowed & ~chosen, logits, -1e9), axis=-1)
        # The only class of a word can't be doubted: nothing matters.
        own = jnp.where(chosen, logits, 0.0).sum(axis=-1)
        return jnp.where(first.allowed.sum(axis=-1) > 1, own - others, 0.0).sum()

    x = forward.model.embed(forward.params, forward.batch["source"])
    return x, jax.grad(odds)(x)


def _gradient(forward):
    return jnp.linalg.norm(_slopes(forward)[1], axis=-1)


def _input_gradient(forward, intervention=None):
    x, slope = _slopes(forward, intervention)
    return jnp.abs((x * slope).sum(axis=-1))


def _gradient_detached(forward):
    return _input_gradient(forward, {kind: counterfactual.given(jax.lax.stop_gradient(own))
                                     for kind, own in forward.weights.items()})


def _leave_one_out(classifier, params, sentences, ids, hyper, extra):
    def function(batch):
        # The same columns whether a word is gone or not: the same programs.
        read = {name: column for name, column in batch.items() if name in ("guide", *columns, *OF_ALL)}
        return np.asarray(decide(classifier.model, params, read, hyper)[0])

    places = classifier.encode(sentences)[1]
    columns = {"word": classifier.columns(sentences)["word"], "place": places}
    whole = rows(function, ids, classifier.in_order(sentences, extra, ROOM))
    found = [np.zeros(len(row)) for row in ids]
    for batch, pairs in without_a_word(ids, columns, classifier.buckets, extra.get("guide")):
        real = pairs[:, 0] >= 0
        old = np.stack([whole[i] for i in np.maximum(pairs[:, 0], 0)])
        apart = np.asarray(variation(old, function(batch)))
        for (i, w), one in zip(pairs[real], apart[real]):
            if w != sentences.place[i]:
                found[i][w] = one
    return found


def _noise(seed, text, count):
    raw = np.random.PCG64([int(seed), zlib.crc32(text.encode())]).random_raw(count)
    return raw * 2.0 ** -64


_INSIDE = {"attention": _attention, "attention_mean": _attention_mean, "rollout": _rollout,
           "value_norm": _value_norm, "value_zeroing": _value_zeroing, "gradient": _gradient,
           "input_gradient": _input_gradient, "gradient_detached": _gradient_detached}
METHODS = (*_INSIDE, LEAVE_ONE_OUT, RANDOM)
