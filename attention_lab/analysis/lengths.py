"""Layers over the length of a sequence: how long, how much memory, how many steps that wait for one another.

A layer maps a sequence (T, D) to another, and no position sees what comes after it. It can be computed for
the whole sequence, or token by token with a carry: the state of a recurrent cell or of linear attention, or
all keys and values.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attention_lab import attention
from attention_lab.analysis import decay
from attention_lab.attention import linear_attention
from attention_lab.models.cells import CELLS, Cell, scan

KERNELS = ("cudnn", "splash")  # fused attention, each of one kind of device
HALF = jnp.bfloat16  # of the queries, keys and values that a kernel reads


class Layer(NamedTuple):
    """A layer of width D.

    Fields:
      init: key -> params. whole: (params, x (T, D)) -> (T, D).
      begin: length -> the carry behind so many tokens, filled with zeros.
      step: (params, carry, x (D,)) -> (carry, (D,)).
    """

    init: Callable
    whole: Callable
    begin: Callable
    step: Callable


def recurrent(kind: str, D: int) -> Layer:
    """A recurrent cell of D units, of a kind in CELLS."""
    module = decay.cell(kind, D, D)

    def whole(params, x):
        bound = module.bind({"params": params})
        _, out = scan(bound.step(), bound.initial_state(1), bound.project_inputs(x[None]),
                      jnp.ones((1, len(x)), bool))
        return out[0]

    def begin(length):
        return (jnp.zeros((1, D)),) * CELLS[kind].states

    def step(params, carry, x):
        bound: Cell = module.bind({"params": params})
        state = bound.step()(carry, bound.project_inputs(x[None, None])[:, 0])
        return state, state[0][0]

    return Layer(lambda key: decay.start(module, key), whole, begin, step)


def _projected(params, x, H):
    """q, k, v of H heads, each (H, T, K), of x (T, D)."""
    return (x @ params["in"]).reshape(len(x), 3, H, -1).transpose(1, 2, 0, 3)


def _attending(D: int, whole: Callable, begin: Callable, step: Callable) -> Layer:
    """A layer of heads: `whole` and `step` map to the heads' contexts, a product these to the output."""
    def init(key):
        to, back = jax.random.split(key)
        return {"in": D ** -0.5 * jax.random.normal(to, (D, 3 * D)),
                "out": D ** -0.5 * jax.random.normal(back, (D, D))}

    def joined(params, heads):
        return heads.swapaxes(0, 1).reshape(heads.shape[1], D) @ params["out"]

    def one(params, carry, x):
        carry, heads = step(params, carry, x[None])
        return carry, joined(params, heads)[0]

    return Layer(init, lambda params, x: joined(params, whole(params, x)), begin, one)


def attending(D: int, H: int, implementation: str, dtype: Any = jnp.float32) -> Layer:
    """Causal attention of H heads by an implementation; the carry holds the last keys and values.

    dtype: of queries, keys and values of the whole sequence; token by token they are float32.
    """
    def whole(params, x):
        q, k, v = _projected(params, x, H)[:, None].astype(dtype)
        context = attention.multi_head(q, k, v, attention.causal(len(x)), implementation=implementation)
        return context[0].astype(jnp.float32)

    def begin(length):
        return jnp.zeros(()).astype(jnp.int32), jnp.zeros((2, H, length, D // H))

    def step(params, carry, x):
        place, past = carry
        q, *new = _projected(params, x, H)
        past = jax.lax.dynamic_update_slice_in_dim(past, jnp.stack(new), place % past.shape[2], 2)
        context = attention.multi_head(q[None], past[:1], past[1:], implementation="reference")[0]
        return (place + 1, past), context

    return _attending(D, whole, begin, step)


def kernel_here(D: int, H: int) -> str:
    """The fused kernel that computes causal attention of H heads on this device, "" where there is none."""
    call = attention.Call(D, D, HALF, attention.causal(D), attention.dot, (), D // H)
    return next((name for name in KERNELS if not attention.why_not(name, call)), "")


def fused(D: int, H: int) -> Layer:
    """Causal attention of H heads by the device's kernel, in bfloat16; ValueError where it has none."""
    name = kernel_here(D, H)
    if not name:
        raise ValueError(f"the device has no fused attention for {H} heads of {D // H} units")
    return attending(D, H, name, HALF)


def linear(D: int, H: int) -> Layer:
    """Causal linear attention of H heads, in parallel; token by token its state."""
    def whole(params, x):
        heads = _projected(params, x, H)
        return jax.vmap(lambda *head: linear_attention.parallel(*head, causal=True))(*heads)

    def step(params, carry, x):
        q, k, v = _projected(params, x, H)[:, :, 0]
        state, context = jax.vmap(linear_attention.step)(carry, q, k, v)
        return state, context[:, None]

    return _attending(D, whole, lambda length: jnp.stack([linear_attention.start(D // H, D // H)] * H), step)


# Arms of a comparison: (D, H) -> Layer.
LAYERS = {
    "gru": lambda D, H: recurrent("gru", D),
    "lstm": lambda D, H: recurrent("lstm", D),
    "attention": lambda D, H: attending(D, H, "reference"),
    "blockwise": lambda D, H: attending(D, H, "blockwise"),
    "fused": fused,
    "linear": linear,
}


def token_by_token(layer: Layer, count: int) -> Callable:
    """(params, carry, x (D,)) -> what comes out of `count` steps, each fed with what came out of the last."""
    def run(params: Any, carry: Any, x: jax.Array) -> jax.Array:
        def body(carry, _):
            state, x = carry
            return layer.step(params, state, jnp.tanh(x)), None
        return jax.lax.scan(body, (carry, x), length=count)[0][1]
    return run


def gradients(layer: Layer) -> Callable:
    """(params, x, g) -> the gradients of params and x under a cotangent g of what comes out."""
    return lambda params, x, g: jax.vjp(layer.whole, params, x)[1](g)


def depth(function: Callable, *given: Any) -> int:
    """How many iterations of loops a function runs one after another; its loops inside loops are multiplied.

    >>> depth(lambda x: jax.lax.scan(lambda a, b: (a + b, None), 0.0, x)[0], jnp.ones(7))
    7
    """
    return _iterations(jax.make_jaxpr(function)(*given).jaxpr)


def _iterations(jaxpr):
    total = 0
    for equation in jaxpr.eqns:
        inner = [x for value in equation.params.values()
                 for x in (value if isinstance(value, tuple) else (value,))]
        inner = sum(_iterations(getattr(x, "jaxpr", x)) for x in inner
                    if hasattr(getattr(x, "jaxpr", x), "eqns"))
        total += equation.params["length"] * max(1, inner) if equation.primitive.name == "scan" else inner
    return total
