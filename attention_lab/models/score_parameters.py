"""The learned parameters of a score: the same for heads, recurrent networks and poolings."""

from collections.abc import Callable, Mapping

import flax.linen as nn
import jax

from attention_lab.attention import SCORES
from attention_lab.config.choices import look_up


def score_of(kind: str) -> Callable:
    """The score function that `attention.compatibility` names."""
    return look_up(SCORES, "attention.compatibility", kind).function


def score_parameters(module: nn.Module, kind: str, size: int, heads: tuple[int, ...] = (),
                     hidden: int | None = None, names: Mapping[str, str] | None = None
                     ) -> dict[str, jax.Array]:
    """The parameters of a score, created in a linen module in the order of SCORES: {argument: array}.

    Args:
      size: of queries and keys, K. hidden: units of a hidden layer, A; None is K.
      heads: (H,) for parameters with an axis of heads, () without.
      names: {argument: name in the tree of parameters} of those to create; None: all, named as in SCORES.
    """
    parameters = look_up(SCORES, "attention.compatibility", kind).parameters
    sizes = {"K": size, "A": hidden or size}

    def create(argument, parameter):
        shape = (*(heads if parameter.axes else ()), *(sizes[letter] for letter in parameter.axes))
        name = parameter.name if names is None else names[argument]
        return module.param(name, parameter.init, shape, size)

    return {argument: create(argument, parameter) for argument, parameter in parameters.items()
            if names is None or argument in names}
