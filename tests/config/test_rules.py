"""What a config may say: refused in one line that names the key, or let through."""

import math

import jax
import pytest

from attention_lab import models
from attention_lab.config import LEARNED_POSITIONS, Config, replace
from attention_lab.config.rules import DURATIONS, check

SENSES = {"data.source": "senses", "model.kind": "encoder"}
FILMS = SENSES | {"data.source": "sentiment_csv", "data.path": "films.csv"}
BAG = SENSES | {"model.kind": "bag_of_words", "attention.compatibility": "none"}


def test_the_default_is_sound():
    check(Config())


@pytest.mark.parametrize("values, said", [
    ({"model.num_heads": 7}, "model.num_heads=7 does not divide model.width=128"),
    ({"model.kind": "gru", "model.num_heads": 2}, "model.num_heads=2 means nothing to model.kind=gru: leave"),
    ({"model.kind": "lstm", "model.norm": "post"}, "model.norm=post means nothing to model.kind=lstm"),
    ({"model.kind": "rnn", "attention.implementation": "xla"}, "attention.implementation=xla means nothing"),
    ({"model.kind": "lstm", "model.norm": "none"}, "model.norm=none means nothing to model.kind=lstm"),
    ({"model.kind": "gru", "model.residual": False}, "model.residual=false means nothing to model.kind=gru"),
    ({"model.kind": "gru", "attention.window": 0}, "attention.window=0 means nothing to model.kind=gru"),
    ({"model.kind": "gru", "model.hidden": 0}, "model.hidden=0: model.kind=gru needs at least 1"),
    (SENSES | {"model.kind": "average", "model.hidden": 0, "attention.compatibility": "none"},
     "model.hidden=0: model.kind=average needs at least 1"),
    ({"model.hidden": 0, "model.activation": "gelu"},
     "model.activation=gelu means nothing to model.hidden=0"),
    ({"attention.window": -1}, "attention.window=-1 is not an integer of at least 0, or none"),
    ({"model.bidirectional": True}, "model.bidirectional=true means nothing to model.kind=transformer"),
    ({"model.forget_bias": 0.0}, "model.forget_bias=0 means nothing to model.kind=transformer"),
    ({"model.kind": "gru", "model.forget_bias": 0.0}, "model.forget_bias=0 means nothing to model.kind=gru"),
    ({"attention.compatibility": "none"}, "attention.compatibility=none: model.kind=transformer is nothing"),
    ({"model.kind": "gru", "model.bidirectional": True, "model.reverse_source": True},
     "model.reverse_source=true with model.bidirectional=true"),
    ({"model.kind": "gru", "model.bidirectional": True, "model.hidden": 7}, "model.hidden=7 is odd"),
    ({"model.kind": "gru", "model.input_feeding": True, "attention.compatibility": "none"},
     "model.input_feeding=true feeds the output of attention"),
    ({"model.kind": "gru", "attention.scale": 1.0, "attention.compatibility": "none"},
     "attention.scale=1 means nothing with attention.compatibility=none"),
    ({"model.kind": "transformer", "data.source": "recall"},
     "model.kind=transformer does not fit data.source=recall"),
    ({"model.num_heads": 7, "model.key_size": 5}, "model.num_heads=7"),
    ({"model.positions": "rotary", "model.key_size": 5}, "model.key_size=5 is odd"),
    ({"model.positions": "rotary", "model.width": 12, "model.num_heads": 4},
     "model.key_size=3 is odd"),
    ({"attention.implementation": "xla", "attention.compatibility": "cosine"},
     "attention.implementation=xla"),
    ({"model.positions": "learned", "decoding.max_length": 513},
     "decoding.max_length=513 is beyond the table"),
    ({"attention.scale": "sqrt"}, "attention.scale=sqrt is not one of inverse_sqrt, inverse"),
    ({"attention.scale": math.nan}, "attention.scale=nan"),
    ({"attention.scale": True}, "attention.scale=true"),
    ({"data.buckets": (16, 12)}, "data.buckets=16,12 does not rise"),
    ({"data.buckets": (12, 12)}, "data.buckets=12,12 does not rise"),
    ({"data.buckets": (1, 12)}, "data.buckets=1,12"),
    ({"data.buckets": (12, 49)}, "data.max_length=48"),
    ({"data.buckets": [12, 16]}, "data.buckets"),
    ({"data.min_words": 9, "data.max_words": 8}, "data.min_words=9 is above data.max_words=8"),
    ({"data.max_words": 121}, "data.max_words=121 is not an integer from 3 to 120"),
    ({"data.source": "multi30k"}, "data.directory is not set"),
    ({"data.source": "tsv"}, "data.path is not set"),
    ({"data.source": "web"}, "data.source=web is not one of grammar, multi30k, tsv"),
    ({"data.tokenizer": ""}, "data.tokenizer='' is not one of bpe, word"),
    ({"training.steps": None}, "none is set"),
    ({"training.epochs": 3.0}, "training.steps=1000, training.epochs=3 set"),
    ({"training.steps": 10.0}, "training.steps=10 is not an integer"),
    ({"training.steps": True}, "training.steps=true"),
    ({"training.dropout": 1.0}, "training.dropout=1 is not a number from 0 to 0.95"),
    ({"training.dropout": math.inf}, "training.dropout=inf"),
    ({"optimizer.epsilon": 0.0}, "optimizer.epsilon=0 is not a number above 0"),
    ({"model.tie_embeddings": 1}, "model.tie_embeddings=1 is not true or false"),
    ({"model.causal": True}, "model.causal=true means nothing to model.kind=transformer"),
    ({"data.word": "bank"}, "data.word=bank means nothing to data.source=grammar"),
    ({"data.dev_share": 0.2}, "data.dev_share=0.2 means nothing to data.source=grammar"),
    ({"data.people": 7}, "data.people=7 means nothing to data.source=grammar: leave it at 100"),
    (SENSES | {"model.causal": True}, "model.causal=true means nothing to data.source=senses"),
    (SENSES | {"model.tie_embeddings": False}, "model.tie_embeddings=false means nothing to data.source="),
    (SENSES | {"data.dev_share": 0.2}, "data.dev_share=0.2 means nothing to data.source=senses"),
    (SENSES | {"data.vectors": "v.txt", "data.tokenizer": "bpe"}, "data.vectors=v.txt has vectors of words"),
    (BAG | {"attention.scale": 2.0}, "attention.scale=2 means nothing with attention.compatibility=none"),
    (BAG | {"attention.compatibility": "dot"}, "model.kind=bag_of_words attends by model.pooling alone"),
    (BAG | {"model.bidirectional": True}, "model.bidirectional=true means nothing to model.kind=bag_of"),
    (BAG | {"attention.weights": "uniform", "model.pooling": "mean"}, "model.pooling=mean has no weights"),
    (BAG | {"attention.divergence": 1.0}, "attention.divergence=1 means nothing to attention.weights="),
    (BAG | {"attention.weights": "adversarial", "attention.guide": "runs/a", "model.pooling": "additive",
            "training.word_dropout": 0.3},
     "training.word_dropout=0.3 means nothing to attention.weights=adversarial"),
    (BAG | {"attention.guide": "runs/a"}, "attention.guide=runs/a, attention.weights=learned"),
    (SENSES | {"model.kind": "transformer"}, "encoder, linear_attention, rnn, lstm, gru, average, bag"),
    (SENSES | {"data.least_distance": 9, "data.most_distance": 8}, "data.least_distance=9 is above"),
    (SENSES | {"data.distractors": ()}, "data.distractors='': numbers of at least 0"),
    (FILMS, "model.pooling=place: data.source=sentiment_csv classifies whole sentences"),
    (FILMS | {"model.pooling": "mean", "data.dev_share": 0.2}, "data.dev_share=0.2 means nothing"),
    (FILMS | {"data.path": ""}, "data.path is not set: data.source=sentiment_csv needs"),
    ({"data.shots": 3}, "data.shots=3 means nothing to data.source=grammar"),
    ({"seed": 2 ** 31}, "seed=2147483648 is not an integer from 0 to 2147483647"),
    ({"seed": -1}, "seed=-1"),
])
def test_what_no_run_could_follow_is_refused_in_one_line(values, said):
    with pytest.raises(ValueError) as refused:
        check(replace(Config(), values))
    assert said in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("values", [
    {"model.kind": "lstm", "model.width": 7, "model.forget_bias": 0.0, "attention.compatibility": "none"},
    {"model.kind": "gru", "model.bidirectional": True, "attention.scale": "inverse"},
    {"model.num_heads": 7, "model.key_size": 5, "model.value_size": 3},
    {"model.positions": "rotary", "model.num_heads": 7, "model.key_size": 6, "model.value_size": 3},
    {"model.positions": "learned", "decoding.max_length": 512}, {"decoding.max_length": 513},
    {"attention.scale": 2}, {"attention.scale": "inverse"},
    {"attention.implementation": "xla"},
    {"model.hidden": 0, "model.residual": False, "model.norm": "none", "attention.window": 0},
    SENSES | {"model.hidden": 0, "attention.window": 3},
    {"data.buckets": (48,)}, {"data.buckets": (2, 3, 5)},
    SENSES | {"data.tokenizer": "bpe"}, SENSES | {"data.vectors": "v.txt"}, BAG | {"model.width": 3},
    FILMS | {"model.pooling": "dot"},
    SENSES | {"data.source": "coarsewsd", "data.directory": "d", "data.word": "bank", "data.dev_share": 0.2},
    {"data.source": "tsv", "data.path": "x.tsv", "data.min_words": 30},
    {"training.steps": None, "training.max_minutes": 0.5},
    {"training.dropout": 0}, {"training.dropout": 0.95},
])
def test_what_a_run_can_follow_is_let_through(values):
    check(replace(Config(), values))


def test_the_table_of_learned_positions_is_as_long_as_is_checked():
    model = models.build(replace(Config(), {"model.positions": "learned"}), 9)
    table = jax.eval_shape(model.init, jax.random.key(0))["places"]
    assert table.shape == (2, LEARNED_POSITIONS, 128)


def test_exactly_one_duration_of_three():
    """All eight ways to set or not set the durations: three are allowed."""
    fine = 0
    for pattern in range(8):
        values = {key: 3 if pattern >> place & 1 else None for place, key in enumerate(DURATIONS)}
        try:
            check(replace(Config(), values))
            fine += 1
            assert pattern in (1, 2, 4)
        except ValueError:
            pass
    assert fine == 3
