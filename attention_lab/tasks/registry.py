"""The tasks by name. config/ reads their literal facts without importing this file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab.config import Config, task_of
from attention_lab.tasks.classification import classifier
from attention_lab.tasks.classification import evaluate as evaluate_classes
from attention_lab.tasks.classification import task as classification
from attention_lab.tasks.classification import view as classification_view
from attention_lab.tasks.language import evaluate as evaluate_language
from attention_lab.tasks.language import language_model
from attention_lab.tasks.language import task as language
from attention_lab.tasks.sequences import task as sequences
from attention_lab.tasks.translation import evaluate as evaluate_translations
from attention_lab.tasks.translation import task as translation
from attention_lab.tasks.translation import translator
from attention_lab.tasks.translation import view as translation_view
from attention_lab.training.task import Task


class Evaluation(NamedTuple):
    """A task's part of `tasks/evaluate.py`.

    Fields:
      unit: the name of its examples. texts: their field with the texts that the model reads; "": examples
        are read whole, so that none is left out because it is too long or was trained on.
      prepare: (Trained, examples, whether they are the run's data, bins of lengths, say) -> the
        examples to be scored.
      scores: (Trained, examples, train split or None, bins of lengths) -> (name, value) of each score.
    """

    unit: str
    texts: str
    prepare: Callable
    scores: Callable[..., Iterator[tuple[str, Any]]]


class Family(NamedTuple):
    """A task without its data.

    Fields:
      build: (config, folder) -> Task; folder: a run that may have a tokenizer already, or None.
      read: (finished Run, Config) -> the trained model's functions on text: `model`, a Model, and `attends`,
        whether it has attention weights to show.
      kinds: the values of model.kind that it can train.
      output: what is read from its model, as in ModelSpec.
      scores: names of the scores by which its runs are compared, prefixed by dev_ and test_ in result.json.
      evaluation: of finished runs on any data of the task; None if there is none.
      view: (Trained, sentences or None, path, say, names) -> None, writes the page of `Trained.view`; None if
        there is none.
    """

    build: Callable[[Config, str | Path | None], Task]
    read: Callable
    kinds: tuple[str, ...]
    output: str
    scores: tuple[str, ...]
    evaluation: Evaluation | None = None
    view: Callable[..., None] | None = None


TASKS = {
    "translation": Family(build=translation.build, read=translator.read,
                          kinds=("transformer", "rnn", "lstm", "gru"), output="sentence", scores=("bleu",),
                          evaluation=Evaluation("pairs", "source", evaluate_translations.prepare,
                                                evaluate_translations.scores),
                          view=translation_view.of_trained),
    "classification": Family(build=classification.build, read=classifier.read,
                             kinds=("encoder", "linear_attention", "rnn", "lstm", "gru", "average",
                                    "bag_of_words"), output="class", scores=("accuracy", "macro_f1"),
                             evaluation=Evaluation("sentences", "text", evaluate_classes.prepare,
                                                   evaluate_classes.scores),
                             view=classification_view.of_trained),
    "sequences": Family(build=sequences.build, read=sequences.read,
                        kinds=("encoder", "linear_attention", "rnn", "lstm", "gru"), output="tokens",
                        scores=("accuracy",)),
    "language": Family(build=language.build, read=language_model.read,
                       kinds=("encoder", "linear_attention", "rnn", "lstm", "gru"), output="tokens",
                       scores=("perplexity", "bits_per_byte", "excess"),
                       evaluation=Evaluation("texts", "", evaluate_language.prepare,
                                             evaluate_language.scores)),
}


def build(config: Config, folder: str | Path | None = None) -> Task:
    """The task that `data.source` belongs to, as in Family; ValueError for data that can't be used."""
    return TASKS[task_of(config)].build(config, folder)
