"""A language model on stories that the grammar writes, whose entropy is known, or on any text.

    python -m experiments.train --config=configs/language.py --workdir=runs/stories
    python -m experiments.train --config=configs/language.py:bytes --config.data.path=text.txt
    python -m experiments.sample --run=runs/stories --prompt="one king" --tokens=40

    (none)           a causal Transformer on words; a text has the 6,000 most frequent
    bpe, bytes       the same on subwords, or bytes, of the text at data.path, in contexts of 256
    rnn, lstm, gru   256 units that read from left to right
    smoke            seconds

--config.model.kind=linear_attention reads with linear attention. Of a text the last 500 lines are test and
the 500 before them dev: a shorter text needs smaller data.dev_size and data.test_size. data.source=facts has
sentences about invented people, data.source=agreement sentences with a verb (docs/cli.md).

Measured: one seed, two cores of an AMD EPYC, 2,000 steps in 170 s; checkpoint selected on dev, test evaluated
once: perplexity 5.03 on test, which is 0.031 nats a word above the entropy of the stories, 1.584.
"""

from attention_lab.config import RECURRENT, Config, replace
from attention_lab.config.parse import combine
from attention_lab.config.rules import no_transformer

BASE = {
    "data.source": "text",
    "data.lexicon_size": 2000,
    "data.context": 64,
    "model.kind": "encoder",
    "model.causal": True,
    "model.width": 128,
    "model.hidden": 512,
    "model.positions": "rotary",
    "optimizer.learning_rate": 0.002,
    "optimizer.warmup_steps": 200,
    "optimizer.schedule": "cosine",
    "training.steps": 2000,
    "training.batch_tokens": 4096,
    "training.dropout": 0.0,
    "training.label_smoothing": 0.0,
    "training.eval_every": 250,
    "training.checkpoint_every": 500,
}

VARIANTS = {
    "bpe": {"data.tokenizer": "bpe", "data.context": 256, "training.dropout": 0.1},
    "bytes": {"data.tokenizer": "byte", "data.context": 256, "training.dropout": 0.1},
    **{kind: {**no_transformer(), "model.kind": kind, "attention.compatibility": "none", "model.hidden": 256}
       for kind in RECURRENT},
    "smoke": {
        "data.lexicon_size": 300,
        "data.context": 16,
        "data.dev_size": 16,
        "data.test_size": 16,
        "model.width": 16,
        "model.hidden": 32,
        "training.steps": 6,
        "training.batch_tokens": 256,
        "training.eval_every": 3,
        "training.checkpoint_every": 3,
        "training.log_every": 1,
    },
}


def get_config(variant: str = "") -> Config:
    """The config of the named variants; ValueError for a name that VARIANTS does not have."""
    return combine(replace(Config(), BASE), VARIANTS, variant)
