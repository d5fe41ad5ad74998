"""Recall as a task: accuracy counts questions, and only an encoder is asked."""

import jax
import pytest

from attention_lab import config as configs
from attention_lab.tasks import build
from configs.recall import get_config


def test_accuracy_counts_what_is_asked():
    config = get_config("smoke")
    task = build(config)
    params = task.init(jax.random.key(0))
    _, hyper = configs.split(config)
    accuracy = task.score(params, hyper, "dev", True).numbers["dev_accuracy"]
    assert 0 <= accuracy <= 0.5 and (accuracy * 16 * 4) == pytest.approx(round(accuracy * 64), abs=1e-3)
    assert task.facts["length"] == 12 and task.tokens(next(task.batches(0, 0))) == task.facts["rows"] * 12


def test_only_an_encoder_recalls():
    from attention_lab.checks import check
    with pytest.raises(ValueError, match="model.kind=transformer does not fit data.source=recall: encoder"):
        check(configs.replace(get_config(), {"model.kind": "transformer"}))
