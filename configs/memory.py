"""Give back the one marked word among fillers: one causal layer of attention, or a recurrent network.

    python -m experiments.train --config=configs/memory.py --workdir=runs/memory
    python -m experiments.train --config=configs/memory.py:lstm --config.data.distance=60 \
        --workdir=runs/memory_lstm

    (none)           attention, 20 positions ago
    rnn, lstm, gru   64 units that read from left to right
    smoke            seconds

Two bits have to be kept, whatever the distance; in configs/echo.py a word for each place of the distance.

Measured: one seed, one core of an AMD EPYC, about 10 ms a step. gru at 5 places: all of dev right from
step 75 on.
"""

from attention_lab.config import RECURRENT, Config, replace
from attention_lab.config.parse import combine
from attention_lab.config.rules import no_transformer

BASE = {
    "data.source": "marked",
    "data.vocabulary_size": 12,
    "data.train_size": 50000,
    "data.dev_size": 256,
    "data.test_size": 1024,
    "data.length": 125,
    "model.kind": "encoder",
    "model.causal": True,
    "model.width": 64,
    "model.hidden": 64,
    "model.num_heads": 1,
    "model.num_layers": 1,
    "optimizer.learning_rate": 0.003,
    "optimizer.warmup_steps": 100,
    "optimizer.schedule": "constant",
    "training.steps": 2000,
    "training.batch_tokens": 4000,
    "training.dropout": 0.0,
    "training.label_smoothing": 0.0,
    "training.eval_every": 50,
    "training.checkpoint_every": 1000,
}

VARIANTS = {
    **{kind: {"model.kind": kind, "attention.compatibility": "none"} for kind in RECURRENT},
    "smoke": {
        "data.distance": 3,
        "data.length": 7,
        "data.train_size": 200,
        "data.dev_size": 16,
        "data.test_size": 16,
        "model.width": 16,
        "model.hidden": 16,
        "training.steps": 6,
        "training.batch_tokens": 112,
        "training.eval_every": 3,
        "training.checkpoint_every": 3,
        "training.log_every": 1,
    },
}


def get_config(variant: str = "") -> Config:
    """The config of the named variants; ValueError for a name that VARIANTS does not have."""
    config = combine(replace(Config(), BASE), VARIANTS, variant)
    # The number of heads and causality are attention's alone.
    return replace(config, no_transformer()) if config.model.kind in RECURRENT else config
