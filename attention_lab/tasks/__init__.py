"""What is trained: each task is a record of functions that the one training loop takes."""

from pathlib import Path

from attention_lab.config import TOKENWISE, Config
from attention_lab.training.task import Task


def build(config: Config, folder: str | Path | None = None) -> Task:
    """The task that `data.source` names, its data loaded; `folder` is a run that has a tokenizer already."""
    from attention_lab.tasks import tokenwise, translation
    if config.data.source in TOKENWISE:
        return tokenwise.build(config, folder)
    return translation.build(config, folder).task
