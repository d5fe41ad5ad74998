"""Pairs: alignment of lines, counts of what was odd."""

import pytest

from attention_lab.data import pairs


def files(folder, source: str, target: str):
    (folder / "s").write_text(source, encoding="utf-8", newline="")
    (folder / "t").write_text(target, encoding="utf-8", newline="")
    return folder / "s", folder / "t"


def test_empty_sides_are_left_out_and_counted_and_the_rest_stays_aligned(tmp_path):
    read = pairs.read_parallel(*files(tmp_path, "a\n\nc\nd\n \ne\n", "A\nB\n\nD\n\nE\n"))
    assert read.source == ["a", "d", "e"]
    assert read.target == ["A", "D", "E"]
    assert read.counts["empty_lines"] == 3
    assert read.counts["pairs"] == len(read) == 3


def test_odd_spaces_are_evened_out_and_counted_by_pair(tmp_path):
    read = pairs.read_parallel(*files(
        tmp_path, "a  b\nc\u2028d\ne f\ng\n", " A\nB\nC\u00a0:\nD \u2581\n"))
    assert read.source == ["a b", "c d", "e f", "g"]
    assert read.target == ["A", "B", "C :", "D"]
    assert read.counts["odd_spaces"] == 4


def test_carriage_returns_of_both_files_are_counted_and_not_as_odd_spaces(tmp_path):
    read = pairs.read_parallel(*files(tmp_path, "a\r\nb\r\n", "A\r\nB\n"))
    assert (read.source, read.target) == (["a", "b"], ["A", "B"])
    assert read.counts == {"byte_order_mark": 0, "cr_line_ends": 3, "empty_lines": 0,
                           "odd_spaces": 0, "pairs": 2}


def test_unequal_files_are_refused_with_both_counts(tmp_path):
    with pytest.raises(ValueError, match=r"s has 3 lines, .*t has 2;"):
        pairs.read_parallel(*files(tmp_path, "a\nb\nc\n", "A\nB\n"))


@pytest.mark.parametrize("source, target", [("", ""), ("\n\n", "A\nB\n")])
def test_an_empty_corpus_is_refused(tmp_path, source, target):
    with pytest.raises(ValueError, match="empty corpus"):
        pairs.read_parallel(*files(tmp_path, source, target))


def test_select_keeps_the_truth_beside_its_sentence():
    corpus = pairs.Pairs(["a", "b", "c"], ["A", "B", "C"], [1, 2, 3], {"pairs": 3, "odd_spaces": 1})
    assert corpus.select([2, 0]) == pairs.Pairs(["c", "a"], ["C", "A"], [3, 1],
                                                {"pairs": 2, "odd_spaces": 1})
