"""Classifies sentences as positive or negative, as in Attention is not Explanation (Jain & Wallace 2019).

    python -m experiments.train --config=configs/sentiment.py:sst --config.data.path=sst_dataset.csv.gz \
        --workdir=runs/sst
    python -m experiments.train --config=configs/sentiment.py:files --config.data.directory=DIR

    (none)     the grammar's senses instead of sentiment, which needs no file
    sst        text,label,exp_split (the file that Jain & Wallace 2019 made of SST)
    files      a folder with one file for each class, one sentence a line (Pang & Lee 2005)
    average, uniform    their control that sees each token alone; equal weights instead of learned ones
    smoke      seconds, on the grammar's senses

Measured: sst, one seed, two cores of a busy Intel Xeon, 5 min: test accuracy 0.805 (published: 0.808). Eight
seeds with 128 units, dropout 0.5 and 4 passes (the study explanation_sst): 0.801, average 0.787, uniform
0.800.
"""

from attention_lab.config import Config, replace
from attention_lab.config.parse import combine

BASE = {
    "data.source": "senses",
    "data.max_length": 56,
    "data.buckets": (56,),
    "data.max_words": 50,
    "data.vocabulary_size": 16000,
    "model.kind": "lstm",
    "model.bidirectional": True,
    "model.width": 128,
    "model.hidden": 256,
    "model.num_layers": 1,
    "model.pooling": "additive",
    "attention.compatibility": "none",
    "optimizer.learning_rate": 0.001,
    "optimizer.warmup_steps": 50,
    "optimizer.schedule": "constant",
    "training.steps": 1000,
    "training.batch_tokens": 2048,
    "training.dropout": 0.3,
    "training.label_smoothing": 0.0,
    "training.balance": 1.0,
    "training.eval_every": 100,
    "training.checkpoint_every": 200,
}

VARIANTS = {
    "sst": {"data.source": "sentiment_csv", "data.buckets": (12, 24, 36, 56), "training.steps": None,
            "training.epochs": 8.0},
    "files": {"data.source": "sentiment_files", "data.buckets": (), "training.steps": None,
              "training.epochs": 8.0},
    "average": {"model.kind": "average", "model.bidirectional": False},
    "uniform": {"attention.weights": "uniform"},
    "smoke": {
        "data.train_size": 300,
        "data.dev_size": 16,
        "data.test_size": 16,
        "data.vocabulary_size": 1000,
        "model.width": 16,
        "model.hidden": 32,
        "training.epochs": None,
        "training.steps": 6,
        "training.batch_tokens": 448,
        "training.eval_every": 3,
        "training.checkpoint_every": 3,
        "training.log_every": 1,
    },
}


def get_config(variant: str = "") -> Config:
    """The config of the named variants; ValueError for a name that VARIANTS does not have."""
    return combine(replace(Config(), BASE), VARIANTS, variant)
