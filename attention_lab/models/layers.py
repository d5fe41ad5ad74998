"""Layers of the Transformer: embeddings, a block with its residual, the feed-forward net, a stack of them."""

from collections.abc import Callable

import flax.linen as nn
import jax

from attention_lab.config.choices import look_up
from attention_lab.models.heads import Heads, stacked
from attention_lab.models.positions import positions_of
from attention_lab.models.products import Dense
from attention_lab.models.spec import ModelSpec, Pass

ACTIVATIONS = {"relu": jax.nn.relu, "gelu": jax.nn.gelu}
NORMS = {"pre": True, "post": False}  # whether layer norm stands before each block, and after the last


def norm_first(spec: ModelSpec) -> bool:
    """Whether layer norm stands before each block and after the last, rather than after each sum."""
    return look_up(NORMS, "model.norm", spec.model.norm)


def last_norm(spec: ModelSpec) -> Callable:
    """The module after the last layer: a layer norm if layers are pre-norm, the identity if post-norm."""
    return nn.LayerNorm() if norm_first(spec) else lambda x: x


def embeddings(module: nn.Module, *names: str) -> list[jax.Array]:
    """A table (N, D) for each name; where embeddings are tied, the first of them for all names."""
    model = module.spec.model
    tables = [module.param(name, nn.initializers.normal(_initial_deviation(model, name)),
                           (module.spec.vocabulary, model.width))
              for name in (names[:1] if model.tie_embeddings else names)]
    return tables * len(names) if model.tie_embeddings else tables


def _initial_deviation(model, name):
    return model.width ** -0.5 * (1.0 if name == "readout" else model.embedding_scale)


class Residual(nn.Module):
    """x + dropout(f(x)), with a layer norm before f (pre) or after the sum (post)."""

    spec: ModelSpec

    def setup(self):
        self.norm = nn.LayerNorm()

    def enter(self, x):
        """The input of f."""
        return self.norm(x) if norm_first(self.spec) else x

    def leave(self, x, y):
        """The sum of x and f's output y, after dropout."""
        return x + y if norm_first(self.spec) else self.norm(x + y)


class FeedForward(nn.Module):
    """Two linear maps around a non-linearity, the same at every position."""

    spec: ModelSpec

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        model = self.spec.model
        activation = look_up(ACTIVATIONS, "model.activation", model.activation)
        hidden = activation(Dense(self.spec, model.hidden, name="inner")(x))
        return Dense(self.spec, model.width, name="outer")(hidden)


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward net, each in a residual block."""

    spec: ModelSpec

    def setup(self):
        self.heads = Heads(self.spec, positions_of(self.spec.model.positions).turn)
        self.forward = FeedForward(self.spec)
        self.around_heads, self.around_forward = Residual(self.spec), Residual(self.spec)

    def __call__(self, x, positions, mask, run: Pass, site, counterfactual=None):
        q, k, v = self.heads.project(self.around_heads.enter(x), ("query", "key", "value"), positions)
        y, attended = self.heads.attend(q, k, v, mask, run, site, counterfactual)
        x = self.around_heads.leave(x, run.drop(y, site))
        y = self.forward(self.around_forward.enter(x))
        return self.around_forward.leave(x, run.drop(y, site + 1)), attended


def through(layers, x, positions, mask, run: Pass, counterfactuals=None):
    """x (B, S, D) through encoder layers: (B, S, D), and Attended with leading axes L.

    Args:
      positions: (S,). mask: Mask, or bool (B, S, S), any axis may be 1.
      counterfactuals: a Counterfactual or None for each layer; None replaces no weights.
    """
    attended = []
    for i, layer in enumerate(layers):
        x, here = layer(x, positions, mask, run, 1 + 2 * i, counterfactuals and counterfactuals[i])
        attended.append(here)
    return x, stacked(attended)
