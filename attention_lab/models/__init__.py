"""Networks around attention, behind one seam: `build(structure, vocabulary_size) -> Model`."""

from attention_lab.config import RECURRENT, TOKENWISE, Structure
from attention_lab.models import encoder, recurrent, tagger, transformer
from attention_lab.models.record import Model, Output

__all__ = ["Model", "Output", "build"]


def build(structure: Structure, vocabulary_size: int) -> Model:
    """The model that `model.kind` names, as plain functions over a pytree of parameters."""
    kind, tokenwise = structure.model.kind, structure.data.source in TOKENWISE
    if kind in RECURRENT:
        return (tagger if tokenwise else recurrent).build(structure, vocabulary_size)
    return {"transformer": transformer, "encoder": encoder}[kind].build(structure, vocabulary_size)
