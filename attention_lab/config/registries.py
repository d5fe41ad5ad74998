"""Facts about sources of examples and tasks, read without importing their registries."""

import dataclasses
from collections.abc import Callable

from attention_lab.config.choices import facts


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """A value of `data.source`.

    Fields:
      task: key of TASKS in tasks/registry.py.
      location: the config field with the path of its files; "" of a source that is generated.
      generated: whether examples are generated where no location is given.
      contents: what the files hold, for messages. classified: "word" or "sentence"; "" of other tasks.
      splits: those that its files have. A missing dev is held out of train; of "whole", a file without
        splits, test is held out too.
      read: (Data, names of splits) -> {split: examples}; None before data/sources.py is imported.
      read_whole: Data -> all examples of files that are in one piece, or None; None for other sources.
    """

    task: str
    location: str = ""
    generated: bool = False
    contents: str = ""
    splits: tuple[str, ...] = ("train", "dev", "test")
    classified: str = ""
    read: Callable | None = None
    read_whole: Callable | None = None


SOURCES = {name: Source(**given) for name, given in facts("data.sources.SOURCES").items()}
TASKS = facts("tasks.registry.TASKS")  # kinds, output and scores of each


def score_names() -> tuple[str, ...]:
    """Names in result.json of the scores by which runs of all tasks are compared.

    >>> score_names()[:3]
    ('dev_bleu', 'test_bleu', 'dev_accuracy')
    """
    return tuple(dict.fromkeys(f"{split}_{score}" for task in TASKS.values() for score in task["scores"]
                               for split in ("dev", "test")))


def of_task(task: str) -> tuple[str, ...]:
    """The sources of a task.

    >>> of_task("sequences")
    ('recall', 'kfold', 'echo', 'marked', 'repeated')
    """
    return tuple(name for name, source in SOURCES.items() if source.task == task)
