"""Classifiers: a sentence, and perhaps a place in it, in; one of the classes of its word out.

A body turns the embeddings into states, a pooling reads the states, and every word has a row of class
vectors of its own. Words differ in the number of their classes, so that the table is as wide as the widest
of them and `Decision.allowed` tells what is a class at all.

* encoder: layers of self-attention (Vaswani et al. 2017).
* rnn, lstm, gru: read one way or both; with additive pooling the classifier of Jain & Wallace 2019.
* average: every token by itself through tanh, their control without any context.
* bag_of_words: the embeddings themselves; pooled by mean a bag, at the place the word alone.
"""

import flax.linen as nn
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.attention import counterfactual
from attention_lab.config import LEARNED_POSITIONS, RECURRENT, Structure
from attention_lab.data.vocabulary import EOS, PAD
from attention_lab.models.dropout import make_dropout
from attention_lab.models.interventions import by_layer
from attention_lab.models.layers import Dense, projections, value_norms
from attention_lab.models.positions import place
from attention_lab.models.record import Decision, Model
from attention_lab.models.recurrent import Reader
from attention_lab.models.transformer import EncoderLayer, through

POOL = "pool"  # the kind of attention that pools, beside "encoder"


class Classifier(nn.Module):
    """Embeddings, a body, a pooling, class vectors."""

    structure: Structure
    vocabulary_size: int
    classes: tuple[int, ...]  # of each word

    def setup(self):
        model = self.structure.model
        self.embedding = self.param("embedding", nn.initializers.normal(model.width ** -0.5),
                                    (self.vocabulary_size, model.width))
        size = model.width if model.kind in ("encoder", "bag_of_words") else model.hidden
        if model.kind == "encoder":
            self.places = None
            if model.positions == "learned":
                self.places = self.param("places", nn.initializers.normal(0.02),
                                         (LEARNED_POSITIONS, model.width))
            self.layers = [EncoderLayer(self.structure, name=f"encoder_{i}") for i in range(model.num_layers)]
            if model.norm == "pre":
                self.norm = nn.LayerNorm()
        elif model.kind in RECURRENT:
            self.reader = Reader(self.structure)
        elif model.kind == "average":
            self.projection = Dense(self.structure, size)
        if model.pooling == "additive":
            half = max(size // 2, 1)  # hidden units, as Jain & Wallace 2019 have it
            self.pool_key = self.param("pool_key", nn.initializers.lecun_normal(), (size, half))
            self.pool_query = self.param("pool_query", nn.initializers.zeros, (half,))
            self.pool_vector = self.param("pool_vector", nn.initializers.normal(size ** -0.5), (half,))
        elif model.pooling == "dot":
            self.pool_query = self.param("pool_query", nn.initializers.normal(1.0), (size,))
        shape = (len(self.classes), max(self.classes))
        self.readout = self.param("readout", nn.initializers.normal(size ** -0.5), (*shape, size))
        self.bias = self.param("bias", nn.initializers.zeros, shape)

    def embed(self, tokens):
        """Tokens (B, S) as vectors (B, S, D), which know nothing of their places."""
        return self.embedding[tokens] * self.structure.model.width ** 0.5

    def body(self, x, mask, scale, drop, with_weights, counterfactuals):
        """Embeddings (B, S, D) -> states (B, S, .), and weights of self-attention by layer."""
        model = self.structure.model
        if model.kind == "encoder":
            positions = jnp.arange(x.shape[1])
            x = place(x, positions, model.positions, self.places)
            x, weights = through(self.layers, drop(x, 0), positions, mask[:, None, :], scale, drop,
                                 with_weights, counterfactuals)
            return (self.norm(x) if model.norm == "pre" else x), weights if with_weights else []
        x = drop(x, 0)
        if model.kind in RECURRENT:
            return self.reader(x, mask, drop)[0], []
        return (jnp.tanh(self.projection(x)) if model.kind == "average" else x), []

    def pool(self, states, words, batch, changed):
        """States (B, S, .) -> what is read of them (B, .), and the weights (B, 1, 1, S) or None.

        Args:
          words: bool (B, S), True for a token of the sentence, the end mark not among them.
          changed: a Counterfactual for the weights, or None.
        """
        kind, weights = self.structure.model.pooling, self.structure.attention.weights
        if kind == "place":
            return jnp.take_along_axis(states, batch["place"][:, None, None], axis=1)[:, 0], None
        if kind == "mean":
            share = words / jnp.maximum(words.sum(axis=1, keepdims=True), 1)
            return jnp.einsum("bs,bsd->bd", share, states), None
        if changed is None and weights == "uniform":
            changed = counterfactual.uniform()
        elif changed is None and weights == "frozen":
            changed = counterfactual.given(batch["guide"][:, None, None, :])
        score = attention.dot if kind == "dot" else attention.additive(None, self.pool_key, self.pool_vector)
        query = jnp.broadcast_to(self.pool_query, (states.shape[0], 1, 1, *self.pool_query.shape))
        context, weights = attention.multi_head(
            query, states[:, None], states[:, None], words[:, None, None, :], compatibility=score,
            return_weights=True, counterfactual=changed)
        return context[:, 0, 0], weights

    def __call__(self, batch, scale, key, rate, with_weights=False, intervention=None, embedded=None):
        model, tokens = self.structure.model, batch["source"]
        kinds = {"encoder": model.num_layers} if model.kind == "encoder" else {}
        kinds |= {POOL: 1} if model.pooling in ("additive", "dot") else {}
        changed = by_layer(intervention, **kinds)
        drop, mask = make_dropout(key, rate, batch["example"]), tokens != PAD
        x = self.embed(tokens) if embedded is None else embedded
        states, inner = self.body(x, mask, scale, drop, with_weights, changed.get("encoder"))
        found, outer = self.pool(states, mask & (tokens != EOS), batch, changed.get(POOL, [None])[0])
        found = drop(found[:, None], 999)[:, 0]
        logits = jnp.einsum("bd,bcd->bc", found, self.readout[batch["word"]]) + self.bias[batch["word"]]
        count = jnp.asarray(self.classes)[batch["word"]]
        allowed = jnp.arange(logits.shape[1])[None, :] < count[:, None]
        weights = {"encoder": jnp.stack(inner)} if with_weights and inner else {}
        weights |= {POOL: outer[None]} if with_weights and outer is not None else {}
        return Decision(logits, allowed, states, weights)


def build(structure: Structure, vocabulary_size: int, classes: tuple[int, ...]) -> Model:
    """The classifier of this structure as plain functions; `classes` counts those of each word."""
    module = Classifier(structure, vocabulary_size, tuple(classes))

    def init(key):
        tokens, ones = jnp.full((1, 2), EOS + 1, jnp.int32), jnp.zeros((1,), jnp.int32)
        batch = {"source": tokens, "place": ones, "word": ones, "example": ones, "guide": jnp.zeros((1, 2))}
        return module.init(key, batch, 1.0, None, 0.0)["params"]

    def apply(params, batch, hyper, key=None, with_weights=False, intervention=None, embedded=None):
        return module.apply({"params": params}, batch, hyper.attention_scale, key, hyper.dropout,
                            with_weights, intervention, embedded)

    def embed(params, tokens):
        return module.apply({"params": params}, tokens, method=module.embed)

    def inside(params, batch, hyper):
        return projections(module, {"params": params}, batch, hyper.attention_scale, None, 0.0)

    def values(params, batch, hyper):
        layers = inside(params, batch, hyper)["encoder"]
        return jnp.stack([value_norms(params[f"encoder_{i}"]["heads"], v)
                          for i, (_, _, v) in enumerate(layers)])

    attends = structure.model.kind == "encoder"
    return Model(init, apply, inside if attends else None, values if attends else None, None, None, embed)
