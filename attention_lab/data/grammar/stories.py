"""Stories: endless English text, written by a weighted grammar of the lexicon; its entropy is known exactly.

    one king that sees these birds sleeps . two queens find this dog that swims . the king admires this tree .

`one` and `two` bring in a new subject, `the` repeats one of the subjects so far, all of them alike likely: a
reader has to look it up. A verb depends on its subject and agrees with it across a relative clause; an object
depends on its verb. What a noun does, and what a verb takes, are Zipf's distributions over orders that are
drawn for each: facts that a model has to learn by heart, the common ones first.
"""

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from attention_lab.data.grammar import weighted
from attention_lab.data.grammar.lexicon import Noun, Verb, lexicon
from attention_lab.data.grammar.weighted import Grammar

REPEATED = 0.6  # chance that a sentence, but for the first, is about a subject that the story has
NUMBERS = (0.6, 0.4)  # chances of singular and plural
RELATIVE = 0.2  # chance that a clause follows a subject, or the last object of a sentence
FIRST, NEXT, AGAIN = "first sentence", "next sentence", "a subject again"
NEW = ("new subject, singular", "new subject, plural")
STOP = [(1.0, ".", ())]


class StoryGrammar(NamedTuple):
    """A grammar of stories.

    Fields:
      grammar: its choice at AGAIN is that of a subject drawn anew; a story has its own subjects instead.
      subjects: the probability of each rule of AGAIN, which is that of each subject that is brought in.
    """

    grammar: Grammar
    subjects: np.ndarray


@functools.lru_cache(maxsize=4)
def stories(lexicon_size: int, seed: int) -> StoryGrammar:
    """The grammar of the lexicon of this size, with the facts that a seed draws.

    Raises:
      ValueError: no such lexicon, or one without verbs.
    """
    nouns, verbs = _words(lexicon_size)
    acting = [i for i, noun in enumerate(nouns) if any(noun.kind in verb.subjects for verb in verbs)]
    if not acting:
        raise ValueError(f"lexicon_size={lexicon_size}: no noun has a verb")
    rules: dict[Any, list] = {"end": STOP}
    for number in (0, 1):
        rules[NEW[number]] = [(p, nouns[i].english[number], (("subject", i, number),))
                              for p, i in zip(_zipf(len(acting)), acting)]
    fresh = [(p, word, (symbol,)) for p, word, symbol in zip(NUMBERS, ("one", "two"), NEW)]
    rules[FIRST], rules[NEXT] = fresh, [(REPEATED, "the", (AGAIN,)), *_scaled(1 - REPEATED, fresh)]
    rules[AGAIN] = [rule for chance, symbol in zip(NUMBERS, NEW) for rule in _scaled(chance, rules[symbol])]
    for i, noun in enumerate(nouns):
        able = [v for v, verb in enumerate(verbs) if noun.kind in verb.subjects]
        order = _order(seed, 0, i, able)
        for number in (0, 1):
            rules |= _of_noun(i, number, order, verbs)
    for v, verb in enumerate(verbs):
        order = _order(seed, 1, v, [i for i, noun in enumerate(nouns) if noun.kind in verb.objects])
        rules |= _of_verb(v, order, nouns) if order else {}
    grammar = weighted.grammar(rules)
    again = grammar.symbols.index(AGAIN)
    return StoryGrammar(grammar, grammar.probability[grammar.first[again]:grammar.first[again + 1]])


def _of_noun(i: int, number: int, order: list[int], verbs: list[Verb]) -> dict[Any, list]:
    """What may follow a noun: as the subject, with the verbs of `order`, and as the last object."""
    if not order:
        return {("after", i, number): STOP}
    verb, inner = ("verb", i, number), ("inner verb", i, number)
    words = [(p, verbs[v].english[1 - number], v) for p, v in zip(_zipf(len(order)), order)]
    ending = [(p, word, (("last object", v) if verbs[v].objects else "end",)) for p, word, v in words]
    return {verb: ending,
            inner: [(p, word, (("object", v),) if verbs[v].objects else ()) for p, word, v in words],
            ("subject", i, number): [(RELATIVE, "that", (inner, verb)), *_scaled(1 - RELATIVE, ending)],
            ("after", i, number): [*_scaled(1 - RELATIVE, STOP), (RELATIVE, "that", (verb,))]}


def _of_verb(v: int, order: list[int], nouns: list[Noun]) -> dict[Any, list]:
    """The objects of a verb, the nouns of `order`: within a sentence, and at its end."""
    rules: dict[Any, list] = {}
    for place in ("object", "last object"):
        rules[place, v] = [(p, word, ((place, v, number),))
                           for number, (p, word) in enumerate(zip(NUMBERS, ("this", "these")))]
        for number in (0, 1):
            rules[place, v, number] = [
                (p, nouns[i].english[number], () if place == "object" else (("after", i, number),))
                for p, i in zip(_zipf(len(order)), order)]
    return rules


def entropy(given: StoryGrammar, sentences: int) -> np.ndarray:
    """The entropy of each of the first sentences of a story, given those before it, nats, (sentences,).

    Subjects brought in are independent draws from q, `StoryGrammar.subjects`, and one that is repeated is any
    of them: its distribution is q, too. Of m draws, c of which are subject i, i costs -log(c / m).
    """
    symbols, local = given.grammar.symbols, weighted.choices(given.grammar)
    local[symbols.index(AGAIN)] = 0.0
    known = weighted.expected(given.grammar, local)  # but for the choice of a subject again
    chances, costs = np.array([1.0]), [known[symbols.index(FIRST)]]  # of m = 1, 2, ... subjects so far
    for _ in range(1, sentences):
        looked_up = sum(chance * _looked_up(given.subjects, m) for m, chance in enumerate(chances, 1))
        costs.append(known[symbols.index(NEXT)] + REPEATED * looked_up)
        chances = np.append(chances * REPEATED, 0.0) + np.append(0.0, chances * (1 - REPEATED))
    return np.array(costs)


def _looked_up(q: np.ndarray, m: int) -> float:
    """The expected entropy of one of m draws from q: sum_i sum_c Binomial(c; m, q_i) (c / m) log(m / c)."""
    counts = np.arange(1, m + 1)
    ways = np.array([math.comb(m, c) for c in counts], float)
    chances = ways * q[:, None] ** counts * (1 - q[:, None]) ** (m - counts)
    return float((chances * counts / m * np.log(m / counts)).sum())


def write(given: StoryGrammar, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first words of stories.

    Args:
      uniform: (rows, length), independent and uniform in [0, 1).
    Returns:
      words: int (rows, length), indices of `grammar.words`.
      surprisal: (rows, length), -log of the probability of each, given all words before it, nats.
    """
    grammar, (rows, length) = given.grammar, uniform.shape
    first, later, again, *new = (grammar.symbols.index(name) for name in (FIRST, NEXT, AGAIN, *NEW))
    bounds, every = weighted.cumulative(grammar), np.arange(rows)
    stack, depth = np.full((rows, 2 * length + 2), later), np.full(rows, 2)
    stack[:, 1] = first  # at the bottom is the next sentence
    subjects, known = np.full((rows, length), -1), np.zeros(rows, int)  # the rules that brought them in
    words, surprisal = np.zeros((rows, length), int), np.zeros((rows, length))
    for t, u in enumerate(uniform.T):
        depth -= 1
        symbol = stack[every, depth]
        depth = np.maximum(depth, 1)  # the bottom stays
        rule = np.searchsorted(bounds, symbol + u, side="right")
        repeated, least = symbol == again, np.maximum(known, 1)
        rule = np.where(repeated, subjects[every, (u * least).astype(int)], rule)
        same = (subjects == rule[:, None]).sum(axis=1) / least
        surprisal[:, t] = -np.log(np.where(repeated, same, grammar.probability[rule]))
        fresh = np.isin(symbol, new)
        subjects[every[fresh], known[fresh]] = rule[fresh]
        known += fresh
        words[:, t] = grammar.word[rule]
        for after in grammar.after[rule].T[::-1]:  # the symbol that is written first lies on top
            stack[every, depth] = np.where(after >= 0, after, stack[every, depth])
            depth = depth + (after >= 0)
    return words, surprisal


def _words(lexicon_size: int) -> tuple[list[Noun], list[Verb]]:
    """Nouns whose forms no other word has, and verbs of one word for which there is a noun on either side."""
    words = lexicon(lexicon_size)
    taken, nouns = {"one", "two", "the", "this", "these", "that", "."}, []
    for noun in words.nouns:
        if len(set(noun.english)) == 2 and not taken & set(noun.english):
            nouns.append(noun)
            taken.update(noun.english)
    kinds = {noun.kind for noun in nouns}
    return nouns, [verb for verb in words.verbs if not (verb.particles or verb.preposition)
                   and kinds & set(verb.subjects) and (not verb.objects or kinds & set(verb.objects))]


def _zipf(count: int) -> list[float]:
    weights = 1.0 / np.arange(1, count + 1)
    return (weights / weights.sum()).tolist()


def _scaled(chance: float, rules: list) -> list:
    return [(chance * p, word, after) for p, word, after in rules]


def _order(seed: int, what: int, index: int, members: list[int]) -> list[int]:
    # The raw words of PCG64 are fixed for good, Generator.permutation may change with numpy.
    raw = np.random.PCG64([seed, what, index]).random_raw(len(members))
    return [members[j] for j in np.argsort(raw, kind="stable")]
