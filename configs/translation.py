"""English to French with a small Transformer, or a recurrent network.

    python -m experiments.train --config=configs/translation.py:first --workdir=runs/translation
    python -m experiments.train --config=configs/translation.py:multi30k \
        --config.data.directory=DIR --workdir=runs/m30k
    python -m experiments.train --config=configs/translation.py:tsv --config.data.path=pairs.tsv

Variants join by commas, in any order: `multi30k,raw`, `multi30k,full`, `tsv,smoke`.

    (none)     the built-in grammar: about 1,000 word types, sentences of 3 to 20 words
    first      what `make translate` trains: the same dev and test, five times the training sentences, six of
               ten with an ambiguous noun; a higher rate, no dropout; keeps early parameters for view.html
    smoke      seconds, on a few hundred sentences; needs no file
    multi30k   image captions, lower-cased and tokenised: Transformer-Tiny (Wu et al. 2021:
               4 + 4 layers of width 128), here pre-norm, with a moving average of weights
    raw        multi30k: the original captions, scored cased by sacreBLEU's 13a
    full       multi30k: the long recipe
    tsv        any file of "english TAB french" lines; lines are held out for dev and test

    rnn, lstm, gru    a fixed vector (Cho et al. 2014): encoder and decoder of one layer, no attention
    gru_reversed      the same, the source read backwards (Sutskever et al. 2014)
    gru_bahdanau, lstm_bahdanau    bidirectional encoder, additive attention (Bahdanau et al. 2015)
    gru_luong, lstm_luong          one direction, unscaled dot attention, input feeding (Luong et al. 2015);
                                   their "general": --config.attention.compatibility=general
    gru_luong_reversed             the same, the source read backwards

Measured: one seed each, two cores of an Intel Xeon with AMX; BLEU by beam 5, checkpoint selected on dev.

    first           1,200 steps: dev 99.5, test 99.3; of the test's ambiguous nouns 98.7 % are right, of its
                    verbs 99.4 % agree, of its pronouns all (151 nouns, 1,020 verbs, 82 pronouns). 201 s of
                    processor time from start to end, on an AMD EPYC beside other processes
    (none)          1,500 steps, 3 min: dev 95.2, test 95.7
    multi30k        12,000 steps, about 60 min (12,200 target tokens a second on quiet cores):
                    val 60.1, test_2016_flickr 61.7, tokenised and lower-cased; best at step 9,000
    multi30k,full   18,000 steps, about 90 min: val 60.8, test_2016_flickr 63.0; best at step 18,000
    multi30k,raw    12,000 steps, about 65 min: val 59.0, test_2016_flickr 61.0, cased, 13a; best at step
                    12,000

Recurrent networks, Multi30k in 1,500 steps of 2,048 tokens, 1.3 million parameters beside the embeddings,
three seeds, greedy (the study recurrent_multi30k): gru 24.3, gru_bahdanau 47.3, a Transformer 47.0 on
test_2016_flickr.

In float32 a step of multi30k takes 1.6 times as long on that machine (0.49 s against 0.30 s); on a CPU
without bfloat16 products `--config.training.precision=float32` may be faster.
"""

from attention_lab.config import RECURRENT, Config, replace
from attention_lab.config.parse import combine
from attention_lab.config.rules import no_transformer

BASE = {
    "data.tokenizer": "word",
    "data.max_length": 24,
    "data.buckets": (16, 24),
    "training.steps": 1500,
    "training.batch_tokens": 2048,
    "training.eval_every": 250,
    "training.checkpoint_every": 250,
    "decoding.max_length": 32,
}

# All fields in which recurrent variants differ, so that of two the later one holds entirely.
_RECURRENT = {"model.num_layers": 1, "optimizer.learning_rate": 0.003, "model.bidirectional": False,
              "model.reverse_source": False, "model.input_feeding": False, "attention.compatibility": "dot",
              "attention.scale": None}
_FIXED = _RECURRENT | {"attention.compatibility": "none"}
_BAHDANAU = _RECURRENT | {"attention.compatibility": "additive", "model.bidirectional": True}
_LUONG = _RECURRENT | {"attention.scale": 1.0, "model.input_feeding": True}

# Applied in this order, in whatever order they are named: smoke comes last.
VARIANTS = {
    # There are 257 pairs of an ambiguous noun and a word that decides its sense. Half of them occur in 17
    # training sentences of (none) or fewer, so that senses are learnt last; here half occur in 172 or more.
    "first": {
        "data.train_size": 100000,
        "data.ambiguous_share": 0.6,
        "optimizer.learning_rate": 0.003,
        "optimizer.warmup_steps": 200,
        "optimizer.schedule": "cosine",
        "training.steps": 1200,
        "training.dropout": 0.0,
        "training.label_smoothing": 0.0,
        "training.eval_every": 300,
        "training.checkpoint_every": 300,
        "training.keep_views": 6,
    },
    "multi30k": {
        "data.source": "multi30k",
        "data.tokenizer": "bpe",
        "data.vocabulary_size": 6000,
        "data.max_length": 48,
        "data.buckets": (),
        "model.num_layers": 4,
        "model.width": 128,
        "model.hidden": 256,
        "model.num_heads": 4,
        "model.norm": "pre",
        "optimizer.learning_rate": 0.005,
        "optimizer.warmup_steps": 2000,
        "optimizer.schedule": "inverse_sqrt",
        "training.steps": 12000,
        "training.batch_tokens": 4096,
        "training.precision": "bfloat16",
        "training.dropout": 0.3,
        "training.label_smoothing": 0.1,
        "training.average_decay": 0.999,
        "training.eval_every": 500,
        "training.checkpoint_every": 500,
        "decoding.max_length": 80,
    },
    "tsv": {
        "data.source": "tsv",
        "data.text": "raw",
        "data.tokenizer": "bpe",
        "data.max_length": 48,
        "data.buckets": (),
        "training.steps": 3000,
        "decoding.max_length": 80,
    },
    "raw": {"data.text": "raw"},
    "rnn": _FIXED | {"model.kind": "rnn"},
    "lstm": _FIXED | {"model.kind": "lstm"},
    "gru": _FIXED | {"model.kind": "gru"},
    "gru_reversed": _FIXED | {"model.kind": "gru", "model.reverse_source": True},
    "gru_bahdanau": _BAHDANAU | {"model.kind": "gru"},
    "lstm_bahdanau": _BAHDANAU | {"model.kind": "lstm"},
    "gru_luong": _LUONG | {"model.kind": "gru"},
    "lstm_luong": _LUONG | {"model.kind": "lstm"},
    "gru_luong_reversed": _LUONG | {"model.kind": "gru", "model.reverse_source": True},
    "full": {"training.steps": 18000},
    "smoke": {
        "data.train_size": 300,
        "data.dev_size": 16,
        "data.test_size": 16,
        "data.vocabulary_size": 1000,
        "data.max_length": 16,
        "data.buckets": (16,),
        "data.max_words": 8,
        "model.width": 16,
        "model.hidden": 32,
        "model.num_heads": 2,
        "model.num_layers": 1,
        "training.steps": 6,
        "training.batch_tokens": 256,
        "training.eval_every": 3,
        "training.checkpoint_every": 3,
        "training.log_every": 1,
        "decoding.beam": 2,
        "decoding.max_length": 16,
    },
}


def get_config(variant: str = "") -> Config:
    """The config of the named variants; ValueError for a name that VARIANTS does not have."""
    config = combine(replace(Config(), BASE), VARIANTS, variant)
    # The number of heads in smoke and multi30k is the Transformer's alone.
    return replace(config, no_transformer()) if config.model.kind in RECURRENT else config
