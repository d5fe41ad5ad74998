"""TSV files of word senses."""

import gzip

import pytest

from attention_lab.data.readers import senses_tsv


def test_reads_senses_and_counts_what_is_odd(tmp_path):
    content = ("1\tThe  Bank fell\tmoney\r\n\r\n2\tby the bank\triver \n0\tSeals bark\tanimal\n"
               "1\tA seal\tring\n").encode()
    (tmp_path / "plain.tsv").write_bytes(content)
    (tmp_path / "packed.tsv.gz").write_bytes(gzip.compress(content))
    read = senses_tsv.read(tmp_path / "plain.tsv")
    assert read.text == ["The Bank fell", "by the bank", "Seals bark", "A seal"]
    assert (read.position, read.word) == ([1, 2, 0, 1], ["bank", "bank", "seals", "seal"])
    assert (read.label, read.truth) == (["money", "river", "animal", "ring"], None)
    assert read.counts == {"byte_order_mark": 0, "cr_line_ends": 2, "empty_lines": 1, "odd_spaces": 1,
                           "words_of_one_sense": 2, "sentences": 4}
    assert senses_tsv.read(tmp_path / "packed.tsv.gz") == read


@pytest.mark.parametrize("line, message", [
    ("1\ta bank", "line 2 is not 'index TAB sentence TAB sense'"),
    ("1\ta bank\tmoney\tx", "line 2 is not 'index TAB"),
    ("1\ta bank\t ", "line 2 is not 'index TAB"),
    ("2\ta bank\tmoney", "line 2: index 2 is outside the sentence, which has 2 words"),
    ("-1\ta bank\tmoney", "line 2: index -1 is outside the sentence"),
    ("b\ta bank\tmoney", "line 2: 'b' is no index"),
    ("0\t\tmoney", "line 2 has no sentence"),
])
def test_a_bad_line_is_named(tmp_path, line, message):
    path = tmp_path / "s.tsv"
    path.write_text(f"0\tbank\tmoney\n{line}\n")
    with pytest.raises(ValueError, match=f"s.tsv: {message}"):
        senses_tsv.read(path)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "s.tsv").write_text("\n\n")
    with pytest.raises(ValueError, match="s.tsv: empty corpus: of 2 lines"):
        senses_tsv.read(tmp_path / "s.tsv")
