"""Networks around attention, behind one seam: `build(structure, vocabulary_size) -> Model`."""

import functools

from attention_lab.config import RECURRENT, Structure, task_of
from attention_lab.models import classifier, encoder, recurrent, tagger, transformer
from attention_lab.models.record import Decision, Model, Output

__all__ = ["Decision", "Model", "Output", "build"]


@functools.lru_cache(maxsize=64)  # one Model for each specification, so that jit knows it again
def build(structure: Structure, vocabulary_size: int, classes: tuple[int, ...] = ()) -> Model:
    """The model that `model.kind` names, as plain functions over a pytree of parameters.

    Args:
      structure: what it is. vocabulary_size: ids N.
      classes: of a classifier, how many each word has.
    """
    if task_of(structure) == "classification":
        return classifier.build(structure, vocabulary_size, classes)
    kind, tokenwise = structure.model.kind, task_of(structure) == "sequences"
    if kind in RECURRENT:
        return (tagger if tokenwise else recurrent).build(structure, vocabulary_size)
    return {"transformer": transformer, "encoder": encoder}[kind].build(structure, vocabulary_size)
