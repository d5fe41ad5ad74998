"""The heads of a Transformer: parameters around attention, and access to projections and values."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from attention_lab import attention
from attention_lab.config import key_size, value_size
from attention_lab.config.choices import look_up
from attention_lab.models.products import GLOROT, Dense, product
from attention_lab.models.score_parameters import score_of, score_parameters
from attention_lab.models.spec import Model, ModelSpec, Pass, as_model, without_dropout


class Attended(NamedTuple):
    """By-products of attention: weights (B, H, T, S), and read-outs {name: (B, H, T)}; None if not wanted."""

    weights: Any = None
    readouts: Any = None


def stacked(layers: list[Attended]) -> Attended:
    """By-products of L layers with a leading axis L."""
    return jax.tree.map(lambda *x: jnp.stack(x), *layers)


def real_rows(mask: Any, real: jax.Array, run: Pass) -> Any:
    """`mask`, where a read-out adds up queries without rows of padding: real (B, T), True = no padding."""
    sums = any(attention.READOUTS[name].of == "key" for name in run.readouts)
    return mask & real[:, :, None] if sums else mask


def outputs_by_kind(**attended: Attended | None) -> tuple[dict, dict]:
    """The weights and the read-outs of kinds of attention, those that there are."""
    there = {kind: x for kind, x in attended.items() if x is not None}
    return tuple({kind: getattr(x, name) for kind, x in there.items() if getattr(x, name) is not None}
                 for name in Attended._fields)


class Heads(nn.Module):
    """Projections to queries, keys and values of H heads, attention, and the projection back to D."""

    spec: ModelSpec
    turn: Callable | None = None  # rotates queries and keys by their positions

    def setup(self):
        model, choice = self.spec.model, self.spec.attention
        sizes = {"query": key_size(model), "key": key_size(model), "value": value_size(model)}
        gain = choice.query_gain / (key_size(model) ** 0.5 if choice.small_query else 1.0)
        initializers = {name: GLOROT for name in sizes} | {"query": lambda *a: gain * GLOROT(*a)}
        self.maps = {
            name: (self.param(f"{name}_kernel", initializers[name], (model.width, model.num_heads * size)),
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
        edges = np.cumsum([kernel.shape[1] for kernel in kernels])[:-1]
        parts = [part.reshape(*part.shape[:2], self.spec.model.num_heads, -1).swapaxes(1, 2)
                 for part in jnp.split(y, edges, axis=-1)]
        return [self.turn(part, positions) if self.turn and name != "value" else part
                for name, part in zip(names, parts)]

    def attend(self, q, k, v, mask, run: Pass, site, counterfactual=None, bias=None):
        """(B, H, T, K), (B, H, S, K), (B, H, S, V) -> (B, T, D), and Attended; bias: as of `multi_head`."""
        choice = self.spec.attention
        known = {**attention.IMPLEMENTATIONS, "auto": None}
        look_up(known, "attention.implementation", choice.implementation)
        options = dict(return_weights=run.with_weights, counterfactual=counterfactual, readouts=run.readouts,
                       dropout=run.drop_weights(site), bias=bias)
        score, needed, half = score_of(choice.compatibility), attention.needs(**options), self.spec.precision
        call = attention.Call(q.shape[2], k.shape[2], half, mask, score, needed,
                              max(q.shape[-1], v.shape[-1]))
        name = attention.chosen(attention.able(choice.implementation, needed), call)
        if attention.IMPLEMENTATIONS[name].dtypes:  # kernels of a device take factors in half precision
            q, k, v = (x.astype(half) for x in (q, k, v))
        result = attention.multi_head(q, k, v, mask, run.scale, score, self.score, name, **options)
        context, *more = result if run.with_weights or run.readouts else (result,)
        context = context.astype(jnp.float32)
        attended = Attended(more.pop(0) if run.with_weights else None, more.pop() if run.readouts else None)
        return self.join(context), attended

    def join(self, context):
        """Contexts of the heads (B, H, T, V) -> (B, T, D)."""
        B, _, T, _ = context.shape
        return self.output(context.swapaxes(1, 2).reshape(B, T, -1))


def projections(module: nn.Module, params: dict, batch: dict, hyper: Any) -> dict[str, list[tuple]]:
    """What `Heads.project` returned in a call of a module, by kind of attention and layer: (q, k, v)."""
    _, captured = module.apply({"params": params}, batch, without_dropout(hyper.attention_scale),
                               mutable=["intermediates"], capture_intermediates=lambda part, method:
                               isinstance(part, Heads) and method == "project")
    by_kind: dict[str, list[tuple]] = {}
    layers = sorted(captured["intermediates"].items(), key=lambda item: int(item[0].split("_")[1]))
    for layer, blocks in layers:
        for block, calls in blocks.items():
            kind = "cross" if block == "cross" else layer.split("_")[0]
            parts = [part for call in calls["project"] for part in call]
            # Cross-attention projects keys and values first, its query afterwards.
            by_kind.setdefault(kind, []).append(tuple(parts[-1:] + parts[:-1] if kind == "cross" else parts))
    return by_kind


def value_norms(project: Callable, kind: str, name: str, block: str, params: dict, batch: dict, hyper: Any
                ) -> jax.Array:
    """The norm of what each position adds at a weight of 1 (Kobayashi et al. 2020), (L, B, H, S).

    `project` gives `projections`; the `Heads` of this kind have params[f"{name}_{layer}"][block].
    """
    def norms(layer, v):
        out = params[f"{name}_{layer}"][block]["output"]["kernel"]
        out = out.reshape(v.shape[1], v.shape[3], -1)  # rows of each head
        return jnp.linalg.norm(jnp.einsum("bhsv,hvd->bhsd", v, out), axis=-1)

    return jnp.stack([norms(i, v) for i, (_, _, v) in enumerate(project(params, batch, hyper)[kind])])


def model_with_heads(spec: ModelSpec, module: nn.Module, *values_of: str) -> Model:
    """`as_model` of a module with `Heads`, with `projections`, and `values` of kind, name, block if given."""
    project = functools.partial(projections, module)
    return as_model(spec, module, project,
                    functools.partial(value_norms, project, *values_of) if values_of else None)
