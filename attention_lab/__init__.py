"""A laboratory for studying attention: pure functions, config-driven experiments, honest verdicts.

>>> import tempfile, attention_lab
>>> workdir = tempfile.mkdtemp()
>>> model = attention_lab.train("configs/translation.py:smoke", workdir, training__steps=2)
>>> model.config.training.steps, len(model.translate(["The dog sees a cat."]))
(2, 1)
>>> attention_lab.load(workdir).attention(["The dog sees a cat."])[0].source
['the', 'dog', 'sees', 'a', 'cat', '.', '</s>']

jax starts when `train` or `load` is first used.
"""

import importlib
import logging
from typing import Any

_PLACES = {"train": "attention_lab.tasks.train", "compare": "attention_lab.sweeps.comparison",
           "load": "attention_lab.tasks.load",
           "DeviceError": "attention_lab.storage.device_errors"}
__all__ = ["DeviceError", "compare", "load", "train"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from attention_lab.storage import compiled, xla  # nothing of attention_lab is imported before it is used
    for line in (xla.avoid_wrong_sums(), compiled.keep()):
        if line:
            logging.getLogger(__name__).warning(line)
    value = globals()[name] = getattr(importlib.import_module(_PLACES[name]), name)
    return value
