"""Layers of the Transformer: parameters around attention, a block with its residual, the feed-forward net."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.config import key_size, value_size
from attention_lab.config.choices import look_up
from attention_lab.models.positions import positions_of
from attention_lab.models.products import product
from attention_lab.models.record import ModelSpec, Pass, without_dropout
from attention_lab.models.scores import score_of, score_parameters

GLOROT = nn.initializers.xavier_uniform()
ACTIVATIONS = {"relu": jax.nn.relu, "gelu": jax.nn.gelu}
NORMS = {"pre": True, "post": False}  # whether layer norm stands before each block, and after the last


def norm_first(spec: ModelSpec) -> bool:
    """Whether layer norm stands before each block and after the last, rather than after each sum."""
    return look_up(NORMS, "model.norm", spec.model.norm)


def embeddings(module: nn.Module, *names: str) -> list[jax.Array]:
    """Tables (N, D), one for each name; where embeddings are tied, the first of them for all names."""
    model = module.spec.model
    start = nn.initializers.normal(model.width ** -0.5)
    tables = [module.param(name, start, (module.spec.vocabulary, model.width))
              for name in (names[:1] if model.tie_embeddings else names)]
    return tables * len(names) if model.tie_embeddings else tables


class Dense(nn.Module):
    """A linear map with a bias, its product in the model's precision."""

    spec: ModelSpec
    units: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.param("kernel", GLOROT, (x.shape[-1], self.units))
        bias = self.param("bias", nn.initializers.zeros, (self.units,))
        return product(x, kernel, self.spec.precision) + jnp.expand_dims(bias, range(x.ndim - 1))


class Heads(nn.Module):
    """Projections to queries, keys and values of H heads, attention, and the projection back to D."""

    spec: ModelSpec
    turn: Callable | None = None  # rotates queries and keys by their positions

    def setup(self):
        model, choice = self.spec.model, self.spec.attention
        sizes = {"query": key_size(model), "key": key_size(model), "value": value_size(model)}
        starts = {name: GLOROT for name in sizes}
        if choice.small_query:
            starts["query"] = lambda *a: GLOROT(*a) / key_size(model) ** 0.5
        self.maps = {
            name: (self.param(f"{name}_kernel", starts[name], (model.width, model.num_heads * size)),
                   self.param(f"{name}_bias", nn.initializers.zeros, (model.num_heads * size,)))
            for name, size in sizes.items()}
        self.output = Dense(self.spec, model.width)
        self.score = score_parameters(self, choice.compatibility, key_size(model), (model.num_heads,))

    def project(self, x, names, positions=None):
        """(B, T, D) -> for each of `names` among query, key, value: (B, H, T, K) or (B, H, T, V)."""
        # One wide product instead of three: on a CPU the narrow ones are slower for the same work.
        kernels, biases = zip(*(self.maps[name] for name in names))
        y = product(x, jnp.concatenate(kernels, axis=1), self.spec.precision)
        y = y + jnp.concatenate(biases)[None, None, :]
        edges = [sum(k.shape[1] for k in kernels[:i]) for i in range(1, len(kernels))]
        heads = self.spec.model.num_heads
        parts = [part.reshape(*part.shape[:2], heads, -1).swapaxes(1, 2)
                 for part in jnp.split(y, edges, axis=-1)]
        return [self.turn(part, positions) if self.turn and name != "value" else part
                for name, part in zip(names, parts)]

    def attend(self, q, k, v, mask, run: Pass, counterfactual=None):
        """(B, H, T, K), (B, H, S, K), (B, H, S, V) -> (B, T, D), and weights (B, H, T, S) or None."""
        choice = self.spec.attention
        implementation = look_up(attention.IMPLEMENTATIONS, "attention.implementation", choice.implementation)
        formed = run.with_weights or counterfactual is not None
        result = attention.multi_head(
            q, k, v, mask, run.scale, score_of(choice.compatibility), self.score,
            choice.implementation if implementation.weights or not formed else "reference",
            return_weights=run.with_weights, counterfactual=counterfactual)
        context, weights = result if run.with_weights else (result, None)
        return self.output(context.swapaxes(1, 2).reshape(*q.shape[:1], q.shape[2], -1)), weights


def projections(module: nn.Module, params: dict, batch: dict, hyper: Any) -> dict[str, list[tuple]]:
    """What `Heads.project` returned in a call of a module, by kind of attention and layer: (q, k, v)."""
    _, captured = module.apply({"params": params}, batch, without_dropout(hyper.attention_scale),
                               mutable=["intermediates"], capture_intermediates=lambda one, name:
                               isinstance(one, Heads) and name == "project")
    by_kind: dict[str, list[tuple]] = {}
    layers = sorted(captured["intermediates"].items(), key=lambda item: int(item[0].split("_")[1]))
    for layer, blocks in layers:
        for block, calls in blocks.items():
            kind = "cross" if block == "cross" else layer.split("_")[0]
            parts = [part for call in calls["project"] for part in call]
            # Cross-attention projects keys and values first, its query afterwards.
            by_kind.setdefault(kind, []).append(
                tuple(parts[-1:] + parts[:-1] if kind == "cross" else parts))
    return by_kind


def value_norms(inside: Callable, kind: str, name: str, block: str, params: dict, batch: dict, hyper: Any
                ) -> jax.Array:
    """The norm of what each position adds at a weight of 1 (Kobayashi et al. 2020), (L, B, H, S).

    Args:
      inside: `projections` of a module. kind: of attention. name, block: "{name}_{layer}" and block lead to
        the parameters of its `Heads`.
    """
    def norms(layer, v):
        out = params[f"{name}_{layer}"][block]["output"]["kernel"]
        out = out.reshape(v.shape[1], v.shape[3], -1)  # rows of each head
        return jnp.linalg.norm(jnp.einsum("bhsv,hvd->bhsd", v, out), axis=-1)

    return jnp.stack([norms(i, v) for i, (_, _, v) in enumerate(inside(params, batch, hyper)[kind])])


class Residual(nn.Module):
    """x + dropout(f(x)), with a layer norm before f (pre) or after the sum (post)."""

    spec: ModelSpec

    def setup(self):
        self.norm = nn.LayerNorm()

    def enter(self, x):
        """What f sees."""
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
        y, weights = self.heads.attend(q, k, v, mask, run, counterfactual)
        x = self.around_heads.leave(x, run.drop(y, site))
        y = self.forward(self.around_forward.enter(x))
        return self.around_forward.leave(x, run.drop(y, site + 1)), weights


def through(layers, x, positions, mask, run: Pass, counterfactuals=None):
    """x (B, S, D) through encoder layers: (B, S, D), and the weights of each, None unless they are wanted.

    Args:
      positions: (S,). mask: Mask, or bool (B, S, S), any axis may be 1.
      counterfactuals: of each layer a Counterfactual or None; None leaves all their own weights.
    """
    weights = []
    for i, layer in enumerate(layers):
        x, w = layer(x, positions, mask, run, 1 + 2 * i, counterfactuals and counterfactuals[i])
        weights.append(w)
    return x, weights
