"""A task that takes milliseconds: a line fitted to points, trained by the loop that trains everything."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab.training.task import Scores, Sums, Task

ROWS = 8


class Line:
    """Fits y = 2 x - 1. `scores`, where given, stands in for what dev scores, look by look."""

    def __init__(self, scores=None, bad_from=None):
        self.scores, self.bad_from, self.looks = list(scores or []), bad_from, 0

    def batches(self, seed, first):
        step = first
        while True:
            x = np.random.default_rng([seed, step]).normal(size=ROWS).astype(np.float32)
            bad = self.bad_from is not None and step >= self.bad_from
            yield {"x": np.full_like(x, np.nan) if bad else x,
                   "example": np.arange(step * ROWS, (step + 1) * ROWS, dtype=np.int32)}
            step += 1

    def loss(self, params, batch, hyper, key):
        error = (params["slope"] * batch["x"] + params["offset"] - (2 * batch["x"] - 1)) ** 2
        if key is not None:
            error = error + hyper.dropout * jax.random.uniform(key) * params["slope"]
        return Sums(error.sum(), jnp.float32(len(batch["example"]))), {}

    def score(self, params, hyper, split, final):
        self.looks += 1
        ours = -abs(float(params["slope"]) - 2)
        return Scores({"dev_fit": self.scores.pop(0) if self.scores else ours}, [])

    def task(self):
        return Task(
            init=lambda key: {"slope": jax.random.normal(key), "offset": jnp.zeros(())},
            loss=self.loss, batches=self.batches, rows=[ROWS], steps_per_epoch=4.0,
            dev_batches=lambda: [{"x": np.ones(ROWS, np.float32), "example": np.arange(ROWS)}],
            score=self.score, select=("dev_fit", 1.0), save=lambda folder: None,
            illustrate=lambda params, hyper, folder: None, tokens=lambda batch: ROWS, facts={}, notices=[])


@pytest.fixture
def line():
    return Line


def small(**changes):
    """A config for the line: 12 steps, a look every 3, a checkpoint every 4."""
    return configs.replace(configs.Config(), {
        "training.steps": 12, "training.eval_every": 3, "training.checkpoint_every": 4,
        "training.log_every": 2, "training.devices": 1, "optimizer.warmup_steps": 0,
        "optimizer.schedule": "constant", "optimizer.learning_rate": 0.1} | changes)


@pytest.fixture
def config():
    return small
