"""What is trained, a folder a task: data, model, loss and scores as one record that the training loop takes.

    registry.py   TASKS, and build(config)      load.py    a finished run -> a model that can be asked
    train.py      one run from Python           evaluate.py  a finished run on other data
    translation/  classification/  sequences/   recall and echo
"""

from attention_lab.tasks.registry import build

__all__ = ["build"]
