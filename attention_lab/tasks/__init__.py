"""Tasks: data, model, loss and scores as a record (Task) for the training loop.

    registry.py   TASKS, and build(config)      load.py      a finished run -> a model of text
    train.py      one run from Python           evaluate.py  a finished run on other data
    text.py       tokenizer and buckets of tasks on sentences
    translation/  classification/  sequences/ (recall, echo, marked)  language/
"""

from attention_lab.tasks.registry import build

__all__ = ["build"]
