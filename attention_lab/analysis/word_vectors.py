"""The vectors of the ambiguous word, before a classifier's body and after it."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.analysis.batches import rows
from attention_lab.config import Hyper
from attention_lab.data.labelled import Labelled
from attention_lab.models import Model
from attention_lab.tasks.classification.classifier import Classifier


def vectors(classifier: Classifier, params: Any, sentences: Labelled) -> tuple[np.ndarray, np.ndarray]:
    """The embedding (N, D) and the last state (N, .) of each sentence's target word."""
    pairs = rows(lambda batch: target_states(classifier.model, params, batch, classifier.hyper),
                 len(sentences), classifier.in_order(sentences))
    before, after = zip(*pairs)
    return np.stack(before), np.stack(after)


@partial(jax.jit, static_argnames="model")
def target_states(model: Model, params: Any, batch: dict, hyper: Hyper) -> tuple[jax.Array, jax.Array]:
    """Embedding (B, D) and last state (B, .) of each target word of a batch."""
    before, after = model.embed(params, batch["source"]), model.apply(params, batch, hyper).states
    return tuple(jnp.take_along_axis(states, batch["position"][:, None, None], axis=1)[:, 0]
                 for states in (before, after))
