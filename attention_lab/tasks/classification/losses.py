"""The losses of classifiers, chosen by attention.weights."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from attention_lab.config import Config, Hyper, readouts_of
from attention_lab.config.choices import look_up
from attention_lab.config.registries import SOURCES
from attention_lab.data.vocabulary import SPECIALS
from attention_lab.models import Model
from attention_lab.models.dropout import drop_words
from attention_lab.training.readouts import terms
from attention_lab.training.task import Batch, Sums


@dataclasses.dataclass(frozen=True)
class Supervised:
    """Smoothed cross-entropy of the right class among those of its word, weighted by batch["weight"].

    Fields:
      word_dropout: share of the words replaced by the unknown word where there is a key.
      of_words: whether the classes are those of a target word, which is never replaced.
    """

    model: Model
    word_dropout: float = 0.0
    of_words: bool = True
    readouts: tuple[str, ...] = ()

    def __call__(self, params: Any, batch: Batch, hyper: Hyper, key: jax.Array | None
                 ) -> tuple[Sums, dict[str, Sums]]:
        if self.word_dropout:
            batch = batch | {"source": self._read(batch, key)}
        decision = self.model.apply(params, batch, hyper, key, readouts=self.readouts)
        log_p = jnp.where(decision.allowed, jax.nn.log_softmax(
            decision.logits, axis=-1, where=decision.allowed), 0.0)
        plain = -jnp.take_along_axis(log_p, jnp.maximum(batch["target"], 0)[:, None], axis=-1)[:, 0]
        even = -log_p.sum(axis=-1) / decision.allowed.sum(axis=-1)
        smoothed = (1.0 - hyper.label_smoothing) * plain + hyper.label_smoothing * even
        weight = batch["weight"]
        real = (weight > 0).astype(jnp.float32)
        penalty, logged = terms(decision.readouts, batch, weight, hyper)
        return Sums((smoothed * weight).sum() + penalty, weight.sum()), {
            "cross_entropy": Sums((plain * real).sum(), real.sum()), **logged}

    def _read(self, batch: Batch, key: jax.Array | None) -> jax.Array:
        """The tokens that are read, int32 (B, S): with a key words are dropped, never the target word."""
        tokens = batch["source"]
        kept = tokens < len(SPECIALS)
        if self.of_words:
            kept |= jnp.arange(tokens.shape[1])[None, :] == batch["position"][:, None]
        return drop_words(key, self.word_dropout, tokens, kept, batch["example"])


@dataclasses.dataclass(frozen=True)
class Adversarial:
    """The loss of an adversary (Wiegreffe & Pinter 2019, section 4), which labels do not enter.

    Total variation between its predictions and the guide's, minus divergence * KL(its weights || guide's).
    """

    model: Model
    divergence: float

    def __call__(self, params: Any, batch: Batch, hyper: Hyper, key: jax.Array | None
                 ) -> tuple[Sums, dict[str, Sums]]:
        decision = self.model.apply(params, batch, hyper, key, with_weights=True)
        p = jax.nn.softmax(decision.logits, axis=-1, where=decision.allowed)
        variation = 0.5 * jnp.abs(p - batch["answer"]).sum(axis=-1)
        weights, guide = decision.weights["pool"][0][:, 0, 0], batch["guide"]
        tiny = jnp.finfo(jnp.float32).tiny
        ratio = jnp.log(jnp.maximum(weights, tiny)) - jnp.log(jnp.maximum(guide, tiny))
        divergence = jnp.where(weights > 0, weights * ratio, 0.0).sum(axis=-1)
        real = (batch["weight"] > 0).astype(jnp.float32)
        loss = variation - self.divergence * divergence
        return Sums((loss * real).sum(), real.sum()), {
            "variation": Sums((variation * real).sum(), real.sum()),
            "divergence": Sums((divergence * real).sum(), real.sum())}


def make_loss(config: Config, model: Model) -> Supervised | Adversarial:
    """The loss of a classifier with this config."""
    supervised = Supervised(model, config.training.word_dropout,
                            SOURCES[config.data.source].classified == "word", readouts_of(config))
    adversarial = Adversarial(model, config.attention.divergence)
    losses = {"learned": supervised, "uniform": supervised, "frozen": supervised, "adversarial": adversarial}
    return look_up(losses, "attention.weights", config.attention.weights)
