"""Networks with a prediction at every token of the source, for recall, echo and a marked word."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.data.vocabulary import PAD
from attention_lab.models.cells import Cell, scan
from attention_lab.models.heads import outputs_by_kind, real_rows
from attention_lab.models.interventions import by_layer
from attention_lab.models.layers import EncoderLayer, embeddings, last_norm, through
from attention_lab.models.positions import add_positions, position_table
from attention_lab.models.products import GLOROT, product
from attention_lab.models.spec import ModelSpec, Output, Pass


def vectors(module: nn.Module, tokens: jax.Array, last: jax.Array | None = None) -> jax.Array:
    """Tokens (B, T) as vectors (B, T, D); with `model.shift` x_t = e_t + e_(t-1) W.

    last: (B,), the token before the first, whose e_0 is 0 where it is PAD; None: there is none in any row.
    """
    model = module.spec.model
    x = module.embedding[tokens] * model.width ** 0.5
    if not model.shift:
        return x
    before = jnp.pad(x, ((0, 0), (1, 0), (0, 0)))[:, :-1]
    if last is not None:
        first = module.embedding[last] * model.width ** 0.5
        before = before.at[:, 0].set(jnp.where((last != PAD)[:, None], first, 0.0))
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

    def enter(self, tokens, positions, last=None):
        """Tokens (B, T) at positions (T,) or (B, T) as vectors (B, T, D); last: as of `vectors`."""
        x = vectors(self, tokens, last)
        return add_positions(x, positions, self.spec.model.positions, self.position_table)

    def __call__(self, batch, run: Pass, intervention=None):
        model, source = self.spec.model, batch["source"]
        counterfactuals = by_layer(intervention, encoder=model.num_layers)["encoder"]
        mask, positions = (source != PAD)[:, None, :], jnp.arange(source.shape[1])
        mask = mask & attention.causal(source.shape[1]) if model.causal else mask
        mask = real_rows(mask, source != PAD, run)
        x = run.drop(self.enter(source, positions), 0)
        x, attended = through(self.layers, x, positions, mask, run, counterfactuals)
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

    def begin(self, rows):
        """The states of all cells before the first token."""
        return [cell.initial_state(rows) for cell in self.cells]

    def read(self, states, x, mask, run: Pass):
        """From vectors (B, T, D) to the states of all cells after them, and the output (B, T, D)."""
        after = []
        for i, (cell, state) in enumerate(zip(self.cells, states)):
            state, x = scan(cell.step(), state, cell.project_inputs(run.drop(x, i)), mask)
            after.append(state)
        x = product(run.drop(x, len(self.cells)), self.output_kernel, self.spec.precision)
        return after, x + self.output_bias[None, None, :]

    def __call__(self, batch, run: Pass, intervention=None):
        by_layer(intervention)  # which refuses any, for there is no attention
        source = batch["source"]
        _, x = self.read(self.begin(source.shape[0]), vectors(self, source), source != PAD, run)
        return Output(self.answers(x), self.readout, {})
