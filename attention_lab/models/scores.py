"""The learned parameters of a score: the same for heads, recurrent networks and poolings."""

from collections.abc import Callable, Mapping

import flax.linen as nn
import jax

from attention_lab.attention import SCORES
from attention_lab.config.choices import look_up


def score_of(kind: str) -> Callable:
    """The score function that `attention.compatibility` names; ValueError for another name."""
    return look_up(SCORES, "attention.compatibility", kind).function


def score_parameters(module: nn.Module, kind: str, size: int, heads: tuple[int, ...] = (),
                     hidden: int | None = None, names: Mapping[str, str] | None = None
                     ) -> dict[str, jax.Array]:
    """The parameters of a score, created in a linen module in the order of SCORES: {argument: array}.

    Args:
      size: of queries and keys, K. hidden: units of a hidden layer, A; None is K.
      heads: (H,) for parameters with an axis of heads, () without.
      names: {argument: name in the tree of parameters} of those to create; None creates all, as SCORES names
        them.
    """
    parameters = look_up(SCORES, "attention.compatibility", kind).parameters
    names = {argument: one.name for argument, one in parameters.items()} if names is None else names
    sizes = {"K": size, "A": hidden or size}

    def create(argument):
        one = parameters[argument]
        shape = (*(heads if one.axes else ()), *(sizes[letter] for letter in one.axes))
        return module.param(names[argument], one.init, shape, size)

    return {argument: create(argument) for argument in parameters if argument in names}
