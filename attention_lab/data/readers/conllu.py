"""Dependency trees from CoNLL-U files, the format of Universal Dependencies (de Marneffe et al. 2021).

A line is one of ten columns, separated by TAB: ID, FORM, LEMMA, UPOS, XPOS, FEATS, HEAD, DEPREL, DEPS, MISC.
Trees are between words (IDs 8, 9), text is made of tokens: the French `du` is a token (ID 8-9) of two words,
`de` and `le`. Links between words become links between the tokens they belong to.
"""

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from attention_lab.data.lines import read_lines

COLUMNS = 10
ROOT = -1  # head of a word that depends on none


class Word(NamedTuple):
    """A word of a tree.

    Fields:
      form: the word. tag: UPOS, its part of speech. relation: to its head, DEPREL, as "nsubj:pass".
      head: index of the word that it depends on, from 0; ROOT for none.
      token: index of the token that it belongs to.
    """

    form: str
    tag: str
    head: int
    relation: str
    token: int


class Tree(NamedTuple):
    """A sentence. Fields: tokens, the text as it is written; words, of which tokens have one or more."""

    tokens: tuple[str, ...]
    words: tuple[Word, ...]


class Link(NamedTuple):
    """A dependent token, the token of its head, and their relation without its subtype: "nsubj"."""

    dependent: int
    head: int
    relation: str


def links(tree: Tree) -> Iterator[Link]:
    """The links between different tokens; those between the words of one token, as of `du`, are left out."""
    for word in tree.words:
        if word.head != ROOT and tree.words[word.head].token != word.token:
            yield Link(word.token, tree.words[word.head].token, word.relation.partition(":")[0])


def read(path: str | os.PathLike) -> list[Tree]:
    """The trees of a file, plain or gzipped; comments and empty nodes (ID 8.1) are left out.

    Raises:
      ValueError: the file can't be read or has no tree, or a line, named by number, is not CoNLL-U: columns
        that are missing, IDs that do not count from 1, a range beyond its words, a head that is no word of
        the sentence.
    """
    lines, _ = read_lines(path)
    trees, rows = [], []
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            if not line.startswith("#"):
                rows.append((number, line))
        elif rows:
            trees.append(_tree(path, rows))
            rows = []
    if not trees:
        raise ValueError(f"{os.fspath(path)}: no sentence in it; CoNLL-U has a line of {COLUMNS} columns for "
                         "each word")
    return trees


def _tree(path, rows):
    """The tree of the lines [(number, line)] of a sentence."""
    tokens, words, heads, end = [], [], [], 0  # end: ID of the last word of the last range
    for number, line in rows:
        where = f"{os.fspath(path)}: line {number}:"
        columns = line.split("\t")
        if len(columns) != COLUMNS:
            raise ValueError(f"{where} {len(columns)} columns, separated by TAB; CoNLL-U has {COLUMNS}")
        identity, form, _, tag, _, _, head, relation = columns[:8]
        if re.fullmatch(r"\d+\.\d+", identity):
            continue
        span = re.fullmatch(r"(\d+)(?:-(\d+))?", identity)
        crossed = span and span[2] and not end < int(span[1]) < int(span[2])  # ranges, or the ends of one
        if not span or int(span[1]) != len(words) + 1 or crossed:
            raise ValueError(f"{where} ID {identity!r} does not follow word {len(words)}")
        if span[2]:
            end = int(span[2])
            tokens.append(form)
            continue
        if len(words) >= end:
            tokens.append(form)
        if not head.isdecimal():
            raise ValueError(f"{where} HEAD {head!r} is no number; 0 or the ID of a word is needed")
        heads.append((where, int(head)))
        words.append(Word(form, tag, int(head) - 1, relation, len(tokens) - 1))
    for where, head in heads:
        if head > len(words):
            raise ValueError(f"{where} HEAD {head}, but the sentence has {len(words)} words")
    if len(words) < end:
        raise ValueError(f"{where} the sentence ends at word {len(words)}, inside a range up to {end}")
    return Tree(tuple(tokens), tuple(words))
