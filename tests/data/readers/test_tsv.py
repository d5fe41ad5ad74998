"""TSV files, and holding out dev and test."""

import pytest

from attention_lab.data import pairs
from attention_lab.data.readers import tsv


def test_reads_pairs_and_counts_blank_lines(tmp_path):
    path = tmp_path / "p.tsv"
    path.write_bytes("\ufeffa dog\tun chien\r\n\r\n  \n\tvide\nyes\toui".encode())
    read = tsv.read(path)
    assert (read.source, read.target) == (["a dog", "yes"], ["un chien", "oui"])
    assert read.counts == {"byte_order_mark": 1, "cr_line_ends": 2, "empty_lines": 3,
                           "odd_spaces": 0, "pairs": 2}


@pytest.mark.parametrize("line, found", [("a dog un chien", "no tab;"), ("a\tb\tc", "2 tabs;")])
def test_a_line_without_exactly_one_tab_is_named(tmp_path, line, found):
    path = tmp_path / "p.tsv"
    path.write_text(f"a\tb\n\n{line}\n")
    with pytest.raises(ValueError, match=f"p.tsv: line 3 has {found}"):
        tsv.read(path)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "p.tsv").write_text("\n")
    with pytest.raises(ValueError, match="empty corpus"):
        tsv.read(tmp_path / "p.tsv")


def corpus(size: int) -> pairs.Pairs:
    return pairs.Pairs([f"s{i}" for i in range(size)], [f"t{i}" for i in range(size)],
                       list(range(size)), {"pairs": size})


def test_hold_out_parts_the_corpus():
    parts = tsv.hold_out(corpus(101), 7, 13, seed=3)
    assert [len(part) for part in parts] == [81, 7, 13]
    assert sorted(i for part in parts for i in part.truth) == list(range(101))
    for part in parts:
        assert part.truth == sorted(part.truth)
        assert part.source == [f"s{i}" for i in part.truth]
        assert part.target == [f"t{i}" for i in part.truth]
        assert part.counts["pairs"] == len(part)


def test_hold_out_is_a_function_of_the_seed():
    assert tsv.hold_out(corpus(50), 5, 5, 1) == tsv.hold_out(corpus(50), 5, 5, 1)
    assert tsv.hold_out(corpus(50), 5, 5, 1) != tsv.hold_out(corpus(50), 5, 5, 2)


def test_hold_out_never_shares_a_source_sentence():
    source = [f"s{i % 10}" for i in range(37)]
    repeated = pairs.Pairs(source, [f"t{i}" for i in range(37)])
    train, dev, test = tsv.hold_out(repeated, 2, 3, seed=0)
    assert (len(set(dev.source)), len(set(test.source)), len(set(train.source))) == (2, 3, 5)
    assert (len(dev), len(test)) == (2, 3)
    assert not set(train.source) & set(dev.source + test.source) and not (
        set(dev.source) & set(test.source))
    assert train.counts["repeats_of_held_out"] == 37 - len(train) - 5 > 0
    assert set(dev.counts) == {"pairs"}  # what the whole has once is told of train alone


def test_hold_out_leaves_something_to_train_on():
    with pytest.raises(ValueError, match="data.dev_size=4 and data.test_size=6 leave none of 10"):
        tsv.hold_out(corpus(10), 4, 6, 0)
