"""The generator's options, and the tables that it draws from, computed once for a lexicon."""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from attention_lab.data.grammar import function_words
from attention_lab.data.grammar.lexicon import Lexicon, lexicon

KINDS = "paoflnx"
SHARES = ("ambiguous_share", "attractor_share", "pronoun_share", "negation_share")


@dataclass(frozen=True)
class Options:
    """Options of a corpus.

    Fields:
      lexicon_size: English and French word types together, about.
      min_words, max_words: length of the English sentence in words, the final full stop not
        counted; lengths are uniform in this range.
      ambiguous_share: share of sentences, 0 to 1, with an ambiguous noun, of those long enough.
      sense_distance: least and greatest distance of the deciding word, in words.
      sense_side: "before" or "after": position of the deciding word; None: either.
      distractors: number of words that would decide for another sense, outside the deciding relation.
      attractor_share: chance that a noun inside a subject has the other number.
      pronoun_share: chance of `it` or `they` where exactly one antecedent fits.
      negation_share: chance that a clause is negated.
      max_depth: relative clauses one inside the other, at most.
    """

    lexicon_size: int = 1000
    min_words: int = 3
    max_words: int = 20
    ambiguous_share: float = 0.3
    sense_distance: tuple[int, int] = (1, 40)
    sense_side: str | None = None
    distractors: int = 0
    attractor_share: float = 0.5
    pronoun_share: float = 0.8
    negation_share: float = 0.2
    max_depth: int = 2

    def __post_init__(self):
        if not 3 <= self.min_words <= self.max_words <= 120:
            raise ValueError(f"min_words={self.min_words}, max_words={self.max_words}: "
                             "3 <= min_words <= max_words <= 120 is needed")
        for name in SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)}: a share from 0 to 1 is needed")
        low, high = self.sense_distance
        if not 1 <= low <= high:
            raise ValueError(f"sense_distance={self.sense_distance}: 1 <= least <= greatest is "
                             "needed")
        if self.sense_side not in (None, "before", "after"):
            raise ValueError(f"sense_side={self.sense_side!r}: before, after or None is needed")
        for name in ("distractors", "max_depth"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)}: 0 or more is needed")


class Tables(NamedTuple):
    """A lexicon sorted by the slots of a sentence; kinds as in nouns.py.

    Fields:
      nouns: kinds of a slot -> nouns. adjectives: kind -> (before the French noun, after it).
      all_adjectives: kind -> adjectives. neutral (adjectives), neutral_verbs, neutral_intransitive,
      neutral_prepositions: those that fit every kind of noun and so decide no sense.
      intransitive, transitive: kind of subject -> verbs.
      taking: kind of object -> verbs with a person as subject, without French preposition.
      determiners: number -> determiners. noun_prepositions: kind of head -> prepositions;
        verb_prepositions: those after a verb;
      places: kind of subject -> those after `is`. before, end, degree: adverbs by their position.
    """

    lexicon: Lexicon
    nouns: dict
    adjectives: dict
    all_adjectives: dict
    neutral: tuple
    neutral_verbs: tuple
    neutral_intransitive: tuple
    neutral_prepositions: tuple
    intransitive: dict
    transitive: dict
    taking: dict
    determiners: tuple
    noun_prepositions: dict
    verb_prepositions: tuple
    places: dict
    before: tuple
    end: tuple
    degree: tuple
    conjunctions: tuple
    deciders: frozenset


def _subsets(nouns) -> dict:
    """Nouns by string of kinds, such as "pa", computed when needed."""
    class ByKinds(dict):
        def __missing__(self, kinds):
            self[kinds] = tuple(noun for noun in nouns if noun.kind in kinds)
            return self[kinds]
    return ByKinds()


@lru_cache(maxsize=8)
def tables(lexicon_size: int) -> Tables:
    """The tables of the lexicon of this size; ValueError where lexicon.lexicon raises it."""
    words = lexicon(lexicon_size)
    nouns = _subsets(words.nouns)
    deciders = frozenset(decider.english for word in words.ambiguous for meaning in word
                         for decider in meaning.deciders)
    kinds_present = {noun.kind for noun in words.nouns}
    adjectives, every, intransitive, transitive, taking = {}, {}, {}, {}, {}
    neutral = tuple(a for a in words.adjectives if a.english not in deciders
                    and set("paolnx") <= set(a.kinds))
    for kind in KINDS:
        fitting = [a for a in words.adjectives if kind in a.kinds]
        every[kind] = tuple(fitting)
        adjectives[kind] = (tuple(a for a in fitting if a.before),
                            tuple(a for a in fitting if not a.before))
        intransitive[kind] = tuple(v for v in words.verbs if kind in v.subjects and not v.objects)
        transitive[kind] = tuple(v for v in words.verbs if kind in v.subjects
                                 and kinds_present & set(v.objects))
        taking[kind] = tuple(v for v in words.verbs if kind in v.objects and "p" in v.subjects
                             and not v.preposition and v.english not in deciders)
    determiners = [[], []]
    for group in words.determiners:
        for determiner in group:
            determiners[determiner.number].append(determiner)
    # About every second noun has the article.
    for number in (function_words.SINGULAR, function_words.PLURAL):
        determiners[number] += [function_words.THE[number]] * (len(determiners[number]) or 1)
    noun_prepositions = {kind: tuple(p for p in words.prepositions if kind in p.heads
                                     and kinds_present & set(p.kinds)) for kind in KINDS}
    adverbs = defaultdict(list)
    for english, french, position in words.adverbs:
        adverbs[position].append((english, french))
    neutral_verbs = tuple(v for v in words.verbs if set("paonlx") <= set(v.objects)
                          and "p" in v.subjects and not v.preposition
                          and v.english not in deciders)
    neutral_intransitive = tuple(v for v in words.verbs if set("paonlx") <= set(v.subjects)
                                 and not v.objects and v.english not in deciders)
    neutral_prepositions = tuple(p for p in words.prepositions if set("paofnl") <= set(p.heads)
                                 and kinds_present & set(p.kinds))
    return Tables(words, nouns, adjectives, every, neutral, neutral_verbs, neutral_intransitive,
                  neutral_prepositions, intransitive, transitive, taking,
                  tuple(map(tuple, determiners)), noun_prepositions,
                  tuple(p for p in words.prepositions if p.verbs and kinds_present & set(p.kinds)),
                  {kind: tuple(p for p in noun_prepositions[kind] if p.verbs) for kind in KINDS},
                  tuple(adverbs["before"]), tuple(adverbs["end"]), tuple(adverbs["degree"]),
                  words.conjunctions, deciders)
