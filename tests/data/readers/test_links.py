"""Hand-made word alignments: both formats read, and links in the other base or outside refused."""

import pytest

from attention_lab.data.readers.links import read_alibi, read_hansards

FRENCH = "0\tle chat noir\n1\toui\n"
ENGLISH = "0\tthe  black cat\n1\tyes\n"


def story(folder, links, french=FRENCH, english=ENGLISH):
    for name, text in (("Chat_sents", french), ("Cat_sents", english), ("ali_w2w_Chat_Cat", links)):
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def test_alibi_links_are_turned_to_english_french(tmp_path):
    pairs = read_alibi(story(tmp_path, "0\t0-0 1-2 2p1 1p2\n1\t0p0\n"))
    assert (pairs.source, pairs.target) == (["the black cat"], ["le chat noir"])
    (sure, possible), = pairs.truth
    assert sure == {(0, 0), (2, 1)} and possible == {(1, 2)}


def test_alibi_pairs_that_are_left_out_are_counted(tmp_path):
    text = "".join(f"{i}\ta b\n" for i in range(3))
    pairs = read_alibi(story(tmp_path, "0\t0p0\n1\t0-0 0p0 1-1\n2\t\n", text, text.replace("2\ta", "2\t a")))
    assert pairs.truth == [({(0, 0), (1, 1)}, set())]
    assert pairs.counts == {"byte_order_mark": 0, "cr_line_ends": 0, "odd_spaces": 1, "pairs": 1,
                            "pairs_without_sure_links": 2}


@pytest.mark.parametrize("links, words", [
    ("0\t0-0 3-1\n1\t\n", "sentence 0: a link of English word 1 and French word 3, but the sentences have "
     "3 and 3 words"),
    ("0\t1-1 3-3\n1\t1-1\n", "words are counted from 0 here, and this file seems to count from 1: no word 0"),
    ("0\t0-0 a-b\n1\t\n", "sentence 0: 'a-b' is no link; i-j or ipj is needed"),
    ("0\t0-0\n2\t0-0\n", "its sentence ids are not those of Chat_sents.txt"),
    ("0 0-0\n", "line 1 has no TAB"),
    ("0\t0-0\n0\t1-1\n", "line 2: sentence 0 occurs twice"),
])
def test_alibi_files_that_are_refused(tmp_path, links, words):
    with pytest.raises(ValueError, match=words):
        read_alibi(story(tmp_path, links))


def test_many_sentences_without_a_first_word_count_from_one(tmp_path):
    text = "".join(f"{i}\ta b c\n" for i in range(5))
    with pytest.raises(ValueError, match="no word 0 in any of its 5 sentences"):
        read_alibi(story(tmp_path, "".join(f"{i}\t1-1 2-2\n" for i in range(5)), text, text))
    with pytest.raises(ValueError, match="no ali_w2w_FRENCH_ENGLISH.txt in it"):
        read_alibi(tmp_path / "nowhere")


def hansards(folder, links, more=("", "")):
    paths = [folder / name for name in ("test.e", "test.f", "test.wa")]
    for path, text in zip(paths, ("<s snum=0001> the black cat </s>\n<s snum=0002> yes </s>\n" + more[0],
                                  "<s snum=0001> le chat noir </s>\n<s snum=0002> oui </s>\n" + more[1],
                                  links)):
        path.write_text(text)
    return paths


def test_hansards_links_are_counted_from_zero_after(tmp_path):
    links = "0001 1 1 S\n0001 3 2 0.9\n0001 2 3 P 0.7\n0002 1 1 S\n"
    pairs = read_hansards(*hansards(tmp_path, links))
    first, second = pairs.truth
    assert first.sure == {(0, 0), (2, 1)} and first.possible == {(1, 2)}
    assert (pairs.source[1], pairs.target[1], second.sure) == ("yes", "oui", {(0, 0)})


def test_hansards_null_links_and_pairs_without_links_are_counted(tmp_path):
    links = "0001 3 2 S\n0001 0 1 S\n0001 1 0 P\n0001 1 1 0.7 P\n0002 0 1 S\n\n0000 1 1 P\n0000 1 1 S\n"
    more = ("<s snum=0000> no </s>\n<s snum=0005> why  not </s>\n<s snum=0007> and </s>\n",
            "<s snum=0000> non </s>\n<s snum=0005> pourquoi pas </s>\n")
    pairs = read_hansards(*hansards(tmp_path, links, more))
    assert pairs.source == ["the black cat", "no"]
    assert pairs.truth == [({(2, 1)}, {(0, 0)}), ({(0, 0)}, set())]
    assert pairs.counts == {"byte_order_mark": 0, "cr_line_ends": 0, "odd_spaces": 1, "empty_lines": 1,
                            "null_links": 3, "sentences_of_one_side": 1, "pairs": 2,
                            "pairs_without_sure_links": 2}


@pytest.mark.parametrize("links, words", [
    ("0001 0 0 S\n0001 3 3 S\n", "words are counted from 1 here, and this file seems to count from 0: it has "
     "a link of word 0 to word 0"),
    ("0001 0 2 P\n0001 1 1 S\n", "seems to count from 0: it has a word 0; as null links these are taken"),
    ("0001 0 4 P\n0001 3 3 S\n", "sentence 1: a link of English word 0 and French word 4, but the "
     "sentences have 3 and 3"),
    ("0000 1 1 S\n", "links of sentence 0, which"),
    ("0001 1 4 S\n", "sentence 1: a link of English word 1 and French word 4, but the sentences have 3 "
     "and 3 words"),
    ("0003 1 1 S\n", "links of sentence 3, which"),
    ("0001 1 1 X\n", "line 1: 'X' is neither S \\(sure\\) nor P \\(possible\\)"),
    ("0001 1 1 SP\n", "'SP' is neither S"),
    ("0001 1\n", "line 1: '0001 1' is no link; 'sentence i j"),
])
def test_hansards_files_that_are_refused(tmp_path, links, words):
    with pytest.raises(ValueError, match=words):
        read_hansards(*hansards(tmp_path, links))


def test_the_stories_themselves(data_folder):
    pairs = read_alibi(data_folder / "alibi-aer")
    assert len(pairs) == 520 and sum(len(one.sure) for one in pairs.truth) == 8452
    assert {name: count for name, count in pairs.counts.items() if count} == {
        "pairs": 520, "pairs_without_sure_links": 2}
