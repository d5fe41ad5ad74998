"""CoNLL-U: trees by hand, tokens of several words, empty nodes; what is no tree is named by its line."""

import gzip

import pytest

from attention_lab.data.readers.conllu import ROOT, Link, links, read


def row(identity, form, head="_", relation="_", tag="X"):
    """A line of a word; fields that the reader does not use are of no form."""
    return "\t".join([identity, form, "l", tag, "x", "f", str(head), relation, "d", "m"])


# "Le chat du voisin dort ." with an empty node, as in enhanced trees.
FRENCH = [
    "# sent_id = 1", row("1", "Le", 2, "det"), row("2", "chat", 6, "nsubj", "NOUN"), row("3-4", "du"),
    row("3", "de", 5, "case"), row("4", "le", 5, "det"), row("5", "voisin", 2, "nmod:poss"),
    row("5.1", "qui"), row("6", "dort", 0, "root"), row("7", ".", 6, "punct")]
ENGLISH = [row("1-2", "Don't"), row("1", "Do", 3, "aux"), row("2", "n't", 1, "advmod"),
           row("3", "go", 0, "root")]


def written(folder, *sentences):
    path = folder / "trees.conllu"
    path.write_text("\n\n".join("\n".join(lines) for lines in sentences) + "\n", encoding="utf-8")
    return path


def test_words_belong_to_the_tokens_of_the_text(tmp_path):
    french, english = read(written(tmp_path, FRENCH, ENGLISH))
    assert french.tokens == ("Le", "chat", "du", "voisin", "dort", ".")
    assert [word.token for word in french.words] == [0, 1, 2, 2, 3, 4, 5]
    assert french.words[1] == ("chat", "NOUN", 5, "nsubj", 1) and french.words[5].head == ROOT
    assert english.tokens == ("Don't", "go") and [word.token for word in english.words] == [0, 0, 1]


def test_links_are_between_tokens_and_none_is_inside_one(tmp_path):
    french, english = map(list, map(links, read(written(tmp_path, FRENCH, ENGLISH))))
    assert french == [Link(0, 1, "det"), Link(1, 4, "nsubj"), Link(2, 3, "case"), Link(2, 3, "det"),
                      Link(3, 1, "nmod"), Link(5, 4, "punct")]
    assert english == [Link(0, 1, "aux")]


def test_a_gzipped_file_with_crlf_and_more_empty_lines_is_the_same(tmp_path):
    path = tmp_path / "trees.conllu.gz"
    path.write_bytes(gzip.compress("\r\n".join(["", *FRENCH, "", " ", *ENGLISH]).encode()))
    assert read(path) == read(written(tmp_path, FRENCH, ENGLISH))


@pytest.mark.parametrize("line, words", [
    ("1\tLe\tle", "line 3: 3 columns, separated by TAB; CoNLL-U has 10"),
    (row("3", "a", 1, "det"), "line 3: ID '3' does not follow word 1"),
    (row("3-4", "a"), "line 3: ID '3-4' does not follow word 1"),
    (row("2-2", "a"), "line 3: ID '2-2' does not follow word 1"),
    (row("two", "a", 1, "det"), "line 3: ID 'two' does not follow word 1"),
    (row("2", "a"), "line 3: HEAD '_' is no number"),
    (row("2", "a", 3, "det"), "line 3: HEAD 3, but the sentence has 2 words"),
    (row("2-3", "a") + "\n" + row("2", "a", 1, "det"), "line 4: the sentence ends at word 2, inside a range"),
    (row("2-4", "a") + "\n" + row("2", "a", 1, "det") + "\n" + row("3-5", "b"), "line 5: ID '3-5'"),
])
def test_what_is_no_tree_is_refused_with_its_line(tmp_path, line, words):
    path = written(tmp_path, ["# text = a", row("1", "a", 0, "root"), line])
    with pytest.raises(ValueError, match=rf"trees\.conllu: {words}"):
        read(path)


def test_a_file_without_a_sentence_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no sentence in it; CoNLL-U has a line of 10 columns"):
        read(written(tmp_path, ["# nothing"]))


def test_the_parallel_treebanks_have_as_many_sentences(data_folder):
    """The second sentence of each side: `don't` is one token; every link joins two tokens of its sentence."""
    sides = [read(data_folder / "ud-pud" / f"{language}_pud-ud-test.conllu.gz") for language in ("en", "fr")]
    assert [len(trees) for trees in sides] == [1000, 1000]
    assert [sum(len(tree.words) for tree in trees) for trees in sides] == [21180, 24726]
    assert "du" in sides[1][0].tokens and "pouvoir" in sides[1][0].tokens
    for tree in (*sides[0], *sides[1]):
        assert {word.token for word in tree.words} == set(range(len(tree.tokens)))
        assert all(0 <= end < len(tree.tokens) for link in links(tree) for end in link[:2])
