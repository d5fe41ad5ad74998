"""The grammar's English verbs in both numbers."""

from attention_lab.data import grammar
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
    """The first of equals: of "the dog that the kings see sleeps" it is `sleeps`."""
    train = agreement.read(400, 0, 0, seed=0, lexicon_size=300, max_words=14)["train"]
    sentences = grammar.corpus(400, 0, 0, seed=0, lexicon_size=300, max_words=14)["train"]
    later = 0
    for sentence, place, attractors in zip(sentences, train.position, train.attractors, strict=True):
        links = [link for link in sentence.agreement if link.marked]
        most = max(link.attractors for link in links)
        first = next(link for link in links if link.attractors == most)
        assert (place, attractors) == (first.english_verb, most)
        later += first is not links[0]
    assert later > 5


def test_sentences_without_a_verb_that_shows_its_number_are_left_out():
    train = agreement.read(500, 0, 0, seed=0)["train"]
    assert len(train) + train.counts["verbs_without_number"] == 500
    assert train.counts["verbs_without_number"] > 20 and train.counts["sentences"] == len(train)
