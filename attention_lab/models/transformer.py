"""The encoder-decoder Transformer (Vaswani et al. 2017), pre- or post-norm."""

import flax.linen as nn
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.config import LEARNED_POSITIONS, Structure, key_size, value_size
from attention_lab.data.vocabulary import BOS, PAD
from attention_lab.models.dropout import make_dropout
from attention_lab.models.interventions import by_layer
from attention_lab.models.layers import (
    FeedForward,
    Heads,
    Residual,
    embeddings,
    one_hot_write,
    projections,
    value_norms,
)
from attention_lab.models.positions import place
from attention_lab.models.products import product
from attention_lab.models.record import Model, Output


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward net, each in a residual block."""

    structure: Structure

    def setup(self):
        rotary = self.structure.model.positions == "rotary"
        self.heads, self.forward = Heads(self.structure, rotary), FeedForward(self.structure)
        self.around_heads, self.around_forward = Residual(self.structure), Residual(self.structure)

    def __call__(self, x, positions, mask, scale, drop, site, with_weights, counterfactual=None):
        q, k, v = self.heads.project(self.around_heads.enter(x), ("query", "key", "value"), positions)
        y, weights = self.heads.attend(q, k, v, mask, scale, with_weights, counterfactual)
        x = self.around_heads.leave(x, drop(y, site))
        y = self.forward(self.around_forward.enter(x))
        return self.around_forward.leave(x, drop(y, site + 1)), weights


def through(layers, x, positions, mask, scale, drop, with_weights=False, counterfactuals=None):
    """x (B, S, D) through encoder layers: (B, S, D), and the weights of each, None unless asked for.

    Args:
      positions: (S,). mask: bool, (B, S, S), any axis may be 1.
      counterfactuals: of each layer a Counterfactual or None; None leaves all their own weights.
    """
    weights = []
    for i, layer in enumerate(layers):
        x, w = layer(x, positions, mask, scale, drop, 1 + 2 * i, with_weights,
                     counterfactuals and counterfactuals[i])
        weights.append(w)
    return x, weights


class DecoderLayer(nn.Module):
    """Self-attention over the past, cross-attention to the source, and a feed-forward net."""

    structure: Structure

    def setup(self):
        rotary = self.structure.model.positions == "rotary"
        self.heads, self.cross = Heads(self.structure, rotary), Heads(self.structure)
        self.forward = FeedForward(self.structure)
        self.around_heads, self.around_cross = Residual(self.structure), Residual(self.structure)
        self.around_forward = Residual(self.structure)

    def memory(self, source):
        """Keys and values of the encoded source, made once for each sentence."""
        return self.cross.project(source, ("key", "value"))

    def now(self, x, positions):
        """Query, key and value of these positions, for the self-attention."""
        return self.heads.project(self.around_heads.enter(x), ("query", "key", "value"), positions)

    def __call__(self, x, q, past, memory, past_mask, memory_mask, scale, drop, site, with_weights,
                 counterfactuals=(None, None)):
        y, own = self.heads.attend(q, *past, past_mask, scale, with_weights, counterfactuals[0])
        x = self.around_heads.leave(x, drop(y, site))
        q, = self.cross.project(self.around_cross.enter(x), ("query",))
        y, cross = self.cross.attend(q, *memory, memory_mask, scale, with_weights, counterfactuals[1])
        x = self.around_cross.leave(x, drop(y, site + 1))
        y = self.forward(self.around_forward.enter(x))
        return self.around_forward.leave(x, drop(y, site + 2)), own, cross


class Transformer(nn.Module):
    """Embeddings, a stack of encoder layers, a stack of decoder layers, final norms."""

    structure: Structure
    vocabulary_size: int

    def setup(self):
        model = self.structure.model
        self.embeddings = embeddings(self, "embedding", "target_embedding", "readout")
        if model.positions == "learned":
            self.places = self.param("places", nn.initializers.normal(0.02),
                                     (2, LEARNED_POSITIONS, model.width))
        layers = range(model.num_layers)
        self.encoder = [EncoderLayer(self.structure, name=f"encoder_{i}") for i in layers]
        self.decoder = [DecoderLayer(self.structure, name=f"decoder_{i}") for i in layers]
        if model.norm == "pre":
            self.encoder_norm = nn.LayerNorm()
            self.decoder_norm = nn.LayerNorm()

    @property
    def readout(self):
        return self.embeddings[-1]

    def embed(self, tokens, positions, side):
        """Tokens (B, T) at positions (T,) or (B, T) as vectors (B, T, D); side 0 source, 1 target."""
        model = self.structure.model
        x = self.embeddings[side][tokens] * model.width ** 0.5
        return place(x, positions, model.positions,
                     self.places[side] if model.positions == "learned" else None)

    def encode(self, source, scale, drop, with_weights=False, counterfactuals=None):
        """Source (B, S) -> states (B, S, D), mask of real tokens (B, 1, S), weights by layer."""
        mask = (source != PAD)[:, None, :]
        positions = jnp.arange(source.shape[1])
        x = drop(self.embed(source, positions, 0), 0)
        x, weights = through(self.encoder, x, positions, mask, scale, drop, with_weights, counterfactuals)
        return (self.encoder_norm(x) if self.structure.model.norm == "pre" else x), mask, weights

    def __call__(self, batch, scale, key, rate, with_weights=False, intervention=None):
        layers = self.structure.model.num_layers
        counter = by_layer(intervention, encoder=layers, decoder=layers, cross=layers)
        # The two sides of a pair draw their own masks, as do different sites.
        drop = make_dropout(key, rate, batch["example"])
        memory, memory_mask, encoder = self.encode(batch["source"], scale, drop, with_weights,
                                                   counter["encoder"])
        target = batch["target"]
        shifted = jnp.pad(target, ((0, 0), (1, 0)), constant_values=BOS)[:, :-1]
        positions = jnp.arange(target.shape[1])
        past_mask = attention.causal(target.shape[1])
        memory_mask = jnp.broadcast_to(memory_mask, (*target.shape, memory_mask.shape[-1]))
        x, own, cross = drop(self.embed(shifted, positions, 1), 1000), [], []
        for i, layer in enumerate(self.decoder):
            q, *past = layer.now(x, positions)
            x, a, c = layer(x, q, past, layer.memory(memory), past_mask, memory_mask, scale, drop,
                            1001 + 3 * i, with_weights, (counter["decoder"][i], counter["cross"][i]))
            own.append(a)
            cross.append(c)
        x = self.decoder_norm(x) if self.structure.model.norm == "pre" else x
        weights = {"encoder": encoder, "decoder": own, "cross": cross} if with_weights else {}
        return Output(x, self.readout, {name: jnp.stack(w) for name, w in weights.items()})

    def start(self, source, scale, max_length):
        """The carry before the first token: the source's keys and values, an empty past."""
        memory, memory_mask, _ = self.encode(source, scale, make_dropout(None, 0.0, None))
        model, B = self.structure.model, source.shape[0]
        past = (B, model.num_heads, max_length)
        empty = (jnp.zeros((*past, key_size(model)), memory.dtype),
                 jnp.zeros((*past, value_size(model)), memory.dtype))
        return {"position": jnp.zeros((B,), jnp.int32), "memory_mask": memory_mask,
                "memory": [layer.memory(memory) for layer in self.decoder],
                "past": [empty for _ in self.decoder]}

    def step(self, carry, token, scale):
        """One token in, the logits of the next one out."""
        position = carry["position"]
        x = self.embed(token[:, None], position[:, None], 1)
        written, drop = [], make_dropout(None, 0.0, None)
        for layer, past, memory in zip(self.decoder, carry["past"], carry["memory"]):
            q, *new = layer.now(x, position[:, None])
            past = tuple(one_hot_write(c, n, position) for c, n in zip(past, new))
            written.append(past)
            seen = jnp.arange(past[0].shape[2])[None, None, :] <= position[:, None, None]
            x, _, _ = layer(x, q, past, memory, seen, carry["memory_mask"], scale, drop, 0, False)
        x = self.decoder_norm(x) if self.structure.model.norm == "pre" else x
        logits = product(x[:, 0], self.readout.T, self.structure.training.precision)
        return logits, {**carry, "position": position + 1, "past": written}


def build(structure: Structure, vocabulary_size: int) -> Model:
    """The Transformer of this structure as plain functions."""
    module = Transformer(structure, vocabulary_size)

    def init(key):
        tokens = jnp.zeros((1, 2), jnp.int32)
        batch = {"source": tokens, "target": tokens, "example": jnp.zeros((1,), jnp.int32)}
        return module.init(key, batch, 1.0, None, 0.0)["params"]

    def apply(params, batch, hyper, key=None, with_weights=False, intervention=None):
        return module.apply({"params": params}, batch, hyper.attention_scale, key, hyper.dropout,
                            with_weights, intervention)

    def inside(params, batch, hyper):
        return projections(module, {"params": params}, batch, hyper.attention_scale, None, 0.0)

    def start(params, source, hyper, max_length):
        return module.apply({"params": params}, source, hyper.attention_scale, max_length,
                            method=module.start)

    def step(params, carry, token, hyper):
        return module.apply({"params": params}, carry, token, hyper.attention_scale,
                            method=module.step)

    def values(params, batch, hyper):
        layers = inside(params, batch, hyper)["cross"]
        return jnp.stack([value_norms(params[f"decoder_{i}"]["cross"], v)
                          for i, (_, _, v) in enumerate(layers)])

    return Model(init, apply, inside, values, start, step)
