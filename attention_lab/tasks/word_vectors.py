"""The vectors of the word that is asked about, before a classifier's body and after it."""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.data.labelled import Labelled
from attention_lab.models import Model
from attention_lab.tasks.classifier import Classifier


def vectors(classifier: Classifier, params: Any, sentences: Labelled) -> tuple[np.ndarray, np.ndarray]:
    """The embedding (N, D) and the last state (N, .) at the place of each sentence."""
    kept: list[Any] = [None] * len(sentences)
    for batch in classifier.in_order(sentences):
        pairs = jax.device_get(_reader(classifier.model)(params, batch, classifier.hyper))
        for row, example in enumerate(batch["example"]):
            if example >= 0:
                kept[example] = [part[row] for part in pairs]
    before, after = zip(*kept)
    return np.stack(before), np.stack(after)


@lru_cache(maxsize=16)
def _reader(model: Model):
    """(params, batch, hyper) -> both vectors, compiled; classifiers of one structure share a model."""
    def read(params, batch, hyper):
        states = model.embed(params, batch["source"]), model.apply(params, batch, hyper).states
        return [jnp.take_along_axis(one, batch["place"][:, None, None], axis=1)[:, 0] for one in states]

    return jax.jit(read)
