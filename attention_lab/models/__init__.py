"""Networks around attention, behind one seam: `build(structure, vocabulary_size) -> Model`."""

from attention_lab.config import Structure
from attention_lab.models import encoder, recurrent, transformer
from attention_lab.models.record import Model, Output

__all__ = ["Model", "Output", "build"]

KINDS = {"transformer": transformer.build, "encoder": encoder.build,
         **dict.fromkeys(("rnn", "lstm", "gru"), recurrent.build)}


def build(structure: Structure, vocabulary_size: int) -> Model:
    """The model that `model.kind` names, as plain functions over a pytree of parameters."""
    return KINDS[structure.model.kind](structure, vocabulary_size)
