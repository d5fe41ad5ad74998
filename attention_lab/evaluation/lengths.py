"""Scores by the length of the source: what happens to long sentences."""

from collections.abc import Sequence
from typing import NamedTuple

from attention_lab.evaluation.bleu import check_pairs, corpus_bleu

EDGE = 3  # words at the beginning, and at the end, of a translation
EDGES = slice(EDGE), slice(None, -EDGE - 1, -1)  # from the front, and from the back


class LengthBin(NamedTuple):
    """Translations of sources of `low` to `high` words, both included.

    Fields:
      low, high: words. sentences: how many.
      bleu: of the corpus that they make.
      first, last: share of the first, and of the last, three words of the references that stand at their
        place in the translation, counted from that end.
    """

    low: int
    high: int
    sentences: int
    bleu: float
    first: float
    last: float


def bins(text: str) -> list[tuple[int, int]]:
    """Bins as they are typed: "1-10,11-20" is [(1, 10), (11, 20)], and "7" is [(7, 7)].

    Raises:
      ValueError: something else, a bin that ends before it begins, or one that is there twice.
    """
    found = []
    for part in text.split(","):
        ends = part.strip().split("-")
        if not all(end.strip().isdecimal() for end in ends) or len(ends) > 2 or int(ends[-1]) < int(ends[0]):
            raise ValueError(f"{part.strip()!r} is no bin of lengths: fewest and most words are allowed, "
                             "such as 1-10,11-20")
        found.append((int(ends[0]), int(ends[-1])))
        if found[-1] in found[:-1]:
            raise ValueError(f"the bin {part.strip()} is given twice: each is scored once")
    return found


def places(sources: Sequence[str], edges: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Which sources fall into each bin (fewest, most words); words are what blanks part.

    Raises:
      ValueError: a bin that no sentence falls into.
    """
    lengths = [len(source.split()) for source in sources]
    found = [[i for i, length in enumerate(lengths) if low <= length <= high] for low, high in edges]
    for (low, high), members in zip(edges, found):
        if not members:
            raise ValueError(f"no sentence has {low} to {high} words: those given have {min(lengths)} to "
                             f"{max(lengths)}")
    return found


def by_length(sources: Sequence[str], references: Sequence[str], hypotheses: Sequence[str],
              edges: Sequence[tuple[int, int]], text: str = "tokenized") -> list[LengthBin]:
    """The score of each bin of source lengths.

    Args:
      sources, references, hypotheses: sentences in the same order.
      edges: (fewest, most) words of each bin.
      text: as for `bleu.corpus_bleu`.
    Raises:
      ValueError: unequal counts, or as `places` does.
    """
    check_pairs(hypotheses, references)
    check_pairs(sources, references)
    found = []
    for (low, high), members in zip(edges, places(sources, edges)):
        own, other = ([side[i] for i in members] for side in (hypotheses, references))
        first, last = (_share(own, other, end) for end in EDGES)
        found.append(LengthBin(low, high, len(members), corpus_bleu(own, other, text).score, first, last))
    return found


def _share(hypotheses, references, end):
    right, asked = zip(*(right_words(*pair, end) for pair in zip(hypotheses, references)))
    return sum(right) / max(sum(asked), 1)


def right_words(hypothesis: str, reference: str, end: slice) -> tuple[int, int]:
    """How many words of the reference that `end` cuts out stand at their place, and how many it cuts out.

    >>> right_words("le chat dort", "le chien dort .", EDGES[0])
    (2, 3)
    """
    wanted, given = reference.split()[end], hypothesis.split()[end]
    return sum(one == other for one, other in zip(wanted, given)), len(wanted)
