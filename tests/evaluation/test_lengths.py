"""Scores by length: bins hold their own sentences, ends are counted from both ends, empty bins refused."""

import pytest

from attention_lab.evaluation.lengths import bin_members, bins, by_length

SOURCES = ["a b c d e", "f g", "h i"]
REFERENCES = ["un deux trois quatre cinq", "six sept", "huit neuf"]


def test_each_bin_scores_its_own_sentences():
    short, long = by_length(SOURCES, REFERENCES, ["un deux faux quatre cinq", "six sept", "neuf huit"],
                            [(1, 2), (3, 9)])
    assert (short.low, short.high, short.sentences) == (1, 2, 2) and long.sentences == 1
    assert (short.first, short.last) == (2 / 4, 2 / 4)  # six sept right, neuf huit wrong
    assert long.first == 2 / 3 and long.last == 2 / 3
    assert by_length(SOURCES, REFERENCES, REFERENCES, [(5, 5)])[0].bleu == pytest.approx(100)


def test_ends_are_compared_from_their_own_end():
    one, = by_length(["a b"], ["un deux trois quatre"], ["un deux trois de trop quatre"], [(2, 2)])
    assert one.first == 1.0 and one.last == 1 / 3
    one, = by_length(["a b"], ["un deux trois quatre"], ["quatre"], [(2, 2)])
    assert (one.first, one.last) == (0.0, 1 / 3)
    one, = by_length(["a b"], ["un deux trois quatre"], [""], [(2, 2)])
    assert (one.first, one.last) == (0.0, 0.0)


def test_a_bin_without_sentences_is_refused():
    with pytest.raises(ValueError, match="no sentence has 3 to 4 words: those given have 2 to 5"):
        by_length(SOURCES, REFERENCES, REFERENCES, [(3, 4)])
    with pytest.raises(ValueError, match="2 hypotheses for 3"):
        by_length(SOURCES, REFERENCES, REFERENCES[:2], [(1, 9)])


def test_bins_are_read_as_they_are_typed():
    assert bins("1-10, 11-20,7") == [(1, 10), (11, 20), (7, 7)]
    for wrong in ("", "a", "1-", "-3", "1-2-3", "9-4", "1-10;11-20", "1-5,"):
        with pytest.raises(ValueError, match="no bin of lengths.*such as 1-10,11-20"):
            bins(wrong)
    for twice in ("1-5,6-9,1-5", "7, 7-7"):
        with pytest.raises(ValueError, match="the bin (1-5|7-7) is given twice"):
            bins(twice)


def test_bins_may_overlap_and_keep_their_order():
    assert bin_members(SOURCES, [(2, 2), (1, 9)]) == [[1, 2], [0, 1, 2]]
    assert bin_members(SOURCES, []) == []
