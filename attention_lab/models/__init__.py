"""Networks around attention; other rooms use them through ModelSpec -> Model."""

from attention_lab.config import Structure, replace, task_of
from attention_lab.config.choices import look_up
from attention_lab.config.registries import TASKS
from attention_lab.models import classifier, incremental, recurrent, transformer
from attention_lab.models.spec import Decision, Model, ModelSpec, Output

__all__ = ["MODELS", "Decision", "Model", "ModelSpec", "Output", "build", "from_spec", "spec_of"]

_ENCODER = {"tokens": incremental.build_encoder, "class": classifier.build}
_RECURRENT = {"sentence": recurrent.build, "tokens": incremental.build_recurrent, "class": classifier.build}

# Kind of model -> what can be read from it -> the function ModelSpec -> Model.
MODELS = {
    "transformer": {"sentence": transformer.build},
    "encoder": _ENCODER,
    "linear_attention": _ENCODER,
    "rnn": _RECURRENT,
    "lstm": _RECURRENT,
    "gru": _RECURRENT,
    "average": {"class": classifier.build},
    "bag_of_words": {"class": classifier.build},
}


def from_spec(spec: ModelSpec) -> Model:
    """The model of this specification; ValueError for an unknown kind, or an output that it does not have."""
    outputs = look_up(MODELS, "model.kind", spec.model.kind)
    return look_up(outputs, f"with model.kind={spec.model.kind} output", spec.output)(spec)


def spec_of(config: Structure, vocabulary_size: int, classes: tuple[int, ...] = (), answers: int = 1
            ) -> ModelSpec:
    """The part of a config that its model reads; `classes` and `answers` as in ModelSpec."""
    output = TASKS[task_of(config)]["output"]
    config = replace(config, {"attention.scale": None, "attention.guide": "", "attention.divergence": 0.0})
    return ModelSpec(config.model, config.attention, config.training.precision, vocabulary_size, output,
                     tuple(classes), answers)


def build(config: Structure, vocabulary_size: int, classes: tuple[int, ...] = (), answers: int = 1) -> Model:
    """The model that a config describes, as plain functions over a pytree of parameters; see `spec_of`."""
    return from_spec(spec_of(config, vocabulary_size, classes, answers))
