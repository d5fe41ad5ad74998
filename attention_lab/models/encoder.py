"""A stack of encoder layers that gives a token for each token it reads: for recall and labels."""

import flax.linen as nn
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.config import LEARNED_POSITIONS, Structure
from attention_lab.data.vocabulary import PAD
from attention_lab.models.dropout import make_dropout
from attention_lab.models.interventions import by_layer
from attention_lab.models.layers import embeddings, projections
from attention_lab.models.positions import place
from attention_lab.models.record import Model, Output
from attention_lab.models.transformer import EncoderLayer, through


class Encoder(nn.Module):
    """Embeddings, encoder layers, a final norm; with `model.causal` a token sees itself and the past."""

    structure: Structure
    vocabulary_size: int

    def setup(self):
        model = self.structure.model
        self.embedding, self.readout = embeddings(self, "embedding", "readout")
        self.places = self.param("places", nn.initializers.normal(0.02), (LEARNED_POSITIONS, model.width)) \
            if model.positions == "learned" else None
        self.layers = [EncoderLayer(self.structure, name=f"encoder_{i}") for i in range(model.num_layers)]
        if model.norm == "pre":
            self.norm = nn.LayerNorm()

    def __call__(self, batch, scale, key, rate, with_weights=False, intervention=None):
        model, source = self.structure.model, batch["source"]
        counterfactuals = by_layer(intervention, encoder=model.num_layers)["encoder"]
        drop = make_dropout(key, rate, batch["example"])
        mask = (source != PAD)[:, None, :]
        if model.causal:
            mask = mask & attention.causal(source.shape[1])[None]
        positions = jnp.arange(source.shape[1])
        x = place(self.embedding[source] * model.width ** 0.5, positions, model.positions, self.places)
        x, weights = through(self.layers, drop(x, 0), positions, mask, scale, drop, with_weights,
                             counterfactuals)
        x = self.norm(x) if model.norm == "pre" else x
        return Output(x, self.readout, {"encoder": jnp.stack(weights)} if with_weights else {})


def build(structure: Structure, vocabulary_size: int) -> Model:
    """The encoder of this structure as plain functions; it has no `start` and `step`."""
    module = Encoder(structure, vocabulary_size)

    def init(key):
        tokens = jnp.zeros((1, 2), jnp.int32)
        batch = {"source": tokens, "example": jnp.zeros((1,), jnp.int32)}
        return module.init(key, batch, 1.0, None, 0.0)["params"]

    def apply(params, batch, hyper, key=None, with_weights=False, intervention=None):
        return module.apply({"params": params}, batch, hyper.attention_scale, key, hyper.dropout,
                            with_weights, intervention)

    def inside(params, batch, hyper):
        return projections(module, {"params": params}, batch, hyper.attention_scale, None, 0.0)

    return Model(init, apply, inside, None, None, None)
