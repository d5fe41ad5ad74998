"""Read-outs of attention in a loss: what is logged, and the penalty on entropy."""

import jax
import jax.numpy as jnp

from attention_lab.config import Hyper
from attention_lab.data.vocabulary import PAD
from attention_lab.training.task import Batch, Sums

QUERIES = {"encoder": "source", "decoder": "target", "cross": "target"}  # whose tokens, by kind of attention


def terms(readouts: dict[str, dict[str, jax.Array]], batch: Batch, count: jax.Array, hyper: Hyper
          ) -> tuple[jax.Array, dict[str, Sums]]:
    """The penalty on a sum of losses, and {"entropy_encoder": Sums over rows, ...}.

    A read-out is averaged over the real tokens of a row, heads and layers; the penalty is
    entropy_weight times the entropies of all kinds of attention, each row as often as it counts in the loss.

    Args:
      readouts: of an Output, of queries. count: (B,), how much each row counts in the loss.
    """
    penalty, logged, used = 0.0, {}, (count > 0).astype(jnp.float32)
    for kind, by_name in readouts.items():
        for name, values in by_name.items():
            real = (batch[QUERIES[kind]] != PAD).astype(jnp.float32)
            mean = (values.mean(axis=(0, 2)) * real).sum(axis=1) / jnp.maximum(real.sum(axis=1), 1.0)
            logged[f"{name}_{kind}"] = Sums((mean * used).sum(), used.sum())
            if name == "entropy":
                penalty += hyper.entropy_weight * (mean * count).sum()
    return penalty, logged
