"""Causal encoders and recurrent networks that go on from what they have read, one token at a time.

`start` reads the beginning of a text in one pass, `step` one token more. A causal encoder keeps `caches`, a
recurrent network its states.
"""

import jax
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.data.vocabulary import PAD
from attention_lab.models.caches import cache_of
from attention_lab.models.heads import model_with_heads
from attention_lab.models.layers import within_window
from attention_lab.models.products import product
from attention_lab.models.spec import Model, ModelSpec, Pass, as_model
from attention_lab.models.tagger import Encoder, RecurrentTagger, vectors


class IncrementalEncoder(Encoder):
    """A causal encoder with `start` and `step`."""

    def start(self, source, run: Pass, max_length, beam=1):
        """The carry after a source (B, S), with room for max_length tokens more."""
        S, real, positions = source.shape[1], source != PAD, jnp.arange(source.shape[1])
        mask = within_window(self.spec, real[:, None, :] & attention.causal(S), S)
        x, kept = self.enter(source, positions), []
        for layer in self.layers:
            q, k, v = layer.now(x, positions)
            kept.append(cache_of(self.spec).begin(k, v, real, max_length))
            y, _ = layer.heads.attend(q, k, v, mask, run, 0)
            x = layer.after(x, y, run, 0)
        return {"position": real.sum(axis=1, dtype=jnp.int32), "last": _last(source), "kept": kept}

    def step(self, carry, token, run: Pass):
        """From one token (B,) to the logits of the next; rows may be at different positions."""
        position, kept = carry["position"], []
        x = self.enter(token[:, None], position[:, None], carry["last"])
        for layer, past in zip(self.layers, carry["kept"]):
            y, past = cache_of(self.spec).step(
                layer.heads, past, *layer.now(x, position[:, None]), position, run)
            x = layer.after(x, y, run, 0)
            kept.append(past)
        logits = product(self.norm(x)[:, 0], self.readout.T, self.spec.precision)
        return logits, {"position": position + 1, "last": token, "kept": kept}


class IncrementalRecurrent(RecurrentTagger):
    """A recurrent network with `start` and `step`."""

    def start(self, source, run: Pass, max_length, beam=1):
        """The carry after a source (B, S); it has room for any number of tokens."""
        states, _ = self.read(self.begin(source.shape[0]), vectors(self, source), source != PAD, run)
        return {"states": states, "last": _last(source)}

    def step(self, carry, token, run: Pass):
        """From one token (B,) to the logits of the next."""
        x = vectors(self, token[:, None], carry["last"])
        states, x = self.read(carry["states"], x, jnp.ones_like(token, bool)[:, None], run)
        logits = product(x[:, 0], self.readout.T, self.spec.precision)
        return logits, {"states": states, "last": token}


def _last(source: jax.Array) -> jax.Array:
    """The last token of each row, (B,); PAD of an empty one."""
    place = jnp.maximum((source != PAD).sum(axis=1, keepdims=True) - 1, 0)
    return jnp.take_along_axis(source, place, axis=1)[:, 0]


def build_encoder(spec: ModelSpec) -> Model:
    """The encoder of this specification; with `start` and `step` if causal, and an answer at each token."""
    goes_on = spec.model.causal and spec.answers == 1
    return model_with_heads(spec, (IncrementalEncoder if goes_on else Encoder)(spec))


def build_recurrent(spec: ModelSpec) -> Model:
    """The recurrent network of this specification; with `start` and `step` if each token has an answer."""
    return as_model(spec, (IncrementalRecurrent if spec.answers == 1 else RecurrentTagger)(spec))
