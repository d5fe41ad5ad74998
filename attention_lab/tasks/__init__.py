"""What is trained: each task is a record of functions that the one training loop takes."""

from pathlib import Path

from attention_lab.config import CLASSIFIED, TOKENWISE, Config
from attention_lab.training.task import Task


def build(config: Config, folder: str | Path | None = None) -> Task:
    """The task that `data.source` names, its data loaded; `folder` is a run that has a tokenizer already."""
    from attention_lab.tasks import classification, tokenwise, translation
    if config.data.source in TOKENWISE:
        return tokenwise.build(config, folder)
    if config.data.source in CLASSIFIED:
        return classification.build(config, folder).task
    return translation.build(config, folder).task
