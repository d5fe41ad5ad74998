"""Base of the corpora Pairs and Labelled: examples as columns, and counts of irregularities."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

SPLITS = ("train", "dev", "test")


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Lists of equal length, entry i of each about example i; one that is None is absent.

    `counts` holds irregularities of the text, {name: number, or names}, and under UNIT the number of
    examples. TEXTS and EXAMPLES name inputs of a model and whole examples, for counts of those in two splits.
    """

    UNIT: ClassVar[str]
    TEXTS: ClassVar[str]
    EXAMPLES: ClassVar[str]

    def _columns(self) -> dict[str, list]:
        return {name: values for name, values in vars(self).items()
                if name != "counts" and values is not None}

    def __len__(self) -> int:
        return len(next(iter(self._columns().values())))

    def select(self, indices: Sequence[int]) -> Self:
        """The examples of these indices; the counts, except UNIT, stay those of the whole."""
        chosen = {name: [values[i] for i in indices] for name, values in self._columns().items()}
        return dataclasses.replace(self, **chosen, counts={**self.counts, self.UNIT: len(indices)})

    def counted(self, **counts: int) -> Self:
        """The same examples with these counts added."""
        return dataclasses.replace(self, counts={**self.counts, **counts})

    def without(self, held_out: Collection[int], texts: Sequence[str]) -> Self:
        """The rest without the examples of these indices and, counted, those that repeat their texts."""
        first = first_indices(texts)
        rest = [i for i, text in enumerate(texts) if first[text] not in held_out]
        repeats = len(texts) - len(rest) - len(held_out)
        return self.counted(repeats_of_held_out=repeats).select(rest)

    def held_out(self, indices: Collection[int]) -> Self:
        """The examples of these indices in order; the rest alone keeps the counts of the whole."""
        return dataclasses.replace(self, counts={}).select(sorted(indices))


def overlaps(corpus: Mapping[str, Any]) -> dict[str, Any]:
    """Counts, in dev and test of a corpus {split: part}, the examples that an earlier split also has.

    "source_sentences_also_in_train" counts pairs by their source, "pairs_also_in_train" by both sides.
    """
    counted = dict(corpus)
    for i, split in enumerate(SPLITS):
        for earlier in SPLITS[:i]:
            if split in corpus and earlier in corpus:
                counted[split] = counted[split].counted(**_overlap(corpus[split], corpus[earlier], earlier))
    return counted


def _overlap(part: Corpus, other: Corpus, name: str) -> dict[str, int]:
    shared = {part.TEXTS: (part.texts(), other.texts()),
              part.EXAMPLES: (zip(*part.text_columns()), zip(*other.text_columns()))}
    counts = {f"{what}_also_in_{name}": count_shared(*columns) for what, columns in shared.items()}
    return {what: count for what, count in counts.items() if count}


def count_shared(entries: Iterable[Any], others: Iterable[Any]) -> int:
    """How many entries, repetitions included, are among others.

    >>> count_shared("abba", "bc")
    2
    """
    others = set(others)
    return sum(entry in others for entry in entries)


def first_indices(texts: Sequence[str]) -> dict[str, int]:
    """{text: where it occurs first}, in that order."""
    first: dict[str, int] = {}
    for index, text in enumerate(texts):
        first.setdefault(text, index)
    return first
