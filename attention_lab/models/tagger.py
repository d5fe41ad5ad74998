"""Layers of a recurrent network that answer at every token from what they have read so far."""

import flax.linen as nn
import jax.numpy as jnp

from attention_lab.config import Structure
from attention_lab.data.vocabulary import PAD
from attention_lab.models.cells import Cell, scan
from attention_lab.models.dropout import make_dropout
from attention_lab.models.interventions import by_layer
from attention_lab.models.layers import GLOROT, embeddings
from attention_lab.models.products import product
from attention_lab.models.record import Model, Output


class Tagger(nn.Module):
    """Embeddings, cells from left to right, and a linear map back to the width of the embeddings."""

    structure: Structure
    vocabulary_size: int

    def setup(self):
        model = self.structure.model
        self.embedding, self.readout = embeddings(self, "embedding", "readout")
        self.cells = [Cell(self.structure, model.hidden, model.hidden if i else model.width,
                           name=f"cell_{i}") for i in range(model.num_layers)]
        self.output_kernel = self.param("output_kernel", GLOROT, (model.hidden, model.width))
        self.output_bias = self.param("output_bias", nn.initializers.zeros, (model.width,))

    def __call__(self, batch, key, rate):
        drop, mask = make_dropout(key, rate, batch["example"]), batch["source"] != PAD
        x = self.embedding[batch["source"]] * self.structure.model.width ** 0.5
        for i, cell in enumerate(self.cells):
            x = drop(x, i)
            _, x = scan(cell.step(), cell.blank(x.shape[0]), cell.read(x), mask)
        x = product(drop(x, len(self.cells)), self.output_kernel, self.structure.training.precision)
        return Output(x + self.output_bias[None, None, :], self.readout, {})


def build(structure: Structure, vocabulary_size: int) -> Model:
    """The tagger of this structure as plain functions; it has no attention, `start` or `step`."""
    module = Tagger(structure, vocabulary_size)

    def init(key):
        batch = {"source": jnp.zeros((1, 2), jnp.int32), "example": jnp.zeros((1,), jnp.int32)}
        return module.init(key, batch, None, 0.0)["params"]

    def apply(params, batch, hyper, key=None, with_weights=False, intervention=None):
        by_layer(intervention)  # which refuses any
        return module.apply({"params": params}, batch, key, hyper.dropout)

    return Model(init, apply, None, None, None, None)
