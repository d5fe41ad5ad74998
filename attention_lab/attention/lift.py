"""The lift of a function of one head and one sentence over heads and sentences, in one place."""

from collections.abc import Callable
from typing import Any

import jax


def lifted(function: Callable, lead: tuple[int, ...], over: Callable) -> Callable:
    """`function`, of pytrees whose leaves have further leading axes.

    Args:
      function: of pytrees of arrays, returns a pytree of arrays.
      lead: sizes of the axes. A leaf that has 1 for one of them is the same for all, and stored once.
      over: (function, pytree) -> stacked results; `by_vmap`, all at once, or `jax.lax.map`, one by one.
    """
    if not lead:
        return function
    inner = lifted(function, lead[1:], over)

    def call(*args: Any) -> Any:
        leaves, tree = jax.tree.flatten(args)
        if lead[0] == 1:
            result = inner(*jax.tree.unflatten(tree, [x[0] for x in leaves]))
            return jax.tree.map(lambda x: x[None], result)
        varies = [x.shape[0] != 1 for x in leaves]

        def unmapped(mapped):
            mapped = iter(mapped)
            return inner(*jax.tree.unflatten(
                tree, [next(mapped) if varying else x[0] for x, varying in zip(leaves, varies)]))
        return over(unmapped, [x for x, varying in zip(leaves, varies) if varying])
    return call


def by_vmap(function: Callable, xs: Any) -> Any:
    """The function of every slice of `xs` at once, as `jax.lax.map` applies it to one after another."""
    return jax.vmap(function)(xs)
