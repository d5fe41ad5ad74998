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

from attention_lab.config import POOLED, RECURRENT
from attention_lab.config.choices import look_up
from attention_lab.data.vocabulary import EOS, PAD
from attention_lab.models.heads import model_with_heads
from attention_lab.models.interventions import by_layer
from attention_lab.models.layers import EncoderLayer, embeddings, last_norm, through
from attention_lab.models.pooling import POOLINGS
from attention_lab.models.positions import add_positions, position_table
from attention_lab.models.products import Dense
from attention_lab.models.record import Decision, Model, ModelSpec, Pass, as_model
from attention_lab.models.recurrent import Reader

POOL = "pool"  # the kind of attention that pools, beside "encoder"


class Classifier(nn.Module):
    """Embeddings, a body, a pooling, class vectors."""

    spec: ModelSpec

    def setup(self):
        model, classes = self.spec.model, self.spec.classes
        self.embedding, = embeddings(self, "embedding")
        size = model.width if model.kind in ("encoder", "bag_of_words") else model.hidden
        if model.kind == "encoder":
            self.places = position_table(self)
            self.layers = [EncoderLayer(self.spec, name=f"encoder_{i}") for i in range(model.num_layers)]
            self.norm = last_norm(self.spec)
        elif model.kind in RECURRENT:
            self.reader = Reader(self.spec)
        elif model.kind == "average":
            self.projection = Dense(self.spec, size)
        self.pool = look_up(POOLINGS, "model.pooling", model.pooling)(self, size)
        shape = (len(classes), max(classes))
        self.readout = self.param("readout", nn.initializers.normal(size ** -0.5), (*shape, size))
        self.bias = self.param("bias", nn.initializers.zeros, shape)

    def embed(self, tokens):
        """Tokens (B, S) as vectors (B, S, D), which know nothing of their places."""
        return self.embedding[tokens] * self.spec.model.width ** 0.5

    def body(self, x, mask, run, counterfactuals):
        """Embeddings (B, S, D) -> states (B, S, .), and weights of self-attention (L, B, H, S, S) or None."""
        model = self.spec.model
        if model.kind == "encoder":
            positions = jnp.arange(x.shape[1])
            x = run.drop(add_positions(x, positions, model.positions, self.places), 0)
            x, weights = through(self.layers, x, positions, mask[:, None, :], run, counterfactuals)
            return self.norm(x), weights
        x = run.drop(x, 0)
        if model.kind in RECURRENT:
            return self.reader(x, mask, run.drop)[0], None
        return (jnp.tanh(self.projection(x)) if model.kind == "average" else x), None

    def __call__(self, batch, run: Pass, intervention=None, embedded=None):
        model, tokens = self.spec.model, batch["source"]
        kinds = {"encoder": model.num_layers} if model.kind == "encoder" else {}
        kinds |= {POOL: 1} if model.pooling in POOLED else {}
        changed = by_layer(intervention, **kinds)
        mask = tokens != PAD
        x = self.embed(tokens) if embedded is None else embedded
        states, encoder_weights = self.body(x, mask, run, changed.get("encoder"))
        pooled, pool_weights = self.pool(states, mask & (tokens != EOS), batch, changed.get(POOL, [None])[0])
        pooled = run.drop(pooled[:, None], 999)[:, 0]
        logits = jnp.einsum("bd,bcd->bc", pooled, self.readout[batch["word"]]) + self.bias[batch["word"]]
        count = jnp.asarray(self.spec.classes)[batch["word"]]
        allowed = jnp.arange(logits.shape[1])[None, :] < count[:, None]
        weights = {"encoder": encoder_weights, POOL: None if pool_weights is None else pool_weights[None]}
        weights = {kind: w for kind, w in weights.items() if run.with_weights and w is not None}
        return Decision(logits, allowed, states, weights)


def build(spec: ModelSpec) -> Model:
    """The classifier of this specification as plain functions."""
    if spec.model.kind == "encoder":
        return model_with_heads(spec, Classifier(spec), "encoder", "encoder", "heads")
    return as_model(spec, Classifier(spec))
