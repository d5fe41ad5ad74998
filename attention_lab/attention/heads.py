"""Attention of many heads and sentences: an implementation of one head of one sentence, lifted."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import chex
import jax
import jax.numpy as jnp

from attention_lab.attention.choice import Call, check_readouts, checked, chosen, needs
from attention_lab.attention.counterfactual import Counterfactual, spread
from attention_lab.attention.dropout import Dropout
from attention_lab.attention.formula import as_floats, check_options
from attention_lab.attention.lift import by_vmap, lifted
from attention_lab.attention.masks import Mask, as_mask, with_axes
from attention_lab.attention.options import Options
from attention_lab.attention.scores import Score, check_score, default_scale, dot


def multi_head(q: chex.Array, k: chex.Array, v: chex.Array, mask: Mask | chex.Array | None = None,
               scale: chex.Numeric | None = None, score: Score = dot, parameters: Mapping | None = None,
               implementation: str = "auto", return_weights: bool = False,
               counterfactual: Counterfactual | None = None, bias: chex.Array | None = None,
               soft_cap: chex.Numeric | None = None, dropout: Dropout | None = None,
               readouts: Sequence[str] | None = None,
               pairs: Mask | chex.Array | None = None) -> jax.Array | tuple:
    """`attend` for the H heads of B sentences at once (Vaswani et al. 2017, section 3.2.2).

    Args:
      q, k, v: queries (B, H, T, K), keys (B, G, S, K), values (B, G, S, V). Where G divides H, each key and
        value serves H / G heads that follow one another (Ainslie et al. 2023).
      mask: `Mask`, or bool, True = may attend; shape (T, S), (B, T, S) or (B, H, T, S), any axis may be 1.
      scale: as in `attend`, shape (), or (H,) with a factor for each head; may be traced.
      score: as in `attend`; called with `parameters` too.
      parameters: further arguments of the score by name, with a leading axis H; numbers () and None are the
        same for all heads.
      implementation: a name in IMPLEMENTATIONS, or "auto": "cudnn" on a GPU and, for many queries and keys,
        "splash" on a TPU, where they can compute this; otherwise "blockwise" for many queries and keys, and
        "reference". Those of a device have no forward and no second derivative.
      counterfactual: weights to use instead, numbers (B, H, T, S) and rows (B, H, T), any axis may be 1 but
        S of noise; None replaces nothing.
      bias: added to the logits, shape (T, S), (B, T, S) or (B, H, T, S), any axis may be 1.
      soft_cap: as in `attend`, shape () or (H,).
      dropout: of the weights, by `dropout`; None drops nothing.
      readouts: names in READOUTS, of statistics of the weights before dropout.
      pairs: queries and keys, shaped like a mask, of the read-out "mass".
    Returns:
      context (B, H, T, V) in v's dtype; with return_weights also the weights before dropout (B, H, T, S),
      float32; with read-outs also {name: (B, H, T), or (B, H, S) of "received"}, float32.
    Raises:
      ValueError: shapes that do not fit together, an array as mask that is not bool, an implementation or
        read-out that is unknown, an implementation that cannot compute this.

    >>> from attention_lab.attention import general
    >>> q = k = v = jnp.ones((2, 3, 5, 7))
    >>> w = jnp.broadcast_to(jnp.eye(7), (3, 7, 7))  # a matrix for each of 3 heads
    >>> multi_head(q, k, v, score=general, parameters={"w": w}).shape
    (2, 3, 5, 7)
    >>> context, values = multi_head(q, k, v, readouts=["largest"])
    >>> values["largest"].shape
    (2, 3, 5)
    """
    q, k, v = as_floats(q=q, k=k, v=v)
    if not q.ndim == k.ndim == v.ndim == 4 or k.shape[:3] != v.shape[:3] or (
            q.shape[0] != k.shape[0] or not k.shape[1] or q.shape[1] % k.shape[1]):
        raise ValueError(f"q, k and v have shapes {q.shape}, {k.shape} and {v.shape}; allowed are "
                         "(B, H, T, K), (B, G, S, K) and (B, G, S, V), where G divides H")
    (B, H, T, K), (G, S) = q.shape, k.shape[1:3]
    check_score(score)
    scale, parameters = default_scale(score, K) if scale is None else scale, dict(parameters or {})
    for name, x in {"scale": scale, "soft_cap": soft_cap}.items():
        if x is not None and jnp.shape(x) not in ((), (H,)):
            raise ValueError(f"{name} has shape {jnp.shape(x)}; allowed are () and (H,) = {(H,)}")
    for name, x in parameters.items():
        if x is not None and jnp.shape(x)[:1] not in ((), (H,)):
            raise ValueError(f"parameters[{name!r}] has shape {jnp.shape(x)}; its first axis must be H = {H}")
    check_options(bias, scale=scale, soft_cap=soft_cap)
    readouts = readouts if isinstance(readouts, str) else tuple(dict.fromkeys(readouts or ()))
    check_readouts(readouts, pairs)
    for name, x, made in (("dropout", dropout, Dropout), ("counterfactual", counterfactual, Counterfactual)):
        if x is not None and not isinstance(x, made):
            raise ValueError(f"{name} is a {type(x).__name__}; allowed is a {made.__name__}, as "
                             f"attention.{name} makes it")
    needed = needs(return_weights, counterfactual=counterfactual, bias=bias, soft_cap=soft_cap,
                   dropout=dropout, readouts=readouts)
    mask = _lead("mask", mask, (B, H, T, S))
    call = Call(T, S, q.dtype, mask, score, needed, max(K, v.shape[-1]))
    implementation = checked(chosen(implementation, call), call)
    if dropout is not None and dropout.bits.shape != (B, H):
        raise ValueError(f"dropout.bits has shape {dropout.bits.shape}; allowed is (B, H) = {(B, H)}")
    options = Options(
        scale=None, mask=mask,
        pairs=_lead("pairs", pairs, (B, H, T, S)), bias=_array(bias, (B, H, T, S)), dropout=dropout,
        counterfactual=None if counterfactual is None else spread(counterfactual, (B, H, T, S)))

    def one_head(q, k, v, options, parameters):
        named = functools.partial(score, **parameters) if parameters else score
        return implementation.function(q, k, v, options, named, readouts, return_weights)

    def groups(x):
        """Axes (B, H) or (H,) or none before others as (B, G, H / G), 1 where all are alike."""
        b, h = x.shape[:2]
        return x.reshape(b, *((1, 1) if h == 1 != H else (G, H // G)), *x.shape[2:])

    scale, soft_cap, parameters = jax.tree.map(
        lambda x: groups(jnp.reshape(x, (1, -1, *jnp.shape(x)[1:]))), (scale, soft_cap, parameters))
    options = dataclasses.replace(jax.tree.map(groups, options), scale=scale, soft_cap=soft_cap)
    over = jax.lax.map if implementation.loops and jax.default_backend() == "cpu" else by_vmap
    context, weights, values = lifted(one_head, (B, G, H // G), over)(
        groups(q), k[:, :, None], v[:, :, None], options, parameters)
    context, weights, values = jax.tree.map(
        lambda x: x.reshape(B, H, *x.shape[3:]), (context, weights, values))
    chex.assert_shape(context, (B, H, T, v.shape[-1]))
    results = (context, *([weights] if return_weights else []), *([values] if readouts else []))
    return results if len(results) > 1 else context


def _lead(name, mask, shape):
    """A mask whose arrays lead with B and H; a ValueError where they do not fit (B, H, T, S)."""
    mask = None if mask is None else with_axes(as_mask(mask, name), 2)
    for x in jax.tree.leaves(mask):
        if x.ndim > 4 or any(a not in (1, b) for a, b in zip(x.shape, shape)):
            raise ValueError(f"{name} has axes {x.shape}; allowed is {shape[:x.ndim]}, or 1 for any")
    return mask


def _array(bias, shape):
    """A bias that leads with B and H; a ValueError where it does not fit (B, H, T, S)."""
    if bias is None:
        return None
    bias = jnp.asarray(bias)
    whole = bias[:, None] if bias.ndim == 3 else bias.reshape((1,) * (4 - bias.ndim) + bias.shape)
    if bias.ndim < 2 or whole.ndim > 4 or any(a not in (1, b) for a, b in zip(whole.shape, shape)):
        raise ValueError(f"bias has shape {bias.shape}; allowed are (T, S), (B, T, S) and (B, H, T, S) = "
                         f"{shape}, or 1 for any")
    return whole
