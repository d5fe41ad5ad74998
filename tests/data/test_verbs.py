"""Sentences with a verb: parts with equally many attractors."""

from attention_lab.data import verbs


def some(count, attractors):
    """Sentences "s0 sees", "s1 sees" and so on."""
    return verbs.Verbs([f"s{i} sees" for i in range(count)], [1] * count, ["sees"] * count, ["see"] * count,
                       attractors, {"verbs_of_one_form": 7, "sentences": count})


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
