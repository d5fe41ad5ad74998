"""Networks around attention, behind one seam: `build(structure, vocabulary_size) -> Model`."""

from attention_lab.config import CLASSIFIED, RECURRENT, TOKENWISE, Structure
from attention_lab.models import classifier, encoder, recurrent, tagger, transformer
from attention_lab.models.record import Decision, Model, Output

__all__ = ["Decision", "Model", "Output", "build"]


def build(structure: Structure, vocabulary_size: int, classes: tuple[int, ...] = ()) -> Model:
    """The model that `model.kind` names, as plain functions over a pytree of parameters.

    Args:
      structure: what it is. vocabulary_size: ids N.
      classes: of a classifier, how many each word has.
    """
    if structure.data.source in CLASSIFIED:
        return classifier.build(structure, vocabulary_size, classes)
    kind, tokenwise = structure.model.kind, structure.data.source in TOKENWISE
    if kind in RECURRENT:
        return (tagger if tokenwise else recurrent).build(structure, vocabulary_size)
    return {"transformer": transformer, "encoder": encoder}[kind].build(structure, vocabulary_size)
