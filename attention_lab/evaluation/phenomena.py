"""How often what a word must agree with was understood: senses, verbs' number, pronouns' gender.

Each generated sentence knows, for each ambiguous noun, finite verb and pronoun, where the French
form stands in the reference, which form is right and which ones are wrong. A translation is judged
by that form alone, case by case:

1. The hypothesis is aligned with the reference word by word at the smallest edit cost. Leaving out,
   adding or replacing a word costs 1, replacing a right form by its wrong one a half, for that is
   the mistake looked for and the likelier reading.
2. The word aligned with the right form's place decides, if it is the right form or a wrong one.
3. If it is neither, the nearest such form decides that is no more than 3 words from the place and
   not already aligned with an equal word or taken by another case.
4. If there is none, the case is missing, which is not right either.

So a hypothesis that equals the reference has every case right, and one that differs from it in the
form alone has that case wrong.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from attention_lab.evaluation.bleu import check_pairs

NEAR = 3  # words


class Accuracy(NamedTuple):
    """The share of cases that came out right, and what it is made of."""

    score: float  # right / count
    count: int
    right: int
    wrong: int  # another form where the right one belongs
    missing: int  # neither there nor near


class _Case(NamedTuple):
    place: int  # of the form in the reference
    right: str
    wrong: tuple[str, ...]

    @property
    def forms(self) -> tuple[str, ...]:
        return (self.right, *self.wrong)


def sense_accuracy(hypotheses: Sequence[str], sentences: Sequence[Any]) -> Accuracy:
    """Share of ambiguous nouns translated by the noun of their sense.

    Args:
      hypotheses: translations, tokens parted by blanks as in the references.
      sentences: the generator's records, in the same order; `french` and `senses` are read.
    Raises:
      ValueError: no sentences, unequal counts, or no case among them.
    """
    return _accuracy(hypotheses, sentences, "sense")


def agreement_accuracy(hypotheses: Sequence[str], sentences: Sequence[Any]) -> Accuracy:
    """Share of finite verbs whose number is their subject's; otherwise as `sense_accuracy`."""
    return _accuracy(hypotheses, sentences, "agreement")


def pronoun_accuracy(hypotheses: Sequence[str], sentences: Sequence[Any]) -> Accuracy:
    """Share of pronouns with their antecedent's gender; otherwise as `sense_accuracy`."""
    return _accuracy(hypotheses, sentences, "pronoun")


def accuracies(hypotheses: Sequence[str], sentences: Sequence[Any]) -> dict[str, Accuracy]:
    """All of "sense", "agreement" and "pronoun" that occur in these sentences."""
    check_pairs(hypotheses, sentences)
    return {name: _accuracy(hypotheses, sentences, name) for name in _CASES
            if any(_CASES[name](sentence) for sentence in sentences)}


_CASES = {
    "sense": lambda sentence: [
        _Case(sense.french, sense.right, tuple(sense.wrong)) for sense in sentence.senses],
    "agreement": lambda sentence: [
        _Case(verb.french_verb, verb.right, (verb.wrong,)) for verb in sentence.agreement],
    "pronoun": lambda sentence: [
        _Case(pronoun.french_pronoun, pronoun.right, (pronoun.wrong,))
        for pronoun in sentence.antecedents],
}


def _accuracy(hypotheses: Sequence[str], sentences: Sequence[Any], name: str) -> Accuracy:
    check_pairs(hypotheses, sentences)
    verdicts = []
    for hypothesis, sentence in zip(hypotheses, sentences):
        verdicts += _judge(hypothesis.split(), sentence.french, _CASES[name](sentence))
    if not verdicts:
        raise ValueError(f"no {name} case in {len(sentences)} sentences to score")
    right, wrong, missing = map(verdicts.count, ("right", "wrong", "missing"))
    return Accuracy(right / len(verdicts), len(verdicts), right, wrong, missing)


def _judge(hypothesis: Sequence[str], reference: Sequence[str], cases: Iterable[_Case]
           ) -> list[str]:
    """The verdict on each case of one sentence."""
    cases = list(cases)
    if not cases:
        return []
    aligned = align(reference, hypothesis, {case.place: case.wrong for case in cases})
    taken = {j for i, j in enumerate(aligned) if j is not None and hypothesis[j] == reference[i]}
    decided = []
    for case in cases:
        j = aligned[case.place]
        decided.append(j if j is not None and hypothesis[j] in case.forms else None)
    taken.update(decided)
    verdicts = []
    for case, j in zip(cases, decided):
        if j is None:
            place = _expected_place(aligned, case.place)
            near = [k for k, word in enumerate(hypothesis)
                    if word in case.forms and k not in taken and abs(k - place) <= NEAR]
            j = min(near, key=lambda k: (abs(k - place), k), default=None)
            taken.add(j)
        if j is None:
            verdicts.append("missing")
        else:
            verdicts.append("right" if hypothesis[j] == case.right else "wrong")
    return verdicts


def _expected_place(aligned: Sequence[int | None], place: int) -> int:
    """Where a reference word would stand in the hypothesis, by the last aligned word up to it."""
    for i in range(place, -1, -1):
        if aligned[i] is not None:
            return aligned[i] + place - i
    return place


def align(reference: Sequence[str], hypothesis: Sequence[str],
          confusable: dict[int, tuple[str, ...]]) -> list[int | None]:
    """For each reference word the index of the hypothesis word it is matched with, or None.

    Args:
      reference, hypothesis: words.
      confusable: reference index -> words that replace it at half the cost.
    """
    # Equal beginnings and ends can always be matched with each other: most of a good translation.
    first, shorter = 0, min(len(reference), len(hypothesis))
    while first < shorter and reference[first] == hypothesis[first]:
        first += 1
    last = 0
    while last < shorter - first and reference[-1 - last] == hypothesis[-1 - last]:
        last += 1
    rows, columns = len(reference) - first - last, len(hypothesis) - first - last

    def replacing(i: int, j: int) -> float:
        ours, theirs = reference[first + i], hypothesis[first + j]
        if ours == theirs:
            return 0.0
        return 0.5 if theirs in confusable.get(first + i, ()) else 1.0

    # cost[i][j]: smallest cost of turning the reference from i on into the hypothesis from j on.
    cost = [[float(columns - j + rows - i) for j in range(columns + 1)] for i in range(rows + 1)]
    for i in reversed(range(rows)):
        for j in reversed(range(columns)):
            cost[i][j] = min(cost[i + 1][j + 1] + replacing(i, j), cost[i + 1][j] + 1.0,
                             cost[i][j + 1] + 1.0)
    aligned: list[int | None] = list(range(first)) + [None] * rows + list(
        range(len(hypothesis) - last, len(hypothesis)))
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
