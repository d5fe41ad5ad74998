"""Classifiers: from a sentence, and mostly a target word in it, to one of the classes of that word.

A body turns the embeddings into states, a pooling reduces the states to one vector, and each target word
has a row of class vectors. Words differ in their number of classes: the table is as wide as the largest, and
`Decision.allowed` is False for entries that are no class of the word.

* encoder: layers of self-attention (Vaswani et al. 2017).
* rnn, lstm, gru: read one way or both; with additive pooling the classifier of Jain & Wallace 2019.
* average: every token by itself through tanh, their control without any context.
* bag_of_words: the embeddings themselves; with pooling "place" the target word alone.
"""

import flax.linen as nn
import jax.numpy as jnp

from attention_lab.config import ENCODERS, POOLED, RECURRENT
from attention_lab.config.choices import look_up
from attention_lab.data.vocabulary import EOS, PAD
from attention_lab.models.heads import Attended, model_with_heads, outputs_by_kind, real_rows
from attention_lab.models.interventions import by_layer
from attention_lab.models.layers import EncoderLayer, embeddings, last_norm, through
from attention_lab.models.pooling import POOLINGS
from attention_lab.models.positions import add_positions, position_table
from attention_lab.models.products import Dense
from attention_lab.models.recurrent import RecurrentEncoder
from attention_lab.models.spec import Decision, Model, ModelSpec, Pass, as_model

POOL = "pool"  # the kind of attention that pools, beside "encoder"


def encoder(module):
    """Layers of self-attention."""
    model = module.spec.model
    module.position_table = position_table(module)
    module.layers = [EncoderLayer(module.spec, name=f"encoder_{i}") for i in range(model.num_layers)]
    module.norm = last_norm(module.spec)

    def body(x, mask, run, counterfactuals):
        positions = jnp.arange(x.shape[1])
        x = run.drop(add_positions(x, positions, model.positions, module.position_table), 0)
        x, attended = through(module.layers, x, positions, real_rows(mask[:, None, :], mask, run), run,
                              counterfactuals)
        return module.norm(x), attended
    return body, model.width


def recurrent(module):
    """A recurrent network."""
    module.encoder = RecurrentEncoder(module.spec, name="reader")
    return (lambda x, mask, run, _: (module.encoder(run.drop(x, 0), mask, run.drop)[0], None),
            module.spec.model.hidden)


def average(module):
    """Every token by itself through one layer."""
    size = module.spec.model.hidden
    module.projection = Dense(module.spec, size)
    return lambda x, mask, run, _: (jnp.tanh(module.projection(run.drop(x, 0))), None), size


def bag_of_words(module):
    """The embeddings themselves."""
    return lambda x, mask, run, _: (run.drop(x, 0), None), module.spec.model.width


# Each creates its parameters in a linen module and gives the body (embeddings (B, S, D), mask, Pass,
# counterfactuals) -> (states (B, S, size), Attended of its L layers or None), and the size.
BODIES = {**dict.fromkeys(ENCODERS, encoder), **dict.fromkeys(RECURRENT, recurrent), "average": average,
          "bag_of_words": bag_of_words}


class Classifier(nn.Module):
    """Embeddings, a body, a pooling, class vectors."""

    spec: ModelSpec

    def setup(self):
        model, classes = self.spec.model, self.spec.classes
        self.embedding, = embeddings(self, "embedding")
        self.body, size = look_up(BODIES, "model.kind", model.kind)(self)
        self.pool = look_up(POOLINGS, "model.pooling", model.pooling)(self, size)
        shape = (len(classes), max(classes))
        self.readout = self.param("readout", nn.initializers.normal(size ** -0.5), (*shape, size))
        self.bias = self.param("bias", nn.initializers.zeros, shape)

    def embed(self, tokens):
        """Tokens (B, S) as vectors (B, S, D), without their positions."""
        return self.embedding[tokens] * self.spec.model.width ** 0.5

    def __call__(self, batch, run: Pass, intervention=None, embedded=None):
        model, tokens = self.spec.model, batch["source"]
        kinds = {"encoder": model.num_layers} if model.kind in ENCODERS else {}
        kinds |= {POOL: 1} if model.pooling in POOLED else {}
        changed = by_layer(intervention, **kinds)
        mask = tokens != PAD
        x = self.embed(tokens) if embedded is None else embedded
        states, attended = self.body(x, mask, run, changed.get("encoder"))
        pooled, pool_weights = self.pool(states, mask & (tokens != EOS), batch, changed.get(POOL, [None])[0])
        pooled = run.drop(pooled[:, None], 999)[:, 0]
        logits = jnp.einsum("bd,bcd->bc", pooled, self.readout[batch["word"]]) + self.bias[batch["word"]]
        count = jnp.asarray(self.spec.classes)[batch["word"]]
        allowed = jnp.arange(logits.shape[1])[None, :] < count[:, None]
        pool = Attended(pool_weights[None]) if run.with_weights and pool_weights is not None else None
        return Decision(logits, allowed, states, *outputs_by_kind(encoder=attended, **{POOL: pool}))


def build(spec: ModelSpec) -> Model:
    """The classifier of this specification as plain functions."""
    if spec.model.kind in ENCODERS:
        return model_with_heads(spec, Classifier(spec), "encoder", "encoder", "heads")
    return as_model(spec, Classifier(spec))
