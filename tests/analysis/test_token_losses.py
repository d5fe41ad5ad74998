"""Losses by place: their mean is the loss that is trained on, and each is that of its own context."""

import math

import jax
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab.analysis import token_losses as analysis
from attention_lab.data.contexts import Contexts
from attention_lab.tasks import build
from configs.language import get_config


@pytest.mark.parametrize("variant", ["smoke", "gru,smoke"])
def test_their_mean_is_the_loss(variant, monkeypatch):
    config = get_config(variant)
    task, hyper = build(config), configs.split(config)[1]
    params = task.init(jax.random.key(0))
    batch = next(task.dev_batches())
    contexts = Contexts(batch["source"][:13], batch["target"][:13])
    monkeypatch.setattr(analysis, "TOKENS", 8 * 16)  # batches of eight
    losses = analysis.token_losses(task.loss.model, params, contexts, hyper)
    assert losses.shape == (13, 16)
    alone = analysis.token_losses(task.loss.model, params, Contexts(contexts.source[9:10],
                                                                    contexts.target[9:10]), hyper)
    assert np.allclose(losses[9], alone[0], atol=1e-5)
    total = task.loss(params, {name: x[:13] for name, x in batch.items()}, hyper, None)[1]["cross_entropy"]
    assert float(losses.sum()) == pytest.approx(float(total.total), rel=1e-5)
    assert 0 < losses.min() and losses.mean() < 2 * math.log(task.facts["vocabulary"])
