"""Sentences with a class each, the carrier between readers of classified text and tokenizers."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

WHOLE = -1  # the place of no word: the whole sentence is classified


@dataclasses.dataclass(frozen=True)
class Labelled:
    """Sentences, what is asked about each, and the answer; entry i of one list belongs to entry i of all.

    Fields:
      text: sentences, words parted by single spaces, never empty.
      place: index of the word that is asked about, from 0; -1 where the whole sentence is classified.
      word: the ambiguous word of each sentence, such as "bank"; "" where the whole sentence is classified.
      label: the class, such as "rive" or "positive".
      truth: the grammar's Sentence of each, whose senses[0] is the one asked about; None for other text.
      counts: what was odd on the way in, name -> number, "sentences" among them.
    """

    text: list[str]
    place: list[int]
    word: list[str]
    label: list[str]
    truth: list | None = None
    counts: dict[str, int] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.text)

    def select(self, indices: Sequence[int]) -> "Labelled":
        """The sentences at these places; their counts are the whole's, but for "sentences"."""
        text, place, word, label = ([field[i] for i in indices]
                                    for field in (self.text, self.place, self.word, self.label))
        truth = None if self.truth is None else [self.truth[i] for i in indices]
        return Labelled(text, place, word, label, truth, {**self.counts, "sentences": len(indices)})

    def text_columns(self) -> list[list[str]]:
        """What tells this corpus from another: one column, a line for each sentence."""
        rows = zip(self.text, self.place, self.word, self.label)
        return [["\t".join(map(str, row)) for row in rows]]

    def counted(self, **counts: int) -> "Labelled":
        """The same sentences with these counts put in."""
        return dataclasses.replace(self, counts={**self.counts, **counts})


def classes(labelled: Labelled) -> dict[str, tuple[str, ...]]:
    """The labels of each word: {"bank": ("banque", "rive")}, words sorted, and the labels of a word."""
    found = defaultdict(set)
    for word, label in zip(labelled.word, labelled.label):
        found[word].add(label)
    return {word: tuple(sorted(found[word])) for word in sorted(found)}


def whole_sentences(rows: Sequence[tuple[str, str]], counts: Mapping[str, int]) -> Labelled:
    """Sentences that are classified whole, from (text, class) rows."""
    return Labelled([text for text, _ in rows], [WHOLE] * len(rows), [""] * len(rows),
                    [label for _, label in rows], None, {**counts, "sentences": len(rows)})


def joined(parts: Sequence[Labelled]) -> Labelled:
    """All sentences of several parts in a row, without truth and counts."""
    return Labelled(*(sum((getattr(part, name) for part in parts), [])
                      for name in ("text", "place", "word", "label")))


def hold_out(labelled: Labelled, share: float, seed: int) -> tuple[Labelled, Labelled]:
    """Parts a corpus at random, class by class, into two that share no sentence.

    Of each class (word, label) of n different sentences round(share * n), a half upwards, are held out, at
    least one where n is 3 or more; never so many that none is left, and none of a class of 1 or 2. Only the
    first of sentences that read the same can be held out; the others are taken out of the rest and counted
    as "repeats_of_held_out".

    Args:
      labelled: the whole.
      share: of each class to hold out, above 0 and below 1.
      seed: picks them.

    Returns:
      rest, held, each in the order of the corpus; the counts of the whole stay with the rest.

    Raises:
      ValueError: a share that is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"share={share}: what is held out is a share above 0 and below 1")
    first = {}
    for index, sentence in enumerate(labelled.text):
        first.setdefault(sentence, index)
    held = set()
    for places in _drawn(labelled, first.values(), seed):
        if len(places) >= 3:
            held.update(places[:min(max(1, int(share * len(places) + 0.5)), len(places) - 1)])
    rest = [i for i, sentence in enumerate(labelled.text) if first[sentence] not in held]
    repeats = len(labelled) - len(rest) - len(held)
    labelled = labelled.counted(repeats_of_held_out=repeats)
    # Or what a file has once would be told of each of its parts.
    return labelled.select(rest), dataclasses.replace(labelled, counts={}).select(sorted(held))


def few(labelled: Labelled, shots: int, seed: int) -> Labelled:
    """`shots` sentences of each class (word, label), drawn at random, in the order of the corpus.

    The sentences of fewer shots are among those of more, for one seed. A class that has fewer keeps all;
    "classes_below_shots" counts such classes.

    Raises:
      ValueError: shots below 1.
    """
    if shots < 1:
        raise ValueError(f"shots={shots}: 1 or more sentences of each class are needed")
    groups = list(_drawn(labelled, range(len(labelled)), seed))
    kept = labelled.select(sorted(i for places in groups for i in places[:shots]))
    return kept.counted(classes_below_shots=sum(len(places) < shots for places in groups))


def _drawn(labelled, indices: Iterable[int], seed):
    """The indices of each class in random order, classes in the order of their names."""
    groups = defaultdict(list)
    raw = np.random.PCG64(seed).random_raw(len(labelled))  # raw words: the same from every numpy
    for index in indices:
        groups[labelled.word[index], labelled.label[index]].append(index)
    return [sorted(groups[key], key=lambda i: (raw[i], i)) for key in sorted(groups)]


def same_classes(train: Labelled, other: Labelled, part: str, name: str) -> None:
    """Refuses classes that another part, such as "test", has and train lacks.

    Raises:
      ValueError: there is one; the message begins with `name`.
    """
    known = classes(train)
    for word, labels in classes(other).items():
        for label in labels:
            if label not in known.get(word, ()):
                of = f" of {word!r}" if word else ""
                raise ValueError(f"{name}: the class {label!r}{of} is in {part} but not in train, which has "
                                 f"{', '.join(known.get(word, ())) or 'none'}")


def shared(train: Labelled, other: Labelled) -> int:
    """How many sentences of another part train has too."""
    known = set(train.text)
    return sum(sentence in known for sentence in other.text)
