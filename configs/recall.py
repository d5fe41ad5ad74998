"""Multi-query associative recall with a two-layer causal Transformer of one head.

    python -m experiments.train --config=configs/recall.py --workdir=runs/recall
    python -m experiments.sweep --config=configs/recall.py      # key size x scale x 8 seeds

    (none)     16 pairs over 256 ids (Arora et al. 2023 have 8,192 and up to 64 pairs)
    smoke      seconds

Measured: seed 0, two cores of an Intel Xeon. 1,500 steps take 60 s and end at test accuracy 0.10, with
learned, sinusoidal and rotary positions alike. That is little more than guessing among the 16 values
present (0.06): the look-up does not form in so few steps, and 8 pairs (0.17 on dev) fare no better. The
duration and the rates are still to be found before the scale is judged on this task.
"""

from attention_lab.config import Config, replace
from attention_lab.overrides import combine
from attention_lab.sweeps.space import axis, product

BASE = {
    "data.source": "recall",
    "data.vocabulary_size": 256,
    "data.train_size": 50000,
    "data.dev_size": 512,
    "data.test_size": 1024,
    "model.kind": "encoder",
    "model.causal": True,
    "model.positions": "learned",
    "model.width": 64,
    "model.hidden": 128,
    "model.num_heads": 1,
    "optimizer.learning_rate": 0.003,
    "optimizer.warmup_steps": 100,
    "optimizer.schedule": "cosine",
    "training.steps": 1500,
    "training.batch_tokens": 3072,
    "training.dropout": 0.0,
    "training.label_smoothing": 0.0,
    "training.eval_every": 250,
    "training.checkpoint_every": 500,
}

VARIANTS = {
    "smoke": {
        "data.vocabulary_size": 24,
        "data.train_size": 200,
        "data.dev_size": 16,
        "data.test_size": 16,
        "data.pairs": 4,
        "model.width": 16,
        "model.hidden": 32,
        "training.steps": 6,
        "training.batch_tokens": 256,
        "training.eval_every": 3,
        "training.checkpoint_every": 3,
        "training.log_every": 1,
    },
}


def get_sweep() -> list[dict]:
    """Does the scale matter, and from which key size on?"""
    return product(axis("model.key_size", [16, 64, 256]), axis("attention.scale", ["inverse_sqrt", 1.0]),
                   axis("seed", range(8)))


def get_config(variant: str = "") -> Config:
    """The config of the named variants; ValueError for a name that VARIANTS does not have."""
    return combine(replace(Config(), BASE), VARIANTS, variant)
