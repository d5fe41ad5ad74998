"""The grammar's ambiguous nouns as a corpus."""

from collections import Counter, defaultdict

import pytest

from attention_lab.data import labelled
from attention_lab.data.synthetic import senses


@pytest.fixture(scope="module")
def parts():
    return senses.read(2000, 70, 130, seed=5)


def test_every_sentence_asks_about_its_ambiguous_noun(parts):
    assert {name: len(part) for name, part in parts.items()} == {"train": 2000, "dev": 70, "test": 130}
    for part in parts.values():
        for text, place, word, label, truth in zip(
                part.text, part.position, part.word, part.label, part.truth):
            sense, = truth.senses
            assert (place, word, label) == (sense.english, sense.word, sense.label)
            tokens = text.split(" ")
            assert tokens == list(truth.english) and tokens[-1] == "." and truth.words <= 50
            assert tokens[place][:2] == word[:2]  # singular or plural: calf, calves
            assert abs(sense.decider - place) == sense.distance


def test_parts_share_no_sentence(parts):
    text = [sentence for part in parts.values() for sentence in part.text]
    assert len(set(text)) == len(text)


def test_distances_and_distractors_have_equal_shares(parts):
    for name, share in (("train", 200), ("dev", 7), ("test", 13)):
        cells = Counter()
        for truth in parts[name].truth:
            sense = truth.senses[0]
            cells[next(i for i, (low, high) in enumerate(senses.BINS) if low <= sense.distance <= high),
                  len(sense.distractors)] += 1
        assert cells == {(i, d): share for i in range(5) for d in (0, 1)}


def test_the_order_is_mixed(parts):
    far = [truth.senses[0].distance >= 10 for truth in parts["test"].truth]
    changes = sum(a != b for a, b in zip(far, far[1:]))
    assert 40 < changes < 90  # of 129; sorted would have one, and cells in fixed turn one regular pattern
    turns = [tuple(far[i:i + 10]) for i in range(0, 130, 10)]
    assert len(set(turns)) > 10


def test_thirty_nouns_have_two_senses_at_the_default_lexicon(parts):
    found = labelled.classes(parts["train"])
    assert sum(len(labels) >= 2 for labels in found.values()) >= 30
    assert parts["train"].counts == {"words_of_one_sense": 0, "sentences": 2000}


def test_distance_and_distractor_leave_the_sense_open(parts):
    cells, seen = defaultdict(set), Counter()
    for truth in parts["train"].truth:
        sense = truth.senses[0]
        key = sense.word, len(sense.distractors)
        cells[key].add(sense.label)
        seen[key] += 1
    assert all(len(labels) > 1 for key, labels in cells.items() if seen[key] >= 12)
    assert sum(key[1] for key in cells) == 14  # the nouns with another sense that a noun decides


def test_test_and_dev_stay_when_train_grows(parts):
    small = senses.read(30, 70, 130, seed=5)
    assert small["test"] == parts["test"] and small["dev"] == parts["dev"]
    assert small["train"].text == parts["train"].text[:30]
    assert senses.read(30, 70, 130, seed=6)["test"] != small["test"]


def test_ranges_and_distractors_can_be_chosen():
    part = senses.read(60, 0, 0, seed=0, max_words=16, distance=(3, 6), distractors=(1,))["train"]
    distances = Counter(truth.senses[0].distance <= 4 for truth in part.truth)
    assert distances == {True: 30, False: 30}  # bins 3-4 and 5-6
    assert all(3 <= truth.senses[0].distance <= 6 and len(truth.senses[0].distractors) == 1
               and truth.words <= 16 for truth in part.truth)
    assert part.counts["words_of_one_sense"] == 16
    far = senses.read(20, 0, 0, seed=0, max_words=70, distance=(38, 50), distractors=(0,))["train"]
    assert sum(truth.senses[0].distance > 40 for truth in far.truth) == 10


@pytest.mark.parametrize("all_fields, message", [
    ({"max_words": 43}, "max_words=43: a deciding word 40 words away needs sentences of at least 44"),
    ({"distance": (5, 3)}, r"distance=\(5, 3\): "),
    ({"distance": (0, 3)}, r"distance=\(0, 3\): "),
    ({"distractors": ()}, r"distractors=\(\): "),
    ({"distractors": (1, 1)}, r"distractors=\(1, 1\): "),
    ({"distractors": (0, -1)}, r"distractors=\(0, -1\): "),
    ({"distractors": (9,)}, "no noun in it has two senses .* and 9 distractors"),
    ({"lexicon_size": 100}, "lexicon_size=100: no noun in it has two senses"),
    ({"max_words": 121}, "max_words <= 120"),
    ({"dev_size": -1}, "dev_size=-1: "),
])
def test_impossible_fields_are_refused(all_fields, message):
    with pytest.raises(ValueError, match=message) as caught:
        senses.read(**{"train_size": 5, "dev_size": 5, "test_size": 5, "seed": 0, **all_fields})
    assert "\n" not in str(caught.value)


def test_an_exhausted_cell_is_refused(monkeypatch):
    monkeypatch.setattr(senses, "PATIENCE", 20)
    with pytest.raises(ValueError, match="max_words=5: there are no more sentences .* 1 to 1 words away"):
        senses.read(100000, 0, 0, 0, lexicon_size=300, max_words=5, distance=(1, 1), distractors=(0,))
