"""Networks with a prediction at every token of the source, for recall, echo and a marked word."""

import flax.linen as nn
import jax
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


def vectors(module: nn.Module, tokens: jax.Array) -> jax.Array:
    """Tokens (B, T) as vectors (B, T, D); with `model.shift` x_t = e_t + e_(t-1) W, where e_0 is 0."""
    model = module.spec.model
    x = module.embedding[tokens] * model.width ** 0.5
    if not model.shift:
        return x
    before = jnp.pad(x, ((0, 0), (1, 0), (0, 0)))[:, :-1]
    return x + product(before, module.shift_kernel, module.spec.precision)


def shift_kernel(module: nn.Module) -> jax.Array | None:
    """The matrix W of `vectors`; None without `model.shift`."""
    model = module.spec.model
    return module.param("shift_kernel", GLOROT, (model.width, model.width)) if model.shift else None


class Answers(nn.Module):
    """Of the state of every k-th token k linear maps, at it and the k - 1 after it; x (B, T, D) for k = 1."""

    spec: ModelSpec

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        k, (B, T, D) = self.spec.answers, x.shape
        if k == 1:
            return x
        kernel = self.param("kernel", GLOROT, (D, k * D))
        return product(x[:, ::k], kernel, self.spec.precision).reshape(B, -1, D)[:, :T]


class Encoder(nn.Module):
    """Embeddings, encoder layers, a final norm; with `model.causal` a token sees itself and the past."""

    spec: ModelSpec

    def setup(self):
        model = self.spec.model
        self.embedding, self.readout = embeddings(self, "embedding", "readout")
        self.shift_kernel = shift_kernel(self)
        self.position_table = position_table(self)
        self.layers = [EncoderLayer(self.spec, name=f"encoder_{i}") for i in range(model.num_layers)]
        self.norm, self.answers = last_norm(self.spec), Answers(self.spec)

    def __call__(self, batch, run: Pass, intervention=None):
        model, source = self.spec.model, batch["source"]
        counterfactuals = by_layer(intervention, encoder=model.num_layers)["encoder"]
        mask, positions = (source != PAD)[:, None, :], jnp.arange(source.shape[1])
        mask = mask & attention.causal(source.shape[1]) if model.causal else mask
        mask = real_rows(mask, source != PAD, run)
        x = vectors(self, source)
        x = add_positions(x, positions, model.positions, self.position_table)
        x, attended = through(self.layers, run.drop(x, 0), positions, mask, run, counterfactuals)
        return Output(self.answers(self.norm(x)), self.readout, *outputs_by_kind(encoder=attended))


class RecurrentTagger(nn.Module):
    """Embeddings, cells from left to right, and a linear map back to the width of the embeddings."""

    spec: ModelSpec

    def setup(self):
        model = self.spec.model
        self.embedding, self.readout = embeddings(self, "embedding", "readout")
        self.shift_kernel = shift_kernel(self)
        self.cells = [Cell(self.spec, model.hidden, model.hidden if i else model.width,
                           name=f"cell_{i}") for i in range(model.num_layers)]
        self.output_kernel = self.param("output_kernel", GLOROT, (model.hidden, model.width))
        self.output_bias = self.param("output_bias", nn.initializers.zeros, (model.width,))
        self.answers = Answers(self.spec)

    def __call__(self, batch, run: Pass, intervention=None):
        by_layer(intervention)  # which refuses any, for there is no attention
        mask = batch["source"] != PAD
        x = vectors(self, batch["source"])
        for i, cell in enumerate(self.cells):
            x = run.drop(x, i)
            _, x = scan(cell.step(), cell.initial_state(x.shape[0]), cell.project_inputs(x), mask)
        x = product(run.drop(x, len(self.cells)), self.output_kernel, self.spec.precision)
        return Output(self.answers(x + self.output_bias[None, None, :]), self.readout, {})


def build_encoder(spec: ModelSpec) -> Model:
    """The encoder of this specification as plain functions; it has no `start` and `step`."""
    return model_with_heads(spec, Encoder(spec))


def build_recurrent(spec: ModelSpec) -> Model:
    """The recurrent network of this specification as plain functions; it has no `start` and `step`."""
    return as_model(spec, RecurrentTagger(spec))
