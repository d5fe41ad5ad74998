"""The encoder-decoder Transformer (Vaswani et al. 2017), pre- or post-norm."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.config import key_size, value_size
from attention_lab.data.vocabulary import BOS, PAD
from attention_lab.models.heads import Heads, model_with_heads, outputs_by_kind, real_rows, stacked
from attention_lab.models.interventions import by_layer
from attention_lab.models.layers import (
    EncoderLayer,
    FeedForward,
    Residual,
    after_feed_forward,
    embeddings,
    last_norm,
    through,
)
from attention_lab.models.positions import add_positions, position_table, positions_of
from attention_lab.models.products import product
from attention_lab.models.spec import Model, ModelSpec, Output, Pass


class DecoderLayer(nn.Module):
    """Self-attention over the past, cross-attention to the source, and a feed-forward net."""

    spec: ModelSpec

    def setup(self):
        self.heads = Heads(self.spec, positions_of(self.spec.model.positions).turn)
        self.cross, self.forward = Heads(self.spec), FeedForward(self.spec)
        self.around_heads, self.around_cross = Residual(self.spec), Residual(self.spec)
        self.around_forward = Residual(self.spec)

    def memory(self, source):
        """Keys and values of the encoded source, made once for each sentence."""
        return self.cross.project(source, ("key", "value"))

    def now(self, x, positions):
        """Query, key and value of these positions, for the self-attention."""
        return self.heads.project(self.around_heads.enter(x), ("query", "key", "value"), positions)

    def __call__(self, x, q, past, memory, past_mask, memory_mask, run: Pass, site,
                 counterfactuals=(None, None), biases=(None, None)):
        y, attended = self.heads.attend(q, *past, past_mask, run, site, counterfactuals[0], biases[0])
        x = self.around_heads.leave(x, run.drop(y, site))
        q, = self.cross.project(self.around_cross.enter(x), ("query",))
        y, across = self.cross.attend(q, *memory, memory_mask, run, site + 1, counterfactuals[1],
                                      biases[1])
        x = self.around_cross.leave(x, run.drop(y, site + 1))
        return after_feed_forward(self, x, run, site + 2), attended, across


class Transformer(nn.Module):
    """Embeddings, a stack of encoder layers, a stack of decoder layers, final norms."""

    spec: ModelSpec

    def setup(self):
        model = self.spec.model
        self.embeddings = embeddings(self, "embedding", "target_embedding", "readout")
        self.position_table = position_table(self, 2)
        layers = range(model.num_layers)
        self.encoder = [EncoderLayer(self.spec, name=f"encoder_{i}") for i in layers]
        self.decoder = [DecoderLayer(self.spec, name=f"decoder_{i}") for i in layers]
        self.encoder_norm, self.decoder_norm = last_norm(self.spec), last_norm(self.spec)

    def vectors(self, tokens, positions, side):
        """Tokens (B, T) at positions (T,) or (B, T) as vectors (B, T, D); side 0 source, 1 target."""
        model = self.spec.model
        return add_positions(self.embeddings[side][tokens] * model.width ** 0.5, positions, model.positions,
                             None if self.position_table is None else self.position_table[side])

    def encode(self, source, run: Pass, counterfactuals=None):
        """Source (B, S) -> states (B, S, D), mask of tokens (B, 1, S), Attended of its layers."""
        mask, positions = (source != PAD)[:, None, :], jnp.arange(source.shape[1])
        x = run.drop(self.vectors(source, positions, 0), 0)
        rows = real_rows(mask, source != PAD, run)
        x, attended = through(self.encoder, x, positions, rows, run, counterfactuals)
        return self.encoder_norm(x), mask, attended

    def __call__(self, batch, run: Pass, intervention=None):
        layers = self.spec.model.num_layers
        changed = by_layer(intervention, encoder=layers, decoder=layers, cross=layers)
        memory, memory_mask, encoder = self.encode(batch["source"], run, changed["encoder"])
        target = batch["target"]
        shifted = jnp.pad(target, ((0, 0), (1, 0)), constant_values=BOS)[:, :-1]
        positions, past_mask = jnp.arange(target.shape[1]), attention.causal(target.shape[1])
        past_mask, memory_mask = (real_rows(mask, target != PAD, run) for mask in (past_mask, memory_mask))
        # The two sides of a pair draw different masks of dropout, as different sites do.
        x, by_layers = run.drop(self.vectors(shifted, positions, 1), 1000), []
        for i, layer in enumerate(self.decoder):
            q, *past = layer.now(x, positions)
            x, *attended = layer(x, q, past, layer.memory(memory), past_mask, memory_mask, run, 1001 + 3 * i,
                                 (changed["decoder"][i], changed["cross"][i]))
            by_layers.append(attended)
        decoder, cross = map(stacked, zip(*by_layers))
        return Output(self.decoder_norm(x), self.embeddings[-1],
                      *outputs_by_kind(encoder=encoder, decoder=decoder, cross=cross))

    def start(self, source, run: Pass, max_length, beam=1):
        """The carry before the first token of `beam` hypotheses a sentence; every leaf leads with B.

        It holds the source's keys and values, once for a sentence; those of the past in slots, one for each
        hypothesis and position; and in which slot the past of each hypothesis lies.
        """
        memory, memory_mask, _ = self.encode(source, run)
        memory_mask |= ~jnp.any(memory_mask, axis=2, keepdims=True)  # rows without a sentence need a key, too
        model, B = self.spec.model, source.shape[0]
        past = (B, model.num_heads, max_length * beam)
        empty = (jnp.zeros((*past, key_size(model)), memory.dtype),
                 jnp.zeros((*past, value_size(model)), memory.dtype))
        return {"position": jnp.zeros((B,), jnp.int32), "memory_mask": memory_mask,
                "memory": [layer.memory(memory) for layer in self.decoder],
                "past": [empty for _ in self.decoder],
                "slots": jnp.zeros((B, beam, max_length), jnp.int32)}

    def step(self, carry, token, run: Pass):
        """From one token (B * beam,) of each hypothesis to the logits of the next; all at one position."""
        B, beam, T = carry["slots"].shape
        position, hypotheses, written = carry["position"][0], jnp.arange(beam), []
        slots = write(carry["slots"], jnp.broadcast_to(hypotheses[None, :, None], (B, beam, 1)), position, 2)
        # Hypotheses are queries of their sentence; each may attend to the slots of its own past.
        there = jnp.where(jnp.arange(T)[None, None, :] <= position, slots, beam)
        mask = (there[..., None] == hypotheses[None, None, None, :]).reshape(B, beam, T * beam)
        # Not as masks, in which a key may hold anything: that would copy all keys and values at each step.
        biases = [jnp.where(m, 0.0, -jnp.inf) for m in (mask, carry["memory_mask"])]
        x = self.vectors(token.reshape(B, beam), carry["position"][:, None], 1)
        for layer, past, memory in zip(self.decoder, carry["past"], carry["memory"]):
            q, *new = layer.now(x, carry["position"][:, None])
            past = tuple(write(cache, n, position * beam, 2) for cache, n in zip(past, new))
            written.append(past)
            x, _, _ = layer(x, q, past, memory, None, None, run, 0, biases=biases)
        hidden = self.decoder_norm(x).reshape(B * beam, -1)
        logits = product(hidden, self.embeddings[-1].T, self.spec.precision)
        return logits, {**carry, "position": carry["position"] + 1, "past": written, "slots": slots}

    @staticmethod
    def follow(carry, parent):
        """Gives each hypothesis the past of its parent (B, beam): keys and values stay where they are."""
        slots = jnp.take_along_axis(carry["slots"], parent[:, :, None], axis=1)
        return {**carry, "slots": slots}


def write(cache: jax.Array, new: jax.Array, position: jax.Array, axis: int) -> jax.Array:
    """Puts new, of length 1 on an axis, at a position of that axis of a cache."""
    return jax.lax.dynamic_update_slice_in_dim(cache, new.astype(cache.dtype), position, axis)


def build(spec: ModelSpec) -> Model:
    """The Transformer of this specification as plain functions."""
    return model_with_heads(spec, Transformer(spec), "cross", "decoder", "cross")
