"""Sentences with a verb: contexts of one sentence each, and parts with equally many attractors."""

import numpy as np

from attention_lab.data import tokenizers, verbs
from attention_lab.data.vocabulary import EOS, PAD, UNKNOWN


def some(count, attractors):
    """Sentences "s0 sees", "s1 sees" and so on."""
    return verbs.Verbs([f"s{i} sees" for i in range(count)], [1] * count, ["sees"] * count, ["see"] * count,
                       attractors, {"verbs_of_one_form": 7, "sentences": count})


def test_a_context_is_one_sentence():
    tokenizer = tokenizers.train("word", ["a a a b b c"], 60)
    a, b, c = (row[0] for row in tokenizer.encode(["a", "b", "c"]))
    three = verbs.Verbs(["a b", "a b c a b", "é"], [0] * 3, ["a"] * 3, ["b"] * 3, [0] * 3)
    contexts = three.contexts(tokenizer, 4)
    assert contexts.target.tolist() == [[a, b, EOS, PAD], [a, b, c, a], [UNKNOWN, EOS, PAD, PAD]]
    assert contexts.source.tolist() == [[EOS, a, b, EOS], [EOS, a, b, c], [EOS, UNKNOWN, EOS, PAD]]
    assert contexts.bytes == 0 and three.contexts(tokenizer, 6).bytes == 4 + 10 + 3  # with every end mark
    batches, count = three.training(tokenizer, 4, 3)
    batch = next(batches(0, 0))
    assert count == 3 and sorted(batch["example"].tolist()) == [0, 1, 2]
    np.testing.assert_array_equal(batch["target"], contexts.target[batch["example"]])


def test_parts_have_equal_shares_of_attractors_and_no_sentence_twice():
    whole = some(170, [0] * 100 + [1] * 50 + [4] * 20)
    parts = verbs.split(whole, 3)
    shares = {name: [part.attractors.count(n) for n in (0, 1, 4)] for name, part in parts.items()}
    assert shares == {"train": [70, 35, 14], "dev": [10, 5, 2], "test": [20, 10, 4]}
    assert sorted(text for part in parts.values() for text in part.text) == sorted(whole.text)
    assert all(part.text == sorted(part.text, key=lambda text: int(text[1:-5])) for part in parts.values())
    assert parts["train"].counts == {"verbs_of_one_form": 7, "sentences": 119}
    assert parts["test"].counts == {"sentences": 34}


def test_the_seed_decides_who_is_in_test():
    whole = some(100, [0] * 100)
    first, again, other = (verbs.split(whole, seed)["test"].text for seed in (0, 0, 1))
    assert first == again != other
    assert first != whole.text[:20]
