"""Sentences with a verb in two forms."""

import os
import pathlib

import pytest

from attention_lab.data.readers import agreement

REAL = os.environ.get("ATTENTION_LAB_DATA")
TEXT = "The dogs of the king Bark . <eos>\na  dog sees us .\nwe edit it <eos>\n"
GOLD = "5\tBark\tbarks\t1\n2\tsees\tsee\t0\n1\tedit\tedit\t0\n"


def folder(tmp_path, text=TEXT, gold=GOLD):
    (tmp_path / "subj_agr_filtered.text").write_text(text)
    (tmp_path / "subj_agr_filtered.gold").write_text(gold)
    return tmp_path


def test_reads_verbs_and_leaves_out_those_of_one_form(tmp_path):
    read = agreement.read(folder(tmp_path))
    assert read.text == ["The dogs of the king Bark .", "a dog sees us ."]
    assert (read.position, read.attractors) == ([5, 2], [1, 0])
    assert (read.right, read.wrong) == (["bark", "sees"], ["barks", "see"])
    assert read.counts == {"byte_order_mark": 0, "cr_line_ends": 0, "verbs_of_one_form": 1, "sentences": 2}


@pytest.mark.parametrize("line, message", [
    ("2\tsees\tsee", "line 2 is not 'index TAB right form TAB wrong form TAB attractors'"),
    ("2\tsees\tsee\tone", "line 2 is not 'index TAB"),
    ("2\tsees\t\t0", "line 2 is not 'index TAB"),
    ("5\tsees\tsee\t0", "line 2: index 5 is outside the sentence, which has 5 words"),
    ("b\tsees\tsee\t0", "line 2: 'b' is no index"),
    ("1\tsees\tsee\t0", "line 2: the verb is 'sees', at its index line 2 of .*filtered.text has 'dog'"),
])
def test_a_bad_line_is_named(tmp_path, line, message):
    first, _, last, _ = GOLD.split("\n")
    with pytest.raises(ValueError, match=f"subj_agr_filtered.gold: {message}"):
        agreement.read(folder(tmp_path, gold=f"{first}\n{line}\n{last}\n"))


def test_files_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(ValueError, match="^data.directory: .*subj_agr_filtered.text: can't be read"):
        agreement.read(tmp_path)
    with pytest.raises(ValueError, match="filtered.text has 3 lines, .*filtered.gold has 2; each sentence"):
        agreement.read(folder(tmp_path, gold="5\tbark\tbarks\t1\n2\tsees\tsee\t0\n"))
    with pytest.raises(ValueError, match="filtered.gold: no verb has two forms"):
        agreement.read(folder(tmp_path, text="we edit it\n", gold="1\tedit\tedit\t0\n"))


@pytest.mark.skipif(not REAL, reason="ATTENTION_LAB_DATA is not set")
def test_the_real_sentences():
    read = agreement.read(pathlib.Path(REAL) / "linzen-agreement")
    assert (len(read), read.counts["verbs_of_one_form"]) == (7485, 4)
    assert [read.attractors.count(n) for n in range(5)] == [1970, 1957, 1943, 1285, 330]
