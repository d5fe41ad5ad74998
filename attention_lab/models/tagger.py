"""Layers of a recurrent network that answers at every token from what it has read so far."""

import flax.linen as nn

from attention_lab.data.vocabulary import PAD
from attention_lab.models.cells import Cell, scan
from attention_lab.models.interventions import by_layer
from attention_lab.models.layers import GLOROT, embeddings
from attention_lab.models.products import product
from attention_lab.models.record import Model, ModelSpec, Output, Pass, as_model


class Tagger(nn.Module):
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
            _, x = scan(cell.step(), cell.blank(x.shape[0]), cell.read(x), mask)
        x = product(run.drop(x, len(self.cells)), self.output_kernel, self.spec.precision)
        return Output(x + self.output_bias[None, None, :], self.readout, {})


def build(spec: ModelSpec) -> Model:
    """The tagger of this specification as plain functions; it has no attention, `start` or `step`."""
    return as_model(spec, Tagger(spec))
