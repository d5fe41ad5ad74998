"""The losses of classifiers: which words are read in training."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.config import Config, replace, split
from attention_lab.data.vocabulary import EOS, PAD, UNKNOWN
from attention_lab.tasks.classification.losses import make_loss

BATCH = {"source": jnp.array([[11, 12, 13, EOS, PAD]] * 7), "position": jnp.full(7, 1),
         "example": jnp.arange(7), "weight": jnp.ones(7), "target": jnp.zeros(7, int),
         "word": jnp.zeros(7, int)}


class Reader:
    """A model that notes the tokens it is given."""

    def apply(self, params, batch, hyper, key=None, **more):
        self.read = np.asarray(batch["source"])
        raise StopIteration


def read(source, key, **changes):
    config = replace(Config(), {"data.source": source, "model.kind": "bag_of_words", **changes})
    model = Reader()
    with pytest.raises(StopIteration):
        make_loss(config, model)({}, BATCH, split(config)[1], key)
    return model.read


def test_the_target_word_and_the_end_mark_are_always_read():
    rows = read("senses", jax.random.key(0), **{"training.word_dropout": 0.95})
    assert (rows[:, [0, 2]] == UNKNOWN).mean() > 0.7
    np.testing.assert_array_equal(rows[:, [1, 3, 4]], BATCH["source"][:, [1, 3, 4]])


def test_of_a_whole_sentence_every_word_may_be_dropped():
    rows = read("sentiment_csv", jax.random.key(0), **{"training.word_dropout": 0.95})
    assert (rows[:, 1] == UNKNOWN).any()
    np.testing.assert_array_equal(rows[:, 3:], BATCH["source"][:, 3:])


def test_words_are_dropped_in_training_alone():
    np.testing.assert_array_equal(read("senses", None, **{"training.word_dropout": 0.95}), BATCH["source"])
    np.testing.assert_array_equal(read("senses", jax.random.key(0)), BATCH["source"])
