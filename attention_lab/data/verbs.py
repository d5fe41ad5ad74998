"""Sentences with a verb whose number is scored, by the nouns between it and its subject."""

import dataclasses
from collections import defaultdict

import numpy as np

from attention_lab.data.minimal_pairs import MinimalPairs

TEST, DEV = 0.2, 0.1  # shares of the sentences with equally many attractors


@dataclasses.dataclass(frozen=True)
class Verbs(MinimalPairs):
    """Sentences with a verb that agrees with its subject, which is wrong in the other number.

    Fields beside those of MinimalPairs, whose word is the verb:
      attractors: how many nouns of the other number stand between the subject and the verb.
      counts: {name: number} of irregularities, and "sentences".
    """

    EXAMPLES = "sentences_with_their_verb"
    attractors: list[int]
    counts: dict[str, int] = dataclasses.field(default_factory=dict)


def split(verbs: Verbs, seed: int) -> dict[str, Verbs]:
    """The sentences as train, dev and test, drawn at random among those with equally many attractors.

    Of n, round(TEST n) are test, round(DEV n) dev. Each part keeps the order of the whole; train, the counts.
    """
    raw = np.random.PCG64(seed).random_raw(len(verbs))  # raw words: the same from every numpy
    groups = defaultdict(list)
    for index, attractors in enumerate(verbs.attractors):
        groups[attractors].append(index)
    parts: dict[str, list[int]] = {"train": [], "dev": [], "test": []}
    for indices in groups.values():
        indices = sorted(indices, key=lambda i: (raw[i], i))
        test = round(TEST * len(indices))
        dev = test + round(DEV * len(indices))
        for name, part in zip(parts, (indices[dev:], indices[test:dev], indices[:test])):
            parts[name] += part
    train = verbs.select(sorted(parts.pop("train")))
    return {"train": train, **{name: verbs.held_out(part) for name, part in parts.items()}}


def is_singular(right: str, wrong: str) -> bool:
    """Whether the first of two forms of an English verb in the present, or of "was", is its singular.

    >>> [is_singular(*forms) for forms in (("is", "are"), ("passes", "pass"), ("were", "was"))]
    [True, True, False]
    """
    ends = right.endswith("s"), wrong.endswith("s")
    return len(right) > len(wrong) if ends[0] == ends[1] else ends[0]
