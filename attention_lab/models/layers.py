"""Layers of the Transformer: parameters around attention, a block with its residual, the feed-forward net."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.config import Structure, key_size, value_size
from attention_lab.models.positions import rotate
from attention_lab.models.products import product

GLOROT = nn.initializers.xavier_uniform()


def embeddings(module: nn.Module, *names: str) -> list[jax.Array]:
    """Tables (N, D), one for each name; where embeddings are tied, the first of them for all names."""
    model = module.structure.model
    start = nn.initializers.normal(model.width ** -0.5)
    tables = [module.param(name, start, (module.vocabulary_size, model.width))
              for name in (names[:1] if model.tie_embeddings else names)]
    return tables * len(names) if model.tie_embeddings else tables


class Dense(nn.Module):
    """A linear map with a bias, its product in the run's precision."""

    structure: Structure
    units: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.param("kernel", GLOROT, (x.shape[-1], self.units))
        bias = self.param("bias", nn.initializers.zeros, (self.units,))
        y = product(x, kernel, self.structure.training.precision)
        return y + jnp.expand_dims(bias, range(x.ndim - 1))


class Heads(nn.Module):
    """Projections to queries, keys and values of H heads, attention, and the projection back to D."""

    structure: Structure
    rotary: bool = False

    def setup(self):
        model = self.structure.model
        sizes = {"query": key_size(model), "key": key_size(model), "value": value_size(model)}
        starts = {name: GLOROT for name in sizes}
        if self.structure.attention.small_query:
            starts["query"] = lambda *a: GLOROT(*a) / key_size(model) ** 0.5
        self.maps = {
            name: (self.param(f"{name}_kernel", starts[name], (model.width, model.num_heads * size)),
                   self.param(f"{name}_bias", nn.initializers.zeros, (model.num_heads * size,)))
            for name, size in sizes.items()}
        self.output = Dense(self.structure, model.width)
        kind = self.structure.attention.compatibility
        H, K = model.num_heads, key_size(model)
        if kind == "additive":
            self.score = {
                "w_query": self.param("score_query", nn.initializers.lecun_normal(batch_axis=0), (H, K, K)),
                "w_key": self.param("score_key", nn.initializers.lecun_normal(batch_axis=0), (H, K, K)),
                "v": self.param("score_vector", nn.initializers.normal(K ** -0.5), (H, K))}
        elif kind == "general":
            self.score = {"w": self.param(
                "score_matrix", nn.initializers.lecun_normal(batch_axis=0), (H, K, K))}
        elif kind == "cosine":
            # One gain a block, at first log2(S^2 - S) of a sentence of 16 (Henry et al. 2020, 3.1).
            self.gain = self.param("gain", nn.initializers.constant(7.9), ())

    def project(self, x, names, positions=None):
        """(B, T, D) -> for each of `names` among query, key, value: (B, H, T, K) or (B, H, T, V)."""
        # One wide product instead of three: on a CPU the narrow ones are slower for the same work.
        kernels, biases = zip(*(self.maps[name] for name in names))
        y = product(x, jnp.concatenate(kernels, axis=1), self.structure.training.precision)
        y = y + jnp.concatenate(biases)[None, None, :]
        edges = [sum(k.shape[1] for k in kernels[:i]) for i in range(1, len(kernels))]
        heads = self.structure.model.num_heads
        parts = [part.reshape(*part.shape[:2], heads, -1).swapaxes(1, 2)
                 for part in jnp.split(y, edges, axis=-1)]
        return [rotate(part, positions) if self.rotary and name != "value" else part
                for name, part in zip(names, parts)]

    def attend(self, q, k, v, mask, scale, with_weights=False, counterfactual=None):
        """(B, H, T, K), (B, H, S, K), (B, H, S, V) -> (B, T, D), and weights (B, H, T, S) or None."""
        kind = self.structure.attention.compatibility
        compatibility, parameters = attention.dot, None
        if kind in ("additive", "general"):
            compatibility, parameters = getattr(attention, kind), self.score
        elif kind == "cosine":
            compatibility, scale = attention.cosine, scale * self.gain
        # The reference alone forms weights; the others are held equal to it.
        formed = with_weights or counterfactual is not None
        implementation = "reference" if formed else self.structure.attention.implementation
        result = attention.multi_head(
            q, k, v, mask, scale, compatibility=compatibility, parameters=parameters,
            implementation=implementation, return_weights=with_weights, counterfactual=counterfactual)
        context, weights = result if with_weights else (result, None)
        return self.output(context.swapaxes(1, 2).reshape(*q.shape[:1], q.shape[2], -1)), weights


def projections(module: nn.Module, *args) -> dict[str, list[tuple]]:
    """What `Heads.project` gave in a call of a module, by kind of attention and layer: (q, k, v)."""
    _, held = module.apply(*args, mutable=["intermediates"],
                           capture_intermediates=lambda one, name: isinstance(one, Heads)
                           and name == "project")
    found: dict[str, list[tuple]] = {}
    for layer, blocks in sorted(held["intermediates"].items(), key=lambda item: int(item[0].split("_")[1])):
        for block, calls in blocks.items():
            kind = "cross" if block == "cross" else layer.split("_")[0]
            parts = [part for call in calls["project"] for part in call]
            # Cross-attention makes keys and values first, and its query when it is asked.
            found.setdefault(kind, []).append(tuple(parts[-1:] + parts[:-1] if kind == "cross" else parts))
    return found


def value_norms(heads: dict, v: jax.Array) -> jax.Array:
    """The norm of what each position adds at a weight of 1 (Kobayashi et al. 2020), (B, H, S).

    Args:
      heads: the parameters of a `Heads`. v: its values, (B, H, S, V).
    """
    out = heads["output"]["kernel"].reshape(v.shape[1], v.shape[3], -1)  # each head's own rows
    return jnp.linalg.norm(jnp.einsum("bhsv,hvd->bhsd", v, out), axis=-1)


class Residual(nn.Module):
    """x + dropout(f(x)), with a layer norm before f (pre) or after the sum (post)."""

    structure: Structure

    def setup(self):
        self.norm = nn.LayerNorm()

    def enter(self, x):
        """What f sees."""
        return self.norm(x) if self.structure.model.norm == "pre" else x

    def leave(self, x, y):
        """The sum of x and f's dropped-out answer y."""
        return x + y if self.structure.model.norm == "pre" else self.norm(x + y)


class FeedForward(nn.Module):
    """Two linear maps around a non-linearity, the same at every position."""

    structure: Structure

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        model = self.structure.model
        activation = {"relu": jax.nn.relu, "gelu": jax.nn.gelu}[model.activation]
        hidden = activation(Dense(self.structure, model.hidden, name="inner")(x))
        return Dense(self.structure, model.width, name="outer")(hidden)


def one_hot_write(cache: jax.Array, new: jax.Array, position: jax.Array) -> jax.Array:
    """Puts new (B, H, 1, K) at each row's own position (B,) of cache (B, H, T, K)."""
    here = jnp.arange(cache.shape[2])[None, None, :, None] == position[:, None, None, None]
    return jnp.where(here, new.astype(cache.dtype), cache)
