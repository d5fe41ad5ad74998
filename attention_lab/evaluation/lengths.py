"""Scores by the length of the source."""

from collections.abc import Sequence
from typing import NamedTuple

from attention_lab.evaluation.bleu import check_pairs, corpus_bleu

EDGE = 3  # words at the beginning, and at the end, of a translation
EDGES = slice(EDGE), slice(None, -EDGE - 1, -1)  # from the front, and from the back


class LengthBin(NamedTuple):
    """Translations of sources of `low` to `high` words, both included.

    Fields:
      sentences: how many. bleu: of the corpus that they make.
      first, last: share of the first, and of the last, three words of the references that the translation has
        at the same position, counted from that end.
    """

    low: int
    high: int
    sentences: int
    bleu: float
    first: float
    last: float


def bins(text: str) -> list[tuple[int, int]]:
    """Bins from text: "1-10,11-20" is [(1, 10), (11, 20)], and "7" is [(7, 7)].

    ValueError for something else, a bin that ends before it begins, or a repeated bin.
    """
    parsed = []
    for part in text.split(","):
        ends = part.strip().split("-")
        if not all(end.strip().isdecimal() for end in ends) or len(ends) > 2 or int(ends[-1]) < int(ends[0]):
            raise ValueError(f"{part.strip()!r} is no bin of lengths: fewest and most words are allowed, "
                             "such as 1-10,11-20")
        parsed.append((int(ends[0]), int(ends[-1])))
        if parsed[-1] in parsed[:-1]:
            raise ValueError(f"the bin {part.strip()} is given twice: each is scored once")
    return parsed


def refuse_bins(edges: Sequence[tuple[int, int]], run: str) -> None:
    """ValueError for bins that are given for a run that does not translate; run: "FOLDER classifies"."""
    if edges:
        given = ",".join(f"{low}-{high}" for low, high in edges)
        raise ValueError(f"--lengths={given}: {run}; translations are scored by length")


def bin_members(sources: Sequence[str], edges: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Indices of the sources in each bin (fewest, most words); words are split at blanks.

    ValueError for an empty bin.
    """
    lengths = [len(source.split()) for source in sources]
    members = [[i for i, length in enumerate(lengths) if low <= length <= high] for low, high in edges]
    for (low, high), indices in zip(edges, members):
        if not indices:
            raise ValueError(f"no sentence has {low} to {high} words: those given have {min(lengths)} to "
                             f"{max(lengths)}")
    return members


def by_length(sources: Sequence[str], references: Sequence[str], hypotheses: Sequence[str],
              edges: Sequence[tuple[int, int]], text: str = "tokenized") -> list[LengthBin]:
    """The score of each bin of source lengths.

    Args:
      edges: (fewest, most) words of each bin.
      text: as of `bleu.corpus_bleu`.
    Raises:
      ValueError: unequal counts, or an empty bin.
    """
    check_pairs(hypotheses, references)
    check_pairs(sources, references)
    scores = []
    for (low, high), members in zip(edges, bin_members(sources, edges)):
        translations, truths = ([side[i] for i in members] for side in (hypotheses, references))
        first, last = (_share(translations, truths, end) for end in EDGES)
        scores.append(LengthBin(low, high, len(members), corpus_bleu(translations, truths, text).score,
                                first, last))
    return scores


def _share(hypotheses, references, end):
    right, total = zip(*(right_words(*pair, end) for pair in zip(hypotheses, references)))
    return sum(right) / max(sum(total), 1)


def right_words(hypothesis: str, reference: str, end: slice) -> tuple[int, int]:
    """Number of words of `reference[end]` that the hypothesis has at the same position, and their number.

    >>> right_words("le chat dort", "le chien dort .", EDGES[0])
    (2, 3)
    """
    expected, written = reference.split()[end], hypothesis.split()[end]
    return sum(word == other for word, other in zip(expected, written)), len(expected)
