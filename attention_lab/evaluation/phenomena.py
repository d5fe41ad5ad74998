"""Accuracy on words that depend on another word: senses, number of verbs, gender of pronouns.

For each ambiguous noun, finite verb and pronoun, a generated sentence gives the position of its French form
in the reference, the right form and the wrong ones. A translation is judged by that form alone, case by case:

1. The hypothesis is aligned with the reference word by word at the smallest edit cost. Leaving out, adding or
   replacing a word costs 1; replacing a right form by its wrong one costs a half, as this is the mistake that
   is counted.
2. The word aligned with the right form decides, if it is the right form or a wrong one.
3. Otherwise the nearest such form decides that is at most 3 words from that position and neither aligned with
   an equal word nor taken by another case.
4. Without one the case is missing, which is not right either.

So a hypothesis that equals the reference has every case right, and one that differs from it in the form alone
has that case wrong.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from attention_lab.evaluation.bleu import check_pairs

NEAR = 3  # words


class Accuracy(NamedTuple):
    """The share of cases that are right, and the counts behind it."""

    score: float  # right / count
    count: int
    right: int
    wrong: int  # a wrong form in the position of the right one
    missing: int  # neither form near that position


class Case(NamedTuple):
    """A French word that depends on another word: the right form and the wrong ones."""

    position: int  # of the form in the reference
    right: str
    wrong: tuple[str, ...]


# Phenomenon -> its cases in a sentence of the grammar.
CASES = {
    "sense": lambda sentence: [
        Case(sense.french, sense.right, tuple(sense.wrong)) for sense in sentence.senses],
    "agreement": lambda sentence: [
        Case(verb.french_verb, verb.right, (verb.wrong,)) for verb in sentence.agreement],
    "pronoun": lambda sentence: [
        Case(pronoun.french_pronoun, pronoun.right, (pronoun.wrong,)) for pronoun in sentence.antecedents],
}


def accuracies(hypotheses: Sequence[str], sentences: Sequence[Any]) -> dict[str, Accuracy]:
    """Accuracy of translations of the grammar's sentences, for each phenomenon that occurs in them.

    "sense": ambiguous nouns translated by their sense; "agreement": finite verbs with the number of their
    subject; "pronoun": pronouns with the gender of their antecedent. ValueError for no sentences or unequal
    counts.
    """
    check_pairs(hypotheses, sentences)
    scores = {}
    for name, cases in CASES.items():
        verdicts = [verdict for hypothesis, sentence in zip(hypotheses, sentences)
                    for verdict in _judge(hypothesis.split(), sentence.french, cases(sentence))]
        if verdicts:
            right, wrong, missing = map(verdicts.count, ("right", "wrong", "missing"))
            scores[name] = Accuracy(right / len(verdicts), len(verdicts), right, wrong, missing)
    return scores


def _judge(hypothesis: Sequence[str], reference: Sequence[str], cases: Sequence[Case]) -> list[str]:
    """The verdict on each case of one sentence."""
    if not cases:
        return []
    aligned = align(reference, hypothesis, {case.position: case.wrong for case in cases})
    taken = {j for i, j in enumerate(aligned) if j is not None and hypothesis[j] == reference[i]}
    forms = [(case.right, *case.wrong) for case in cases]
    decided = [aligned[case.position] for case in cases]
    decided = [j if j is not None and hypothesis[j] in either else None for j, either in zip(decided, forms)]
    taken.update(decided)
    verdicts = []
    for case, either, j in zip(cases, forms, decided):
        if j is None:
            expected = _expected_position(aligned, case.position)
            near = [k for k, word in enumerate(hypothesis)
                    if word in either and k not in taken and abs(k - expected) <= NEAR]
            j = min(near, key=lambda k: (abs(k - expected), k), default=None)
            taken.add(j)
        if j is None:
            verdicts.append("missing")
        else:
            verdicts.append("right" if hypothesis[j] == case.right else "wrong")
    return verdicts


def _expected_position(aligned: Sequence[int | None], position: int) -> int:
    """Of a reference word in the hypothesis, counted from the last aligned word up to it."""
    last = max((i for i in range(position + 1) if aligned[i] is not None), default=None)
    return position if last is None else aligned[last] + position - last


def align(reference: Sequence[str], hypothesis: Sequence[str],
          confusable: Mapping[int, tuple[str, ...]]) -> list[int | None]:
    """For each reference word the index of the hypothesis word that it is aligned with, or None.

    Args:
      confusable: {index in the reference: words that replace its word at half the cost}.
    """
    # Equal beginnings and ends can always be aligned with each other: most of a good translation.
    first, shorter = 0, min(len(reference), len(hypothesis))
    while first < shorter and reference[first] == hypothesis[first]:
        first += 1
    last = 0
    while last < shorter - first and reference[-1 - last] == hypothesis[-1 - last]:
        last += 1
    rows, columns = len(reference) - first - last, len(hypothesis) - first - last

    def replacing(i: int, j: int) -> float:
        word, other = reference[first + i], hypothesis[first + j]
        if word == other:
            return 0.0
        return 0.5 if other in confusable.get(first + i, ()) else 1.0

    # cost[i][j]: smallest cost of turning the reference from i on into the hypothesis from j on.
    cost = [[float(columns - j + rows - i) for j in range(columns + 1)] for i in range(rows + 1)]
    for i in reversed(range(rows)):
        for j in reversed(range(columns)):
            cost[i][j] = min(cost[i + 1][j + 1] + replacing(i, j), 1.0 + cost[i + 1][j],
                             1.0 + cost[i][j + 1])
    rest = range(len(hypothesis) - last, len(hypothesis))
    aligned: list[int | None] = [*range(first), *[None] * rows, *rest]
    i = j = 0
    while i < rows and j < columns:
        if cost[i][j] == cost[i + 1][j + 1] + replacing(i, j):
            aligned[first + i] = first + j
            i, j = i + 1, j + 1
        elif cost[i][j] == cost[i + 1][j] + 1.0:
            i += 1
        else:
            j += 1
    return aligned
