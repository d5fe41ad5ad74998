"""Recurrent encoder-decoders: the fixed vector, and attention over what was read.

* attention.compatibility=none: the encoder's last state is all that the decoder sees, at the start and at
  every step (Cho et al. 2014); with `model.reverse_source` the source is read backwards (Sutskever et
  al. 2014).
* additive, or another, before the cell: the last state asks (Bahdanau et al. 2015).
* `model.input_feeding`: the new state asks, and the answer goes into the next step (Luong et al. 2015).

Both ways of reading have `hidden` units together, so that one or two directions give states of one size.

All begin and end alike, which is not each paper's way: the writer begins in the reader's last states, layer
by layer, without a map between; what is read out is one tanh layer of the new state, the context and the
word before (with input feeding without the word); scores of dot and general are scaled by 1/sqrt(H) unless
`attention.scale` says otherwise. Dropout is on the embeddings, between the reader's layers and on what is
read out, not between the writer's layers nor on what is fed.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.config import Structure
from attention_lab.data.vocabulary import BOS, PAD
from attention_lab.models.cells import Cell, scan
from attention_lab.models.dropout import make_dropout
from attention_lab.models.interventions import by_layer
from attention_lab.models.layers import GLOROT, embeddings
from attention_lab.models.products import product
from attention_lab.models.record import Model, Output


class Reader(nn.Module):
    """Layers of cells over the source: states (B, S, H), and the last state of every layer."""

    structure: Structure

    def setup(self):
        model = self.structure.model
        units = model.hidden // (2 if model.bidirectional else 1)
        names = ("forward", "backward")[:1 + model.bidirectional]
        self.cells = [[Cell(self.structure, units, model.hidden if i else model.width, name=f"{name}_{i}")
                       for name in names] for i in range(model.num_layers)]

    def __call__(self, x, mask, drop):
        lasts = []
        for i, cells in enumerate(self.cells):
            x = drop(x, i) if i else x  # the embeddings have been through dropout already
            ends = [scan(cell.step(), cell.blank(x.shape[0]), cell.read(x), mask, reverse=bool(number))
                    for number, cell in enumerate(cells)]
            lasts.append(tuple(jnp.concatenate(parts, axis=-1)
                               for parts in zip(*(state for state, _ in ends))))
            x = jnp.concatenate([out for _, out in ends], axis=-1)
        return x, lasts


class Recurrent(nn.Module):
    """Embeddings, a reader, a writer of as many layers, and between them attention or nothing."""

    structure: Structure
    vocabulary_size: int

    def setup(self):
        model, kind = self.structure.model, self.structure.attention.compatibility
        self.embeddings = embeddings(self, "embedding", "target_embedding", "readout")
        self.reader = Reader(self.structure)
        H, fed = model.hidden, model.width if model.input_feeding else model.hidden
        self.writer = [Cell(self.structure, H, H if i else model.width + fed, name=f"writer_{i}")
                       for i in range(model.num_layers)]
        size = 2 * H + (0 if model.input_feeding else model.width)
        self.output_kernel = self.param("output_kernel", GLOROT, (size, model.width))
        self.output_bias = self.param("output_bias", nn.initializers.zeros, (model.width,))
        square = nn.initializers.lecun_normal()
        if kind == "additive":
            self.w_query = self.param("score_query", square, (H, H))
            self.w_key = self.param("score_key", square, (H, H))
            self.v = self.param("score_vector", nn.initializers.normal(H ** -0.5), (H,))
        elif kind == "general":
            self.w = self.param("score_matrix", square, (H, H))
        elif kind == "cosine":
            self.gain = self.param("gain", nn.initializers.constant(7.9), ())

    def embed(self, tokens, side, drop):
        """Tokens (B, T) as vectors (B, T, D); side 0 source, 1 target."""
        table = self.embeddings[side]
        return drop(table[tokens] * self.structure.model.width ** 0.5, 500 * side + 100)

    def start(self, source, drop=lambda x, site: x):
        """The carry before the first token: every leaf leads with B."""
        model = self.structure.model
        mask = source != PAD
        read = _reversed(source, mask) if model.reverse_source else source
        memory, lasts = self.reader(self.embed(read, 0, drop), mask, drop)
        memory = _reversed(memory, mask) if model.reverse_source else memory
        fed = jnp.zeros((source.shape[0], model.width)) if model.input_feeding else lasts[-1][0]
        return {"states": lasts, "fed": fed, "memory": memory, "keys": self.keys(memory), "mask": mask}

    def keys(self, memory):
        """What is compared with a query, made once for each sentence."""
        if self.structure.attention.compatibility == "additive":
            return product(memory, self.w_key, self.structure.training.precision)
        return memory

    def asker(self, carry, scale):
        """(query (B, H), counterfactual of this step or None) -> context (B, H), weights (B, S)."""
        kind, compatibility = self.structure.attention.compatibility, attention.dot
        if kind == "additive":
            compatibility = attention.additive(self.w_query, None, self.v)
        elif kind == "general":
            compatibility = attention.general(self.w)
        elif kind == "cosine":
            compatibility, scale = attention.cosine, scale * self.gain
        keys, memory, mask = carry["keys"][:, None], carry["memory"][:, None], carry["mask"][:, None, :]

        def ask(query, counterfactual):
            context, weights = attention.multi_head(
                query[:, None, None, :], keys, memory, mask, scale, compatibility=compatibility,
                return_weights=True, counterfactual=counterfactual)
            return context[:, 0, 0], weights[:, 0, 0]

        return ask

    def write(self, carry, x, scale, counterfactual=None):
        """Goes on by the tokens x (B, T, D): the carry, outputs (B, T, D) and weights (B, T, S) or None."""
        model, precision = self.structure.model, self.structure.training.precision
        attends = self.structure.attention.compatibility != "none"
        ask = self.asker(carry, scale) if attends else None
        steps, D = [cell.step() for cell in self.writer], model.width
        # What a step adds nothing to is multiplied for all positions at once, the rest inside the loop.
        first = self.writer[0]
        read = product(x, first.kernel[:D], precision) + first.bias[None, None, :]
        rest, inner = first.kernel[D:], [(cell.kernel, cell.bias) for cell in self.writer[1:]]
        if not attends:
            read = read + product(carry["fed"], rest, precision)[:, None]
        kernel, bias = self.output_kernel, self.output_bias

        def cells(states, now):
            after = []
            for i, (step, state) in enumerate(zip(steps, states)):
                if i:
                    now = product(after[-1][0], inner[i - 1][0], precision) + inner[i - 1][1][None, :]
                after.append(step(state, now))
            return after

        def one(held, given):
            (states, fed), (now, counter) = held, given
            # One step's numbers (B, H, 1, S) and rows (B, H, 1): the scan has taken the axis T away.
            counter = jax.tree.map(lambda leaf: jnp.expand_dims(leaf, 2), counter)
            if model.input_feeding:
                states = cells(states, now + product(fed, rest, precision))
                context, weights = ask(states[-1][0], counter)
                both = jnp.concatenate([states[-1][0], context], axis=-1)
                out = jnp.tanh(product(both, kernel, precision) + bias[None, :])
                return (states, out), (out, weights)
            context, weights = fed, None
            if attends:
                context, weights = ask(states[-1][0], counter)
                now = now + product(context, rest, precision)
            states = cells(states, now)
            return (states, fed), ((states[-1][0], context), weights)

        held = (carry["states"], carry["fed"])
        if counterfactual is not None:
            whole = (*carry["mask"].shape[:1], 1, x.shape[1], carry["mask"].shape[1])
            counterfactual = attention.counterfactual.spread(counterfactual, whole)
        by_step = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 2, 0), counterfactual)
        (states, fed), (out, weights) = jax.lax.scan(one, held, (read.swapaxes(0, 1), by_step))
        out, weights = jax.tree.map(lambda leaf: leaf.swapaxes(0, 1), (out, weights))
        if not model.input_feeding:
            out = jnp.tanh(product(jnp.concatenate([*out, x], axis=-1), kernel, precision)
                           + bias[None, None, :])
        return {**carry, "states": states, "fed": fed}, out, weights

    def __call__(self, batch, scale, key, rate, with_weights=False, intervention=None):
        attends = self.structure.attention.compatibility != "none"
        counterfactual, = by_layer(intervention, **{"cross": 1} if attends else {}).get("cross", [None])
        drop = make_dropout(key, rate, batch["example"])
        carry = self.start(batch["source"], drop)
        shifted = jnp.pad(batch["target"], ((0, 0), (1, 0)), constant_values=BOS)[:, :-1]
        _, out, weights = self.write(carry, self.embed(shifted, 1, drop), scale, counterfactual)
        seen = {} if weights is None or not with_weights else {"cross": weights[None, :, None]}
        return Output(drop(out, 999), self.embeddings[-1], seen)

    def step(self, carry, token, scale):
        """One token in, the logits of the next one out."""
        carry, out, _ = self.write(carry, self.embed(token[:, None], 1, lambda x, site: x), scale)
        return product(out[:, 0], self.embeddings[-1].T, self.structure.training.precision), carry


def _reversed(x, mask):
    """Each row with its real positions back to front; padding stays at the end."""
    S = mask.shape[1]
    places = jnp.arange(S)[None, :]
    places = jnp.where(mask, mask.sum(axis=1, keepdims=True) - 1 - places, places)
    return jnp.take_along_axis(x, places if x.ndim == 2 else places[:, :, None], axis=1)


def build(structure: Structure, vocabulary_size: int) -> Model:
    """The recurrent network of this structure as plain functions; it has no `projections`."""
    module = Recurrent(structure, vocabulary_size)

    def init(key):
        tokens = jnp.full((1, 2), BOS, jnp.int32)
        batch = {"source": tokens, "target": tokens, "example": jnp.zeros((1,), jnp.int32)}
        return module.init(key, batch, 1.0, None, 0.0)["params"]

    def apply(params, batch, hyper, key=None, with_weights=False, intervention=None):
        return module.apply({"params": params}, batch, hyper.attention_scale, key, hyper.dropout,
                            with_weights, intervention)

    def start(params, source, hyper, max_length):
        return module.apply({"params": params}, source, method=module.start)

    def step(params, carry, token, hyper):
        return module.apply({"params": params}, carry, token, hyper.attention_scale, method=module.step)

    def values(params, batch, hyper):
        memory = start(params, batch["source"], hyper, 1)["memory"]
        return jnp.linalg.norm(memory, axis=-1)[None, :, None]

    return Model(init, apply, None, values, start, step)
