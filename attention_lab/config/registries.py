"""Facts of registries, read before anything of them is imported: sources of examples, and tasks."""

import dataclasses
from collections.abc import Callable

from attention_lab.config.choices import facts


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """A value of `data.source`.

    Fields:
      task: key of TASKS in tasks/registry.py.
      location: the config field with the path of its files; "" of a source that is generated.
      contents: what the files hold, for messages. classified: "word" or "sentence"; "" of other tasks.
      splits: those that its files have. Dev is held out of train where it is missing; "whole" is a file in
        one piece, of which test is held out too.
      read: (Data, names of splits) -> {split: examples}; None before data/sources.py is imported.
      read_whole: Data -> all examples of a source in one piece; None for other sources.
    """

    task: str
    location: str = ""
    contents: str = ""
    splits: tuple[str, ...] = ("train", "dev", "test")
    classified: str = ""
    read: Callable | None = None
    read_whole: Callable | None = None


SOURCES = {name: Source(**given) for name, given in facts("data.sources.SOURCES").items()}
TASKS = facts("tasks.registry.TASKS")  # kinds, output and scores of each


def score_names() -> tuple[str, ...]:
    """What runs of all tasks are compared by, as result.json spells it.

    >>> score_names()[:3]
    ('dev_bleu', 'test_bleu', 'dev_accuracy')
    """
    return tuple(dict.fromkeys(f"{split}_{score}" for task in TASKS.values() for score in task["scores"]
                               for split in ("dev", "test")))


def of_task(task: str) -> tuple[str, ...]:
    """The sources of a task.

    >>> of_task("sequences")
    ('recall', 'echo')
    """
    return tuple(name for name, source in SOURCES.items() if source.task == task)
