"""The model of a config: of all fields it sees those alone that make it what it is."""

from attention_lab import models
from attention_lab.config import Config, get, replace, split, task_of
from attention_lab.config.sources import of_task

READ = ("model", "attention", "training.precision")  # fields and groups of fields


def model_of(config: Config, vocabulary_size: int, classes: tuple[int, ...] = ()) -> models.Model:
    """The model that a config describes; configs that describe the same model get the same one.

    Args:
      vocabulary_size: ids N. classes: of a classifier, how many each word has.
    """
    static, blank = split(config)[0], split(Config())[0]
    kept = replace(blank, {key: get(static, key) for key in READ})
    return models.build(replace(kept, {"data.source": of_task(task_of(config))[0], "attention.guide": "",
                                       "attention.divergence": 0.0}), vocabulary_size, classes)
