"""Sentences with a class each, the carrier between readers of classified text and tokenizers."""

import dataclasses
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from attention_lab.data.corpus import Corpus, first_indices
from attention_lab.data.lines import one_space

WHOLE = -1  # position of a sentence that is classified as a whole


@dataclasses.dataclass(frozen=True)
class Labelled(Corpus):
    """Sentences, the word or whole sentence to classify in each, and its class.

    Fields:
      text: sentences, words separated by single spaces, never empty.
      position: index of the word to classify, from 0; WHOLE where the whole sentence is classified.
      word: the ambiguous word of each sentence, such as "bank"; "" where the whole sentence is classified.
      label: the class, such as "rive" or "positive".
      truth: the grammar's Sentence of each, whose senses[0] is to be predicted; None for other text.
      counts: {name: number, or the names} of irregularities, and "sentences".
    """

    UNIT, TEXTS, EXAMPLES = "sentences", "sentences", "sentences_with_their_class"
    text: list[str]
    position: list[int]
    word: list[str]
    label: list[str]
    truth: list | None = None
    counts: dict[str, int] = dataclasses.field(default_factory=dict)

    def texts(self) -> list[str]:
        """Input of a model: `text`."""
        return self.text

    def text_columns(self) -> list[list[str]]:
        """The text that the digest of a corpus covers: a line for each sentence."""
        rows = zip(self.text, self.position, self.word, self.label)
        return [["\t".join(map(str, row)) for row in rows]]


def classes(labelled: Labelled) -> dict[str, tuple[str, ...]]:
    """The labels of each word: {"bank": ("banque", "rive")}; words and labels are sorted."""
    labels = defaultdict(set)
    for word, label in zip(labelled.word, labelled.label):
        labels[word].add(label)
    return {word: tuple(sorted(labels[word])) for word in sorted(labels)}


def whole_sentences(rows: Sequence[tuple[str, str]], counts: Mapping[str, int]) -> Labelled:
    """Sentences to classify as a whole, from (text, class) rows."""
    return Labelled([text for text, _ in rows], [WHOLE] * len(rows), [""] * len(rows),
                    [label for _, label in rows], None, {**counts, "sentences": len(rows)})


def joined(parts: Sequence[Labelled]) -> Labelled:
    """The concatenation of several parts, their counts added up, without truth."""
    counts = {}
    for part in parts:
        counts |= {name: counts[name] + count if name in counts else count
                   for name, count in part.counts.items()}
    text, position, word, label = ([entry for part in parts for entry in getattr(part, name)]
                                   for name in ("text", "position", "word", "label"))
    return Labelled(text, position, word, label, None, counts)


def hold_out(labelled: Labelled, share: float, seed: int) -> tuple[Labelled, Labelled]:
    """Splits a corpus at random, class by class, into (rest, held out), which share no sentence.

    Of the n different sentences of a class (word, label) round(share * n), a half upwards, are held out: at
    least one if n is 3 or more, at most n - 1, none if n is 1 or 2. Of repeated sentences only the first can
    be held out; the others are then taken out of the rest and counted as "repeats_of_held_out". Both parts
    keep the order of the corpus. ValueError for a share that is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"share={share}: a share above 0 and below 1 is needed")
    chosen = set()
    for indices in _shuffled_classes(labelled, first_indices(labelled.text).values(), seed):
        if len(indices) >= 3:
            chosen.update(indices[:min(max(1, int(share * len(indices) + 0.5)), len(indices) - 1)])
    return labelled.without(chosen, labelled.text), labelled.held_out(chosen)


def few_shot(labelled: Labelled, shots: int, seed: int) -> Labelled:
    """`shots` sentences of each class (word, label), drawn at random, in the order of the corpus.

    For one seed, fewer shots are a subset of more. A class that has fewer keeps all, and
    "classes_below_shots" counts such classes. ValueError for shots below 1.
    """
    if shots < 1:
        raise ValueError(f"shots={shots}: 1 or more sentences of each class are needed")
    groups = _shuffled_classes(labelled, range(len(labelled)), seed)
    kept = labelled.select(sorted(i for indices in groups for i in indices[:shots]))
    return kept.counted(classes_below_shots=sum(len(indices) < shots for indices in groups))


def _shuffled_classes(labelled, indices: Iterable[int], seed):
    """The indices of each class in random order, classes in the order of their names."""
    groups = defaultdict(list)
    raw = np.random.PCG64(seed).random_raw(len(labelled))  # raw words: the same from every numpy
    for index in indices:
        groups[labelled.word[index], labelled.label[index]].append(index)
    return [sorted(groups[key], key=lambda i: (raw[i], i)) for key in sorted(groups)]


def several_classes(corpus: Mapping[str, Labelled], name: str) -> None:
    """ValueError, beginning with `name`, if a corpus {split: part} has no word, or text, of two classes."""
    by_word = classes(joined(list(corpus.values())))
    if all(len(labels) < 2 for labels in by_word.values()):
        all_labels = sorted({label for labels in by_word.values() for label in labels})
        of = "" if "" in by_word else " of a word"
        raise ValueError(f"{name}: there is nothing to decide between: two classes{of} are needed, and there "
                         f"{'are' if len(all_labels) > 1 else 'is'} {', '.join(all_labels)}")


def alike(classes: Mapping[str, Iterable[str]]) -> list[str]:
    """A line for each group of a word's classes that look like one; they are as the file says.

    >>> alike({"": ("good", "Good", "bad")})
    ["'good' and 'Good' are different classes: their capitals, spaces or forms of Unicode differ"]
    """
    said = []
    for word, labels in classes.items():
        groups = defaultdict(list)
        for label in labels:
            groups[one_space(unicodedata.normalize("NFKC", label).casefold())].append(label)
        of = f" of {word!r}" if word else ""
        said += [f"{' and '.join(map(ascii, group))}{of} are different classes: their capitals, "
                 "spaces or forms of Unicode differ" for group in groups.values() if len(group) > 1]
    return said


def with_contradictions(labelled: Labelled) -> Labelled:
    """The corpus with a count of its different sentences that occur with several classes of one word."""
    labels = defaultdict(set)
    for text, position, word, label in zip(labelled.text, labelled.position, labelled.word, labelled.label):
        labels[text, position, word].add(label)
    count = sum(len(of_one) > 1 for of_one in labels.values())
    return labelled.counted(sentences_of_several_classes=count) if count else labelled


def same_classes(train: Labelled, other: Labelled, part: str, name: str) -> None:
    """ValueError, beginning with `name`, if another part, such as "test", has a class that train lacks."""
    in_train = classes(train)
    for word, labels in classes(other).items():
        for label in labels:
            if label not in in_train.get(word, ()):
                of = f" of {word!r}" if word else ""
                raise ValueError(f"{name}: the class {label!r}{of} is in {part} but not in train, which has "
                                 f"{', '.join(in_train.get(word, ())) or 'none'}")
