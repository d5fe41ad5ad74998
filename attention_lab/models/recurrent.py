"""Recurrent encoder-decoders, with a fixed vector or with attention between encoder and decoder.

* attention.compatibility=none: the encoder's last state is all that the decoder sees, at the start and at
  every step (Cho et al. 2014); with `model.reverse_source` the source is read backwards (Sutskever et
  al. 2014).
* additive or another score: attention before the cell, whose query is the last state (Bahdanau et al. 2015).
* `model.input_feeding`: attention after the cell, whose query is the new state; the output is an input of
  the next step (Luong et al. 2015).

With `model.bidirectional` each direction has half of the `hidden` units. In three respects, in which the
papers differ, all variants are alike: the decoder's initial states are the encoder's last states, layer by
layer; the output is one tanh layer of the new state, the context and (without input feeding) the previous
word; the default scale of dot and general is 1/sqrt(H). Dropout applies to the embeddings, between the
encoder's layers and to the output, not between the decoder's layers nor to the fed output.

Parameters of the encoder and the decoder are stored under the names "reader" and "writer_0", "writer_1" ...
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.data.vocabulary import BOS, PAD
from attention_lab.models.cells import Cell, scan
from attention_lab.models.interventions import by_layer
from attention_lab.models.layers import embeddings
from attention_lab.models.products import GLOROT, product
from attention_lab.models.score_parameters import score_of, score_parameters
from attention_lab.models.spec import Model, ModelSpec, Output, Pass, as_model


class RecurrentEncoder(nn.Module):
    """Layers of cells over the source: states (B, S, H), and the last state of every layer."""

    spec: ModelSpec

    def setup(self):
        model = self.spec.model
        units = model.hidden // (2 if model.bidirectional else 1)
        names = ("forward", "backward")[:1 + model.bidirectional]
        self.cells = [[Cell(self.spec, units, model.hidden if i else model.width, name=f"{name}_{i}")
                       for name in names] for i in range(model.num_layers)]

    def __call__(self, x, mask, drop):
        lasts = []
        for i, cells in enumerate(self.cells):
            x = drop(x, i) if i else x  # the embeddings have been through dropout already
            ends = [scan(cell.step(), cell.initial_state(x.shape[0]), cell.project_inputs(x), mask,
                         reverse=bool(number)) for number, cell in enumerate(cells)]
            lasts.append(tuple(jnp.concatenate(parts, axis=-1)
                               for parts in zip(*(state for state, _ in ends))))
            x = jnp.concatenate([out for _, out in ends], axis=-1)
        return x, lasts


class Recurrent(nn.Module):
    """Embeddings, an encoder, a decoder of as many layers, and attention between them or none."""

    spec: ModelSpec

    def setup(self):
        model, kind = self.spec.model, self.spec.attention.compatibility
        self.embeddings = embeddings(self, "embedding", "target_embedding", "readout")
        self.encoder = RecurrentEncoder(self.spec, name="reader")
        H, fed = model.hidden, model.width if model.input_feeding else model.hidden
        self.decoder = [Cell(self.spec, H, H if i else model.width + fed, name=f"writer_{i}")
                        for i in range(model.num_layers)]
        size = 2 * H + (0 if model.input_feeding else model.width)
        self.output_kernel = self.param("output_kernel", GLOROT, (size, model.width))
        self.output_bias = self.param("output_bias", nn.initializers.zeros, (model.width,))
        self.attends = kind != "none"
        self.score = score_parameters(self, kind, H) if self.attends else {}
        # Name of the parameter that maps the keys, once for each sentence; None if the score has none.
        self.key_map = attention.SCORES[kind].key_map if self.attends else None

    def vectors(self, tokens, side, run: Pass):
        """Tokens (B, T) as vectors (B, T, D); side 0 source, 1 target."""
        table = self.embeddings[side]
        return run.drop(table[tokens] * self.spec.model.width ** 0.5, 500 * side + 100)

    def start(self, source, run: Pass, max_length=None, beam=1):
        """The carry before the first token, the same for all hypotheses: every leaf leads with B."""
        model = self.spec.model
        mask = source != PAD
        read = _reversed(source, mask) if model.reverse_source else source
        memory, lasts = self.encoder(self.vectors(read, 0, run), mask, run.drop)
        memory = _reversed(memory, mask) if model.reverse_source else memory
        fed = jnp.zeros((source.shape[0], model.width)) if model.input_feeding else lasts[-1][0]
        return {"states": lasts, "fed": fed, "memory": memory, "keys": self.keys(memory), "mask": mask}

    def keys(self, memory):
        """Keys of the score, computed once for each sentence."""
        if self.key_map is None:
            return memory
        return product(memory, self.score[self.key_map], self.spec.precision)

    def attention_over(self, carry, run: Pass):
        """(query (B, H), counterfactual of this step or None) -> context (B, H), weights (B, S)."""
        keys, memory, mask = carry["keys"][:, None], carry["memory"][:, None], carry["mask"][:, None, :]
        score, parameters = score_of(self.spec.attention.compatibility), self.score
        parameters = {name: None if name == self.key_map else jnp.expand_dims(x, range(x.ndim > 0))
                      for name, x in parameters.items()}

        def attend(query, counterfactual):
            context, weights = attention.multi_head(
                query[:, None, None, :], keys, memory, mask, run.scale, score, parameters,
                return_weights=True, counterfactual=counterfactual)
            return context[:, 0, 0], weights[:, 0, 0]

        return attend

    def decode(self, carry, x, run: Pass, counterfactual=None):
        """Decodes the tokens x (B, T, D): new carry, outputs (B, T, D), weights (B, T, S) or None."""
        model, precision = self.spec.model, self.spec.precision
        attends = self.attends
        attend = self.attention_over(carry, run) if attends else None
        steps, D = [cell.step() for cell in self.decoder], model.width
        # Products that do not depend on the previous step are computed for all positions at once.
        first = self.decoder[0]
        read = product(x, first.kernel[:D], precision) + first.bias[None, None, :]
        rest, inner = first.kernel[D:], [(cell.kernel, cell.bias) for cell in self.decoder[1:]]
        if not attends:
            read = read + product(carry["fed"], rest, precision)[:, None]
        kernel, bias = self.output_kernel, self.output_bias

        def cells(states, inputs):
            new = []
            for i, (step, state) in enumerate(zip(steps, states)):
                if i:
                    inputs = product(new[-1][0], inner[i - 1][0], precision) + inner[i - 1][1][None, :]
                new.append(step(state, inputs))
            return new

        def body(loop_carry, scanned):
            (states, fed), (inputs, replacement) = loop_carry, scanned
            # One step's numbers (B, H, 1, S) and rows (B, H, 1): the scan has taken the axis T away.
            replacement = jax.tree.map(lambda leaf: jnp.expand_dims(leaf, 2), replacement)
            if model.input_feeding:
                states = cells(states, inputs + product(fed, rest, precision))
                context, weights = attend(states[-1][0], replacement)
                joined = jnp.concatenate([states[-1][0], context], axis=-1)
                out = jnp.tanh(product(joined, kernel, precision) + bias[None, :])
                return (states, out), (out, weights)
            context, weights = fed, None
            if attends:
                context, weights = attend(states[-1][0], replacement)
                inputs = inputs + product(context, rest, precision)
            states = cells(states, inputs)
            return (states, fed), ((states[-1][0], context), weights)

        if counterfactual is not None:
            whole = (*carry["mask"].shape[:1], 1, x.shape[1], carry["mask"].shape[1])
            counterfactual = attention.counterfactual.spread(counterfactual, whole)
        by_step = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 2, 0), counterfactual)
        (states, fed), (out, weights) = jax.lax.scan(
            body, (carry["states"], carry["fed"]), (read.swapaxes(0, 1), by_step))
        out, weights = jax.tree.map(lambda leaf: leaf.swapaxes(0, 1), (out, weights))
        if not model.input_feeding:
            out = jnp.tanh(product(jnp.concatenate([*out, x], axis=-1), kernel, precision)
                           + bias[None, None, :])
        return {**carry, "states": states, "fed": fed}, out, weights

    def __call__(self, batch, run: Pass, intervention=None):
        counterfactual, = by_layer(intervention, **{"cross": 1} if self.attends else {}).get("cross", [None])
        carry = self.start(batch["source"], run)
        shifted = jnp.pad(batch["target"], ((0, 0), (1, 0)), constant_values=BOS)[:, :-1]
        _, out, weights = self.decode(carry, self.vectors(shifted, 1, run), run, counterfactual)
        weights = {} if weights is None or not run.with_weights else {"cross": weights[None, :, None]}
        return Output(run.drop(out, 999), self.embeddings[-1], weights)

    def step(self, carry, token, run: Pass):
        """From one token to the logits of the next."""
        carry, out, _ = self.decode(carry, self.vectors(token[:, None], 1, run), run)
        return product(out[:, 0], self.embeddings[-1].T, self.spec.precision), carry


def _reversed(x, mask):
    """Each row with its tokens in reverse order; padding stays at the end."""
    index = jnp.arange(mask.shape[1])[None, :]
    index = jnp.where(mask, mask.sum(axis=1, keepdims=True) - 1 - index, index)
    return jnp.take_along_axis(x, index if x.ndim == 2 else index[:, :, None], axis=1)


def build(spec: ModelSpec) -> Model:
    """The recurrent network of this specification as plain functions; it has no `projections`."""
    def values(params, batch, hyper):
        memory = model.start(params, batch["source"], hyper, 1)["memory"]
        return jnp.linalg.norm(memory, axis=-1)[None, :, None]

    model = as_model(spec, Recurrent(spec), values=values)
    return model
