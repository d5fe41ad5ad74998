"""Labelled sentences: selection, classes, holding out, few-shot parts."""

import dataclasses

import pytest

from attention_lab.data import labelled
from attention_lab.data.labelled import Labelled
from attention_lab.data.readers import indexed


def corpus(**sizes: int) -> Labelled:
    """corpus(a_x=3) has three different sentences of word "a" with label "x"; truth numbers them."""
    keys = [key.split("_") for key, size in sizes.items() for _ in range(size)]
    count = len(keys)
    return Labelled([f"s{i}" for i in range(count)], [i % 2 for i in range(count)], [key[0] for key in keys],
                    [key[1] for key in keys], list(range(count)), {"sentences": count, "odd": 2})


def sizes(part: Labelled) -> dict[tuple[str, str], int]:
    pairs = list(zip(part.word, part.label))
    return {pair: pairs.count(pair) for pair in pairs}


def test_select_keeps_entries_together():
    whole = corpus(a_x=3, b_y=2)
    part = whole.select([4, 1])
    assert part == Labelled(["s4", "s1"], [0, 1], ["b", "a"], ["y", "x"], [4, 1], {"sentences": 2, "odd": 2})
    assert len(part) == 2 and len(whole) == 5
    assert dataclasses.replace(whole, truth=None).select([0]).truth is None


def test_classes_are_sorted_by_word_and_label():
    found = labelled.classes(corpus(seal_z=1, bank_rive=2, bank_banque=1, seal_b=1))
    assert list(found.items()) == [("bank", ("banque", "rive")), ("seal", ("b", "z"))]


@pytest.mark.parametrize("size, share, held", [
    (1, 0.5, 0), (2, 0.9, 0), (3, 0.1, 1), (3, 0.99, 2), (7, 0.2, 1), (10, 0.25, 3), (11, 0.2, 2),
    (5, 0.5, 3)])
def test_each_class_gives_its_share(size, share, held):
    rest, part = labelled.hold_out(corpus(a_x=size, a_y=13), share, seed=3)
    assert sizes(part).get(("a", "x"), 0) == held
    assert sizes(rest)["a", "x"] == size - held
    assert sizes(part)["a", "y"] == min(int(share * 13 + 0.5), 12)
    assert rest.counts["sentences"] == len(rest) and part.counts["sentences"] == len(part)


def test_hold_out_keeps_the_order_of_the_corpus_and_follows_the_seed():
    whole = corpus(a_x=31, b_x=17)
    rest, part = labelled.hold_out(whole, 0.3, seed=5)
    assert sorted(rest.truth + part.truth) == list(range(48))
    assert rest.truth == sorted(rest.truth) and part.truth == sorted(part.truth)
    assert part.text == [f"s{i}" for i in part.truth]
    assert (rest, part) == labelled.hold_out(whole, 0.3, seed=5)
    assert part != labelled.hold_out(whole, 0.3, seed=6)[1]


def test_what_is_held_out_is_fixed_for_good():
    assert labelled.hold_out(corpus(a_x=11), 0.3, seed=0)[1].truth == [1, 2, 3]


def test_no_sentence_is_in_both_parts():
    whole = corpus(a_x=20, a_y=20)
    whole = dataclasses.replace(whole, text=[f"s{i % 13}" for i in range(40)])
    rest, part = labelled.hold_out(whole, 0.4, seed=1)
    assert not set(rest.text) & set(part.text)
    assert len(set(part.text)) == len(part) == 5  # of 13 different ones, all of which come first with label x
    assert rest.counts["repeats_of_held_out"] == 40 - len(rest) - 5 > 0
    assert part.counts == {"sentences": len(part)}  # what the whole has once is told of the rest alone


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5])
def test_a_share_is_between_0_and_1(share):
    with pytest.raises(ValueError, match=f"share={share}: "):
        labelled.hold_out(corpus(a_x=5), share, 0)


def test_few_takes_as_many_of_each_class():
    whole = corpus(a_x=11, a_y=2, b_x=7)
    part = labelled.few_shot(whole, 3, seed=2)
    assert sizes(part) == {("a", "x"): 3, ("a", "y"): 2, ("b", "x"): 3}
    assert part.truth == sorted(part.truth)
    assert part.counts == {"sentences": 8, "odd": 2, "classes_below_shots": 1}
    assert labelled.few_shot(whole, 2, seed=2).counts["classes_below_shots"] == 0
    assert part == labelled.few_shot(whole, 3, seed=2) != labelled.few_shot(whole, 3, seed=3)
    assert set(part.truth) < set(labelled.few_shot(whole, 5, seed=2).truth)
    with pytest.raises(ValueError, match="shots=0: "):
        labelled.few_shot(whole, 0, seed=2)


def test_classes_that_train_lacks_are_refused():
    labelled.same_classes(corpus(a_x=1, a_y=1), corpus(a_y=2), "test", "F")
    with pytest.raises(ValueError, match="^F: the class 'z' of 'a' is in test but not in train.* has x, y$"):
        labelled.same_classes(corpus(a_x=1, a_y=1), corpus(a_z=1), "test", "F")
    with pytest.raises(ValueError, match="which has none"):  # the class of another word is no help
        labelled.same_classes(corpus(a_x=1), corpus(b_x=1), "dev", "F")


def test_something_must_be_decided():
    labelled.several_classes({"train": corpus(a_x=1, a_y=1, b_x=1)}, "F")
    labelled.several_classes({"train": corpus(a_x=1), "test": corpus(a_y=1)}, "F")
    with pytest.raises(ValueError, match="^F: there is nothing to decide .* of a word .* and there are x, y"):
        labelled.several_classes({"train": corpus(a_x=2, b_y=2)}, "F")


@pytest.mark.parametrize("index", ["3", "-1", "x", "", "1.0", "9" * 30])
def test_an_index_is_a_place_in_the_sentence(index):
    assert indexed.parse_index("2", ["a", "b", "c"], "F: line 7") == 2
    with pytest.raises(ValueError, match="^F: line 7: "):
        indexed.parse_index(index, ["a", "b", "c"], "F: line 7")


def test_words_are_parted_by_whatever_is_white():
    assert indexed.sentence(" a\u00a0 b\u2581c  d ") == ["a", "b_c", "d"]


@pytest.mark.parametrize("labels, said", [
    (("Pos", "neg", "pos"), ["'Pos' and 'pos' are"]),
    (("cafe\u0301", "caf\u00e9"), [r"'cafe\u0301' and 'caf\xe9' are"]),
    (("very bad", "very  bad", "very\u00a0bad"), [r"'very bad' and 'very  bad' and 'very\xa0bad' are"]),
    (("0", "1"), []), (("01", "1", "1.0"), []), (("a", "\u00e4"), []),
    (("A", "B", "a", "b"), ["'A' and 'a' are", "'B' and 'b' are"])])
def test_classes_that_look_like_one_are_told(labels, said):
    for word, of in (("", ""), ("bank", " of 'bank'")):
        lines = labelled.alike({word: labels, "other": ("one",)})
        assert len(lines) == len(said) and all(part.replace(" are", of + " are") in line
                                               for part, line in zip(said, lines))
