"""The grammar's English verbs in both numbers."""

from attention_lab.data.synthetic import agreement


def test_verbs_stand_where_they_are_said_to_and_have_another_form():
    parts = agreement.read(400, 40, 60, seed=0, lexicon_size=300, max_words=14)
    assert [len(parts[name]) for name in ("train", "dev", "test")] == [400, 40, 60]
    pairs = set()
    for part in parts.values():
        for text, place, right, wrong in zip(part.text, part.position, part.right, part.wrong):
            assert text.split(" ")[place] == right != wrong
            pairs.add((right, wrong))
    assert {("is", "are"), ("are", "is"), ("sees", "see"), ("see", "sees"), ("has", "have")} <= pairs
    assert {0, 1, 2} <= set(parts["train"].attractors)


def test_the_verb_with_the_most_attractors_is_asked_for():
    """Of "the dog that the kings see sleeps" it is `sleeps`."""
    train = agreement.read(400, 0, 0, seed=0, lexicon_size=300, max_words=14)["train"]
    texts = [(text.split(" "), place) for text, place, n in
             zip(train.text, train.position, train.attractors) if n]
    assert any("that" in words[:place] for words, place in texts)


def test_sentences_without_a_verb_that_shows_its_number_are_left_out():
    train = agreement.read(500, 0, 0, seed=0)["train"]
    assert len(train) + train.counts["verbs_without_number"] == 500
    assert train.counts["verbs_without_number"] > 20 and train.counts["sentences"] == len(train)
