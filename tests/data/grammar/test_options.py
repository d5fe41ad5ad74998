"""Options of a corpus: distances, lengths, depth, seeds, splits; and what is refused."""

from collections import Counter

import pytest

from attention_lab.data import grammar
from attention_lab.data.grammar.function_words import PREPOSITIONS


@pytest.mark.parametrize("distance", [(1, 1), (2, 3), (7, 7), (17, 23), (40, 40)])
@pytest.mark.parametrize("side", ["before", "after"])
def test_deciding_word_at_the_distance_asked_for(distance, side):
    found = grammar.generate(53, seed=5, min_words=60, max_words=73, ambiguous_share=1.0,
                             sense_distance=distance, sense_side=side)
    assert len({sentence.senses[0].word for sentence in found}) >= 5
    for sentence in found:
        sense, = sentence.senses
        assert distance[0] <= sense.distance <= distance[1]
        assert (sense.decider < sense.english) == (side == "before")


@pytest.mark.parametrize("words", [3, 4, 5, 6, 7, 11, 29, 59, 83, 119, 120])
def test_exact_lengths(words):
    sentences = grammar.generate(31, seed=words, min_words=words, max_words=words)
    assert {sentence.words for sentence in sentences} == {words}
    assert all(len(sentence.source.split()) == words + 1 for sentence in sentences)


def test_lengths_are_spread_over_the_range():
    lengths = Counter(sentence.words for sentence in grammar.generate(
        1700, seed=0, min_words=4, max_words=20))
    assert set(lengths) == set(range(4, 21))
    assert min(lengths.values()) > 60


def test_same_seed_same_corpus_and_another_seed_another():
    assert grammar.generate(97, seed=7) == grammar.generate(97, seed=7)
    assert grammar.generate(97, seed=7) != grammar.generate(97, seed=8)
    # A longer corpus begins with the shorter one.
    assert grammar.generate(151, seed=7)[:97] == grammar.generate(97, seed=7)


def test_one_translation_and_no_sentence_in_two_splits():
    splits = grammar.corpus(3000, 200, 300, seed=1, lexicon_size=200, min_words=3, max_words=9)
    assert [len(splits[name]) for name in ("train", "dev", "test")] == [3000, 200, 300]
    sources = [sentence.source for name in splits for sentence in splits[name]]
    assert len(set(sources)) == 3500
    again = grammar.corpus(1000, 200, 300, seed=1, lexicon_size=200, min_words=3, max_words=9)
    assert again["test"] == splits["test"] and again["dev"] == splits["dev"]
    translation = {}
    for seed in range(3):
        for sentence in grammar.generate(1500, seed=seed, lexicon_size=120, max_words=6):
            assert translation.setdefault(sentence.english, sentence.french) == sentence.french
    assert len(translation) < 4500  # some did come twice


def test_what_differs_in_train_leaves_dev_and_test_as_they_are():
    def parts(**options):
        return grammar.corpus(701, 101, 103, seed=1, lexicon_size=200, max_words=9, **options)

    plain, same, more = parts(), parts(train={"ambiguous_share": 0.3}), parts(train={"ambiguous_share": 0.9})
    assert plain == same
    assert (more["dev"], more["test"]) == (plain["dev"], plain["test"])
    ambiguous = [sum(bool(sentence.senses) for sentence in part["train"]) for part in (plain, more)]
    assert ambiguous[1] > 2 * ambiguous[0] > 0
    assert len({sentence.english for part in more.values() for sentence in part}) == 905
    with pytest.raises(ValueError, match="depth=3 is no option of the grammar"):
        parts(train={"depth": 3})
    with pytest.raises(ValueError, match="size=9501: there are only .* different sentences of 3 to 3 words"):
        grammar.corpus(9001, 300, 200, seed=0, lexicon_size=100, max_words=3, train={"ambiguous_share": 0.5})


def test_default_corpus_has_about_a_thousand_types_and_every_phenomenon():
    sentences = grammar.generate(20000, seed=0)
    english = {word for sentence in sentences for word in sentence.english}
    french = {word for sentence in sentences for word in sentence.french}
    assert 900 <= len(english) + len(french) <= 1100
    assert len({sense.word for sentence in sentences for sense in sentence.senses}) >= 30
    share = Counter()
    for sentence in sentences:
        share["sense"] += bool(sentence.senses)
        share["pronoun"] += bool(sentence.antecedents)
        share["attractor"] += any(link.attractors for link in sentence.agreement)
        share["negation"] += "pas" in sentence.french or "jamais" in sentence.french
        share["relative"] += "that" in sentence.english or "who" in sentence.english
        share["contraction"] += bool({"du", "au", "aux"} & set(sentence.french))
    assert min(share.values()) > 0.05 * len(sentences)
    used = {word for sentence in sentences for word in sentence.english}
    assert {word for entry in PREPOSITIONS for word in entry.english} <= used


@pytest.mark.parametrize("depth", [0, 1, 6])
def test_depth_of_relative_clauses(depth):
    def most(sentence):
        """Finite verbs whose subject stands before k other open subjects: k clauses inside."""
        spans = [(link.english_subject, link.english_verb) for link in sentence.agreement]
        return max(sum(s < verb < v for s, v in spans) for _, verb in spans)
    found = grammar.generate(211, seed=2, min_words=40, max_words=60, max_depth=depth)
    relatives = sum(word in ("that", "who") for sentence in found for word in sentence.english)
    assert (relatives > 0) == (depth > 0)
    assert max(map(most, found)) <= depth
    assert depth < 6 or max(map(most, found)) >= 3


def test_attractor_share():
    counts = [sum(link.attractors for sentence in grammar.generate(
        401, seed=4, min_words=10, attractor_share=share) for link in sentence.agreement)
        for share in (0.0, 0.5, 1.0)]
    assert counts[0] < counts[1] / 2 and counts[1] < counts[2]


@pytest.mark.parametrize("options, message", [
    ({"min_words": 2}, "min_words=2"), ({"max_words": 121}, "max_words=121"),
    ({"min_words": 9, "max_words": 8}, "min_words=9, max_words=8"),
    ({"ambiguous_share": 1.5}, "ambiguous_share=1.5"), ({"max_depth": -1}, "max_depth=-1"),
    ({"sense_distance": (3, 2)}, "sense_distance"), ({"sense_side": "left"}, "sense_side='left'"),
    ({"lexicon_size": 7}, "lexicon_size=7"), ({"depth": 3}, "depth=3 is no option of the grammar")])
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        grammar.generate(1, seed=0, **options)
    assert "\n" not in str(caught.value)


def test_more_sentences_than_exist_are_refused():
    with pytest.raises(ValueError, match="size=9000: there are only .* different sentences of 3 to 3 words"):
        grammar.generate(9000, seed=0, lexicon_size=100, min_words=3, max_words=3)
