"""Interventions: counterfactual weights handed to a model, by kind of attention and by layer."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from attention_lab.attention import Counterfactual


def by_layer(intervention: Mapping[str, Counterfactual] | None,
             **layers: int) -> dict[str, list[Counterfactual | None]]:
    """{kind of attention: for each of its layers a Counterfactual, or None where weights are not replaced}.

    Args:
      intervention: as in `Model.apply`.
      **layers: how many layers of each kind of attention the model has.
    Raises:
      ValueError: not a mapping, a kind that the model doesn't have, or a wrong number of layers.

    >>> from attention_lab.attention import counterfactual
    >>> by_layer({"cross": counterfactual.uniform()}, cross=1, encoder=2)["encoder"]
    [None, None]
    """
    if isinstance(intervention, Counterfactual):
        raise ValueError(f"intervention is one Counterfactual; it is given by kind of attention, such as "
                         f"{{{next(iter(layers), 'encoder')!r}: ...}}")
    intervention = intervention or {}
    unknown = ", ".join(sorted(set(intervention) - set(layers)))
    if unknown:
        raise ValueError(f"intervention is on {unknown}; this model allows "
                         + (", ".join(layers) or "none: it has no attention"))
    by_kind = {}
    for kind, count in layers.items():
        stacked = intervention.get(kind)
        for x in jax.tree.leaves(stacked):
            if jnp.shape(x)[:1] not in ((1,), (count,)):
                raise ValueError(f"intervention[{kind!r}] has an array of shape {jnp.shape(x)}; its first "
                                 f"axis must be the number of layers, {count}, or 1")
        by_kind[kind] = [jax.tree.map(lambda x: x[min(i, x.shape[0] - 1)], stacked) for i in range(count)]
    return by_kind
