"""Predicts the sense of a word in its sentence: the grammar's ambiguous nouns, or CoarseWSD-20.

    python -m experiments.train --config=configs/disambiguation.py:first --workdir=runs/senses
    python -m experiments.train --config=configs/disambiguation.py:coarsewsd \
        --config.data.directory=DIR --config.data.word=bank --workdir=runs/bank

    (none)       the grammar: thirty nouns, the deciding word 1 to 40 words away; self-attention
    first        the same nouns in minutes, by another network: additive attention over an LSTM, where (none)
                 is self-attention; a higher rate, no dropout
    deep         the self-attention of (none) with four layers, five times the sentences and 8,000 steps
    coarsewsd    a folder of CoarseWSD-20 (Loureiro et al. 2021), all its words in one model
    tsv          any file of "index TAB sentence TAB sense" lines
    smoke        seconds; needs no file

    bag_of_words, target_only, rnn, lstm, gru    other bodies: the mean of the embeddings, the target word
                 alone, and bidirectional networks; lstm_additive pools by attention (Jain & Wallace 2019)

Measured: one seed each, other processes running; checkpoint selected on dev, test evaluated once.

    first            88 s of processor time from start to end, on an AMD EPYC: test accuracy 0.999 (2,000
                     sentences), 0.995 where the deciding word is 1 to 4 words away and 1.000 farther
    deep             one core of the EPYC, 49 min: test accuracy 0.999 (2,000 sentences), 0.998 or more at
                     every distance; with three layers, 120,000 sentences and 4,000 steps 0.984 (17 min)
    (none)           two cores of the EPYC, 6 min: 0.972
    lstm_additive    with optimizer.learning_rate=0.003 and training.steps=1500, one core of an Intel Xeon,
                     10 min: 1.000 at every distance
    coarsewsd        eight seeds, twelve words, 3 min each: macro-F1 0.812; bag_of_words, with
                     model.width=256 and optimizer.learning_rate=0.002, 50 s each: 0.874; with
                     data.word=bank, a model for this word, one seed, 90 s: 0.853
"""

from attention_lab.config import Config, replace
from attention_lab.config.parse import combine
from attention_lab.config.rules import no_transformer

BASE = {
    "data.source": "senses",
    "data.max_length": 56,
    "data.buckets": (28, 42, 56),
    "data.max_words": 50,
    "data.train_size": 40000,
    "data.dev_size": 1000,
    "data.test_size": 2000,
    "model.kind": "encoder",
    "model.num_layers": 2,
    "model.width": 128,
    "model.hidden": 256,
    "model.positions": "rotary",
    "optimizer.learning_rate": 0.002,
    "optimizer.warmup_steps": 200,
    "optimizer.schedule": "cosine",
    "training.steps": 3000,
    "training.batch_tokens": 3584,
    "training.dropout": 0.1,
    "training.label_smoothing": 0.0,
    "training.eval_every": 250,
    "training.checkpoint_every": 500,
}

_PLAIN = no_transformer() | {"attention.compatibility": "none"}
_RECURRENT = _PLAIN | {"model.num_layers": 1, "model.bidirectional": True}
VARIANTS = {
    "deep": {
        "data.train_size": 200000,
        "model.num_layers": 4,
        "optimizer.learning_rate": 0.0015,
        "training.steps": 8000,
        "training.average_decay": 0.995,
        "training.eval_every": 1000,
    },
    "coarsewsd": {
        "data.source": "coarsewsd",
        "data.vocabulary_size": 20000,
        "data.max_length": 160,
        "data.buckets": (32, 64, 160),
        "model.num_layers": 1,
        "optimizer.learning_rate": 0.003,
        "training.steps": 1000,  # some eight passes over twelve words; few words need as many steps
        "training.batch_tokens": 4096,
        "training.dropout": 0.5,
        "training.balance": 1.0,
        "training.average_decay": 0.995,
        "training.eval_every": 100,
        "training.checkpoint_every": 400,
    },
    "tsv": {
        "data.source": "senses_tsv",
        "data.text": "raw",
        "data.vocabulary_size": 60000,
        "data.max_length": 160,
        "data.buckets": (),
        "training.balance": 1.0,
    },
    "bag_of_words": _PLAIN | {"model.kind": "bag_of_words", "model.pooling": "mean"},
    "target_only": _PLAIN | {"model.kind": "bag_of_words", "model.pooling": "place"},
    "rnn": _RECURRENT | {"model.kind": "rnn"},
    "lstm": _RECURRENT | {"model.kind": "lstm"},
    "gru": _RECURRENT | {"model.kind": "gru"},
    "lstm_additive": _RECURRENT | {"model.kind": "lstm", "model.pooling": "additive"},
    "first": _RECURRENT | {
        "model.kind": "lstm",
        "model.pooling": "additive",
        "data.train_size": 60000,
        "optimizer.learning_rate": 0.003,
        "optimizer.warmup_steps": 100,
        "training.steps": 800,
        "training.dropout": 0.0,
        "training.eval_every": 200,
    },
    "smoke": {
        "data.train_size": 300,
        "data.dev_size": 16,
        "data.test_size": 16,
        "data.vocabulary_size": 1000,
        "data.buckets": (56,),
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
