"""Networks with a prediction at every token of the source, for recall, echo and a marked word."""

import flax.linen as nn
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.data.vocabulary import PAD
from attention_lab.models.cells import Cell, scan
from attention_lab.models.heads import model_with_heads, outputs_by_kind, real_rows
from attention_lab.models.interventions import by_layer
from attention_lab.models.layers import EncoderLayer, embeddings, last_norm, through
from attention_lab.models.positions import add_positions, position_table
from attention_lab.models.products import GLOROT, product
from attention_lab.models.spec import Model, ModelSpec, Output, Pass, as_model


class Encoder(nn.Module):
    """Embeddings, encoder layers, a final norm; with `model.causal` a token sees itself and the past."""

    spec: ModelSpec

    def setup(self):
        model = self.spec.model
        self.embedding, self.readout = embeddings(self, "embedding", "readout")
        self.position_table = position_table(self)
        self.layers = [EncoderLayer(self.spec, name=f"encoder_{i}") for i in range(model.num_layers)]
        self.norm = last_norm(self.spec)

    def __call__(self, batch, run: Pass, intervention=None):
        model, source = self.spec.model, batch["source"]
        counterfactuals = by_layer(intervention, encoder=model.num_layers)["encoder"]
        mask, positions = (source != PAD)[:, None, :], jnp.arange(source.shape[1])
        mask = mask & attention.causal(source.shape[1]) if model.causal else mask
        mask = real_rows(mask, source != PAD, run)
        x = self.embedding[source] * model.width ** 0.5
        x = add_positions(x, positions, model.positions, self.position_table)
        x, attended = through(self.layers, run.drop(x, 0), positions, mask, run, counterfactuals)
        return Output(self.norm(x), self.readout, *outputs_by_kind(encoder=attended))


class RecurrentTagger(nn.Module):
    """Embeddings, cells from left to right, and a linear map back to the width of the embeddings."""

    spec: ModelSpec

    def setup(self):
        model = self.spec.model
        self.embedding, self.readout = embeddings(self, "embedding", "readout")
        self.cells = [Cell(self.spec, model.hidden, model.hidden if i else model.width,
                           name=f"cell_{i}") for i in range(model.num_layers)]
        self.output_kernel = self.param("output_kernel", GLOROT, (model.hidden, model.width))
        self.output_bias = self.param("output_bias", nn.initializers.zeros, (model.width,))

    def __call__(self, batch, run: Pass, intervention=None):
        by_layer(intervention)  # which refuses any, for there is no attention
        mask = batch["source"] != PAD
        x = self.embedding[batch["source"]] * self.spec.model.width ** 0.5
        for i, cell in enumerate(self.cells):
            x = run.drop(x, i)
            _, x = scan(cell.step(), cell.initial_state(x.shape[0]), cell.project_inputs(x), mask)
        x = product(run.drop(x, len(self.cells)), self.output_kernel, self.spec.precision)
        return Output(x + self.output_bias[None, None, :], self.readout, {})


def build_encoder(spec: ModelSpec) -> Model:
    """The encoder of this specification as plain functions; it has no `start` and `step`."""
    return model_with_heads(spec, Encoder(spec))


def build_recurrent(spec: ModelSpec) -> Model:
    """The recurrent network of this specification as plain functions; it has no `start` and `step`."""
    return as_model(spec, RecurrentTagger(spec))
