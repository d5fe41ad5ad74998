"""Facts about people: told in five ways, one of which is held out of train."""

import re
from collections import Counter

import pytest

from attention_lab.data.synthetic import agreement, facts

SIZES = {"train_size": 60, "dev_size": 11, "test_size": 17, "lexicon_size": 300, "max_words": 12}


def told(part):
    """[(person, relation, value, sentence)] of the sentences of a part that tell a fact, by their columns."""
    rows = []
    for text, place, right, wrong, kind, name in zip(part.text, part.position, part.right, part.wrong,
                                                     part.kind, part.name):
        words = text.split(" ")
        assert words[place] == right != wrong
        if kind != facts.VERB:
            assert {right, wrong} <= set(facts.RELATIONS[kind][1]) and words[place + 1:] == ["."]
            assert words[name - 1] in facts.FIRST and words[name] in facts.LAST
            rows.append((" ".join(words[name - 1:name + 1]), kind, right, text))
        else:
            assert name == -1
    return rows


def test_a_fact_of_dev_and_test_is_in_train_told_in_all_other_ways():
    parts = facts.read(**SIZES, seed=3, people=13)
    train, dev, test = (told(parts[name]) for name in ("train", "dev", "test"))
    assert (len(dev), len(test), len(train)) == (11, 17, 13 * 4 * 5 - 28)
    ways = Counter(row[:3] for row in train)
    for row in (*dev, *test):
        assert ways[row[:3]] == 4 and row not in train
    assert len({row[0] for row in train}) == 13
    assert len(ways) == 52  # of each person one value of each relation, in train at least four times


def test_every_way_tells_the_relation_and_no_word_is_a_value_twice():
    values = [value for _, of_kind in facts.RELATIONS.values() for value in of_kind]
    names = facts.FIRST + facts.LAST
    assert max(Counter(values + names).values()) == 1 and facts.MOST == len(facts.FIRST) * len(facts.LAST)
    ways = [way for of_kind, _ in facts.RELATIONS.values() for way in of_kind]
    assert len(set(ways)) == 20 and all(way.count("{}") == 1 for way in ways)
    assert not {word for way in ways for word in way.split()} & {*values, *names}


def test_other_sentences_are_those_of_the_grammar():
    parts = facts.read(**SIZES, seed=3, people=13)
    verbs = agreement.read(**SIZES, seed=3)
    for split, part in parts.items():
        rest = [row for row in zip(part.text, part.position, part.right, part.wrong, part.kind)
                if row[-1] == facts.VERB]
        of_grammar = verbs[split]
        assert [row[:4] for row in rest] == list(zip(of_grammar.text, of_grammar.position, of_grammar.right,
                                                     of_grammar.wrong))
        assert part.counts["sentences"] == len(part) == len(rest) + len(told(part))


def test_the_seed_decides_facts_and_what_is_held_out():
    first, again, other = (facts.read(**SIZES, seed=seed, people=13)["test"].text for seed in (0, 0, 1))
    assert first == again != other


def test_values_are_drawn_evenly_and_independently_of_names():
    train = told(facts.read(1, 0, 0, seed=0, people=1000, lexicon_size=300, max_words=12)["train"])
    counts = Counter((kind, value) for _, kind, value, _ in train)
    assert len(counts) == 48 and min(counts.values()) > 5 * 1000 / 12 * 0.6


@pytest.mark.parametrize("changes, message", [
    ({"people": 1025}, "people=1025: there are names for 1024; at most that is allowed"),
    ({"people": 6}, "dev_size=11 and test_size=17 hold out a way to tell as many facts: people=6 "
     "allows 24 together"),
])
def test_more_than_there_is_is_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        facts.read(**SIZES, seed=0, **changes)
