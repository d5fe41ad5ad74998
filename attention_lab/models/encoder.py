"""A stack of encoder layers that gives an answer at each token it reads: for recall and echo."""

import functools

import flax.linen as nn
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.data.vocabulary import PAD
from attention_lab.models.interventions import by_layer
from attention_lab.models.layers import EncoderLayer, embeddings, norm_first, projections, through
from attention_lab.models.positions import add_positions, position_table
from attention_lab.models.record import Model, ModelSpec, Output, Pass, as_model


class Encoder(nn.Module):
    """Embeddings, encoder layers, a final norm; with `model.causal` a token sees itself and the past."""

    spec: ModelSpec

    def setup(self):
        model = self.spec.model
        self.embedding, self.readout = embeddings(self, "embedding", "readout")
        self.places = position_table(self)
        self.layers = [EncoderLayer(self.spec, name=f"encoder_{i}") for i in range(model.num_layers)]
        if norm_first(self.spec):
            self.norm = nn.LayerNorm()

    def __call__(self, batch, run: Pass, intervention=None):
        model, source = self.spec.model, batch["source"]
        counterfactuals = by_layer(intervention, encoder=model.num_layers)["encoder"]
        mask, positions = (source != PAD)[:, None, :], jnp.arange(source.shape[1])
        mask = mask & attention.causal(source.shape[1]) if model.causal else mask
        x = self.embedding[source] * model.width ** 0.5
        x = add_positions(x, positions, model.positions, self.places)
        x, weights = through(self.layers, run.drop(x, 0), positions, mask, run, counterfactuals)
        x = self.norm(x) if norm_first(self.spec) else x
        return Output(x, self.readout, {"encoder": jnp.stack(weights)} if run.with_weights else {})


def build(spec: ModelSpec) -> Model:
    """The encoder of this specification as plain functions; it has no `start` and `step`."""
    module = Encoder(spec)
    return as_model(spec, module, functools.partial(projections, module))
