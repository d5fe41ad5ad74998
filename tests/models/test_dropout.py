"""Dropout of units and of words: the share, what stays, and what a mask depends on."""

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.data.vocabulary import UNKNOWN
from attention_lab.models.dropout import drop_words, make_dropout


def test_dropout_drops_its_share_and_follows_the_example():
    x, key = jnp.ones((3, 17, 101)), jax.random.key(0)
    dropped = make_dropout(key, jnp.float32(0.3), jnp.array([4, 9, 4]))(x, 2)
    assert abs(float((dropped == 0).mean()) - 0.3) < 0.02
    np.testing.assert_allclose(dropped.max(), 1 / 0.7, rtol=1e-6)
    np.testing.assert_array_equal(dropped[0], dropped[2])
    assert (dropped[0] != dropped[1]).any()
    assert (dropped != make_dropout(key, 0.3, jnp.array([4, 9, 4]))(x, 3)).any()


def test_a_share_of_the_words_is_read_as_unknown_and_kept_ones_are_not():
    key, kept = jax.random.key(0), jnp.arange(1009)[None, :] % 7 == 0
    tokens = jnp.broadcast_to(jnp.arange(1009) + 10, (3, 1009))
    read = drop_words(key, 0.3, tokens, kept, jnp.array([4, 9, 4]))
    unknown = np.asarray(read == UNKNOWN)
    assert abs(unknown[:, ~kept[0]].mean() - 0.3) < 0.03 and not unknown[:, kept[0]].any()
    np.testing.assert_array_equal(read[~unknown], tokens[~unknown])
    np.testing.assert_array_equal(read[0], read[2])
    assert (read[0] != read[1]).any()
    # Padding of a batch changes no mask.
    np.testing.assert_array_equal(drop_words(key, 0.3, tokens[:, :31], kept[:, :31], jnp.array([4, 9, 4])),
                                  read[:, :31])
    assert (drop_words(jax.random.key(1), 0.3, tokens, kept, jnp.array([4, 9, 4])) != read).any()


def test_without_a_key_or_a_rate_every_word_is_read():
    tokens, kept, example = jnp.full((2, 5), 7), jnp.zeros((2, 5), bool), jnp.arange(2)
    assert drop_words(None, 0.9, tokens, kept, example) is tokens
    assert drop_words(jax.random.key(0), 0.0, tokens, kept, example) is tokens
