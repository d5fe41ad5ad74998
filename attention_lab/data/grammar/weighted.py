"""Simple deterministic grammars with probabilities (Korenjak & Hopcroft 1966): text whose entropy is known.

A rule writes one word and leaves symbols to be written after it. The rules of a symbol begin with different
words, so that each word tells the rule: a text has one derivation, and the probability of a word, given all
words before it, is that of its rule. With p_r the probability of rule r and S_r its symbols,

    entropy(s) = sum_r p_r (-log p_r + sum of entropy(t) over t in S_r)      in nats
    words(s)   = sum_r p_r (1 + sum of words(t) over t in S_r)
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

Rule = tuple[float, str, tuple[Hashable, ...]]  # probability, word, symbols after it
ROUNDING = 1e-9  # by which the probabilities of a symbol's rules may miss 1
ROUNDS, CONVERGED = 10_000, 1e-15  # of the iteration in `expected`: most steps, relative change at its end


class Grammar(NamedTuple):
    """A grammar as arrays.

    Fields:
      symbols, words: names; all else are their indices.
      first: (symbols + 1,), the first rule of each symbol, and the number of rules.
      probability, word: (rules,). after: (rules, most symbols after a word), -1 where there is none.
    """

    symbols: tuple[Hashable, ...]
    words: tuple[str, ...]
    first: np.ndarray
    probability: np.ndarray
    word: np.ndarray
    after: np.ndarray


def grammar(rules: Mapping[Hashable, Sequence[Rule]]) -> Grammar:
    """The arrays of {symbol: rules}.

    Raises:
      ValueError: a symbol without rules, with two rules of one word, or whose probabilities are not above 0
        with the sum 1.
    """
    index = {symbol: i for i, symbol in enumerate(rules)}
    words = tuple(dict.fromkeys(word for group in rules.values() for _, word, _ in group))
    number = {word: i for i, word in enumerate(words)}
    for symbol, group in rules.items():
        probabilities = [probability for probability, _, _ in group]
        if len({word for _, word, _ in group}) < len(group):
            raise ValueError(f"symbol {symbol!r} has two rules that begin with the same word")
        if min(probabilities, default=0.0) <= 0 or abs(sum(probabilities) - 1) > ROUNDING:
            raise ValueError(f"symbol {symbol!r}: the probabilities of its rules are not above 0 with the "
                             "sum 1")
        for missing in {symbol for _, _, after in group for symbol in after} - set(index):
            raise ValueError(f"symbol {missing!r} has no rules")
    flat = [rule for group in rules.values() for rule in group]
    after = np.full((len(flat), max(len(symbols) for _, _, symbols in flat)), -1)
    for row, (_, _, symbols) in zip(after, flat):
        row[:len(symbols)] = [index[symbol] for symbol in symbols]
    return Grammar(tuple(rules), words, np.cumsum([0, *map(len, rules.values())]),
                   np.array([probability for probability, _, _ in flat]),
                   np.array([number[word] for _, word, _ in flat]), after)


def choices(grammar: Grammar) -> np.ndarray:
    """The entropy of the choice among the rules of each symbol, nats, (symbols,)."""
    return np.add.reduceat(-grammar.probability * np.log(grammar.probability), grammar.first[:-1])


def expected(grammar: Grammar, local: np.ndarray) -> np.ndarray:
    """The expected sum of `local` over a symbol and all below it: x(s) = local(s) + sum_r p_r x(S_r).

    `choices` gives the entropy of what a symbol writes, ones its number of words. ValueError for a grammar
    whose texts have no end on average.

    Args:
      local: (symbols,), not below 0.
    """
    values = np.zeros(len(grammar.symbols))
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(ROUNDS):
            below = np.append(values, 0.0)[grammar.after].sum(axis=1)  # index -1 is the 0
            new = local + np.add.reduceat(grammar.probability * below, grammar.first[:-1])
            if np.isfinite(new).all() and np.max(new - values) <= CONVERGED * np.max(new):
                return new
            values = new
    raise ValueError("the grammar's texts have no end on average")


def cumulative(grammar: Grammar) -> np.ndarray:
    """(rules,), rising: the rule of symbol s that a number u in [0, 1) draws is the first above s + u."""
    totals = np.cumsum(grammar.probability)
    before = np.concatenate([[0.0], totals])[grammar.first[:-1]]
    sizes = np.diff(grammar.first)
    within = totals - np.repeat(before, sizes)
    within[grammar.first[1:] - 1] = 1.0  # whatever rounding has left
    return within + np.repeat(np.arange(len(sizes)), sizes)
