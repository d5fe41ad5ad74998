"""The vectors of the word that is asked about, before a classifier's body and after it."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.data.labelled import Labelled
from attention_lab.tasks.classifier import Classifier


def vectors(classifier: Classifier, params: Any, sentences: Labelled) -> tuple[np.ndarray, np.ndarray]:
    """The embedding (N, D) and the last state (N, .) at the place of each sentence."""
    @jax.jit
    def read(params, batch):
        states = (classifier.model.embed(params, batch["source"]),
                  classifier.model.apply(params, batch, classifier.hyper).states)
        return [jnp.take_along_axis(one, batch["place"][:, None, None], axis=1)[:, 0] for one in states]

    kept: list[Any] = [None] * len(sentences)
    for batch in classifier.in_order(sentences):
        pairs = jax.device_get(read(params, batch))
        for row, example in enumerate(batch["example"]):
            if example >= 0:
                kept[example] = [part[row] for part in pairs]
    before, after = zip(*kept)
    return np.stack(before), np.stack(after)
