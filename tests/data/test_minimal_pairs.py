"""Minimal pairs: a context is one sentence."""

import numpy as np

from attention_lab.data import tokenizers
from attention_lab.data.verbs import Verbs
from attention_lab.data.vocabulary import EOS, PAD, UNKNOWN


def test_a_context_is_one_sentence():
    tokenizer = tokenizers.train("word", ["a a a b b c"], 60)
    a, b, c = (row[0] for row in tokenizer.encode(["a", "b", "c"]))
    three = Verbs(["a b", "a b c a b", "é"], [0] * 3, ["a"] * 3, ["b"] * 3, [0] * 3)
    contexts = three.contexts(tokenizer, 4)
    assert contexts.target.tolist() == [[a, b, EOS, PAD], [a, b, c, a], [UNKNOWN, EOS, PAD, PAD]]
    assert contexts.source.tolist() == [[EOS, a, b, EOS], [EOS, a, b, c], [EOS, UNKNOWN, EOS, PAD]]
    assert contexts.bytes == 0 and three.contexts(tokenizer, 6).bytes == 4 + 10 + 3  # with every end mark
    batches, count = three.training(tokenizer, 4, 3)
    batch = next(batches(0, 0))
    assert count == 3 and sorted(batch["example"].tolist()) == [0, 1, 2]
    np.testing.assert_array_equal(batch["target"], contexts.target[batch["example"]])


def test_the_digest_covers_every_column():
    """A line for each sentence, its columns between tabs; in the order of the fields."""
    assert Verbs(["a b", "c"], [1, 0], ["b", "c"], ["x", "y"], [2, 3]).text_columns() == [
        ["a b\t1\tb\tx\t2", "c\t0\tc\ty\t3"]]
