"""Layers of the Transformer: embeddings, a block with its residual, the feed-forward net, a stack of them."""

from collections.abc import Callable

import flax.linen as nn
import jax

from attention_lab import attention
from attention_lab.config.choices import look_up
from attention_lab.models.heads import Heads, stacked
from attention_lab.models.positions import positions_of
from attention_lab.models.products import Dense
from attention_lab.models.spec import ModelSpec, Pass

ACTIVATIONS = {"relu": jax.nn.relu, "gelu": jax.nn.gelu}
# Where layer norm stands: before each block and after the last, after each sum, or nowhere.
NORMS = {"pre": "before", "post": "after", "none": ""}


def norm_place(spec: ModelSpec) -> str:
    """The entry of NORMS."""
    return look_up(NORMS, "model.norm", spec.model.norm)


def last_norm(spec: ModelSpec) -> Callable:
    """The module after the last layer: a layer norm if layers are pre-norm, else the identity."""
    return nn.LayerNorm() if norm_place(spec) == "before" else lambda x: x


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
    """x + dropout(f(x)), with a layer norm before f (pre), after the sum (post) or without one (none).

    Without `model.residual` dropout(f(x)) takes the place of the sum.
    """

    spec: ModelSpec

    def setup(self):
        self.norm = nn.LayerNorm()

    def enter(self, x):
        """The input of f."""
        return self.norm(x) if norm_place(self.spec) == "before" else x

    def leave(self, x, y):
        """The sum of x and f's output y, after dropout."""
        y = x + y if self.spec.model.residual else y
        return self.norm(y) if norm_place(self.spec) == "after" else y


class FeedForward(nn.Module):
    """Two linear maps around a non-linearity, the same at every position."""

    spec: ModelSpec

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        model = self.spec.model
        activation = look_up(ACTIVATIONS, "model.activation", model.activation)
        hidden = activation(Dense(self.spec, model.hidden, name="inner")(x))
        return Dense(self.spec, model.width, name="outer")(hidden)


def after_feed_forward(layer: nn.Module, x: jax.Array, run: Pass, site: int) -> jax.Array:
    """x (B, T, D) after the feed-forward block of a layer; x itself where `model.hidden` is 0."""
    if not layer.spec.model.hidden:
        return x
    y = layer.forward(layer.around_forward.enter(x))
    return layer.around_forward.leave(x, run.drop(y, site))


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward net, each in a residual block."""

    spec: ModelSpec

    def setup(self):
        self.heads = Heads(self.spec, positions_of(self.spec.model.positions).turn)
        self.forward = FeedForward(self.spec)
        self.around_heads, self.around_forward = Residual(self.spec), Residual(self.spec)

    def now(self, x, positions):
        """Query, key and value of these positions."""
        return self.heads.project(self.around_heads.enter(x), ("query", "key", "value"), positions)

    def after(self, x, y, run: Pass, site):
        """x (B, T, D) after its heads, whose output is y (B, T, D), and the feed-forward net."""
        x = self.around_heads.leave(x, run.drop(y, site))
        return after_feed_forward(self, x, run, site + 1)

    def __call__(self, x, positions, mask, run: Pass, site, counterfactual=None):
        y, attended = self.heads.attend(*self.now(x, positions), mask, run, site, counterfactual)
        return self.after(x, y, run, site), attended


def within_window(spec: ModelSpec, mask, T):
    """A mask of T positions that see one another, cut to `attention.window`."""
    w = spec.attention.window
    return mask if w is None else mask & attention.window(T, w)


def through(layers, x, positions, mask, run: Pass, counterfactuals=None):
    """x (B, S, D) through encoder layers: (B, S, D), and Attended with leading axes L.

    Args:
      layers: of one spec, whose `attention.window` bounds what a position sees.
      positions: (S,). mask: Mask, or bool (B, S, S), any axis may be 1.
      counterfactuals: a Counterfactual or None for each layer; None replaces no weights.
    """
    attended, mask = [], within_window(layers[0].spec, mask, x.shape[1])
    for i, layer in enumerate(layers):
        x, here = layer(x, positions, mask, run, 1 + 2 * i, counterfactuals and counterfactuals[i])
        attended.append(here)
    return x, stacked(attended)
