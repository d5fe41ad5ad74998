"""The lexicon of a given size: entries by rank until their forms are that many word types."""

from bisect import bisect_left
from functools import lru_cache
from typing import NamedTuple

from attention_lab.data.grammar import function_words
from attention_lab.data.grammar.adjectives import ADJECTIVES
from attention_lab.data.grammar.ambiguous import AMBIGUOUS
from attention_lab.data.grammar.function_words import FUTURE, PAST, PRESENT
from attention_lab.data.grammar.morphology import (
    adjective_forms,
    conjugate,
    elides,
    english_plural,
    english_third_person,
    french_plural,
    takes_an,
    unmarked,
)
from attention_lab.data.grammar.nouns import NOUNS
from attention_lab.data.grammar.rare_nouns import RARE_NOUNS
from attention_lab.data.grammar.verbs import VERBS

# Ranks between neighbours of a class: the k-th noun has rank k, the k-th verb 2.3 k, and so on. Closed
# classes have low ranks, so that a small lexicon shows every phenomenon.
STEPS = {"noun": 1.0, "verb": 2.3, "adjective": 2.6, "ambiguous": 0.75, "determiner": 2.5,
         "preposition": 2.2, "conjunction": 3.5, "adverb": 3.0, "feature": 4.0}
# An ambiguous noun needs its deciding words, so the smallest lexicons have none.
STARTS = {"ambiguous": 4.0}
# Phenomena that need further words, in the order in which a growing lexicon gets them.
FEATURES = ("it", "he", "they", "never", "future", "past", "she")
PERSONS = "p"


class Noun(NamedTuple):
    """A noun: forms by number, French gender, kind and sex (m, f or "")."""

    english: tuple[str, str]
    french: tuple[str, str]
    gender: int
    kind: str
    sex: str
    vowel: bool
    an: bool


class Adjective(NamedTuple):
    """An adjective: French forms by 2 * gender + number, then masculine before a vowel."""

    english: str
    french: tuple[str, str, str, str, str]
    kinds: str
    before: bool
    vowel: bool
    an: bool


class Verb(NamedTuple):
    """A verb: English (base, third person, particles), French forms by tense and number."""

    english: tuple[str, str]
    particles: tuple[str, ...]
    french: tuple[tuple[str, str], tuple[str, str], tuple[str, str]]
    preposition: str
    subjects: str
    objects: str


class Meaning(NamedTuple):
    """One sense of an ambiguous noun and the words that decide for it, by relation."""

    noun: Noun
    adjectives: tuple[Adjective, ...]
    governors: tuple[Verb, ...]
    predicates: tuple[Verb, ...]
    owners: tuple[Noun, ...]
    wholes: tuple[Noun, ...]

    @property
    def deciders(self) -> tuple:
        """All its deciding entries."""
        return (*self.adjectives, *self.governors, *self.predicates, *self.owners, *self.wholes)


class Lexicon(NamedTuple):
    """The words that a generator draws from; `types` counts English and French word types together."""

    nouns: tuple[Noun, ...]
    adjectives: tuple[Adjective, ...]
    verbs: tuple[Verb, ...]
    ambiguous: tuple[tuple[Meaning, ...], ...]
    determiners: tuple
    prepositions: tuple
    conjunctions: tuple
    adverbs: tuple
    features: frozenset
    types: int


def _noun(line: str) -> tuple[str, Noun]:
    english, french, gender, kind = line.split()
    singular, _, plural = english.partition("/")
    one, _, many = french.partition("/")
    return singular, Noun((singular, plural or english_plural(singular)),
                          (unmarked(one), unmarked(many) or french_plural(unmarked(one))),
                          "mf".index(gender), kind[0], kind[1:], elides(one), takes_an(singular))


def _adjective(line: str) -> tuple[str, Adjective]:
    english, french, kinds, *before = line.split()
    forms = tuple(unmarked(form) for form in adjective_forms(french))
    return english, Adjective(english, forms, kinds, bool(before), elides(french),
                              takes_an(english))


def _verb(line: str) -> tuple[str, Verb]:
    english, french, subjects, objects = line.split()
    base, *particles = english.split("_")
    french, _, preposition = french.partition("_")
    return english, Verb((base, english_third_person(base)), tuple(particles), conjugate(french),
                         preposition, subjects, objects.strip("-"))


def _entries(text: str, parse) -> dict:
    """Parses a table into {English: entry}, in its order; ValueError for a repeated word."""
    entries = {}
    for line in text.split("\n"):
        if line:
            name, entry = parse(line)
            if name in entries:
                raise ValueError(f"word {name!r}: twice in its table")
            entries[name] = entry
    return entries


@lru_cache(maxsize=1)
def all_entries() -> tuple[dict, dict, dict, dict]:
    """All nouns, adjectives, verbs and ambiguous nouns, each {English: entry}."""
    nouns, adjectives = _entries(NOUNS + RARE_NOUNS, _noun), _entries(ADJECTIVES, _adjective)
    verbs = _entries(VERBS, _verb)
    ambiguous: dict[str, list[Meaning]] = {}
    for line in filter(None, AMBIGUOUS.split("\n")):
        if line[0] != " ":
            word = line.strip()
            ambiguous[word] = []
            continue
        noun, *lists = line.split("|")
        french, gender, kind = noun.split()
        deciders = [tuple(table[name] for name in names.split() if name != "-") for table, names
                    in zip((adjectives, verbs, verbs, nouns, nouns), lists, strict=True)]
        ambiguous[word].append(Meaning(_noun(f"{word} {french} {gender} {kind}")[1], *deciders))
    return nouns, adjectives, verbs, ambiguous


def _forms(lexicon: Lexicon) -> set[tuple[str, str]]:
    """All (language, form) pairs of a lexicon."""
    english = {".", "the", "a", "an", "does", "do", "not", "is", "are", "that", "who"}
    french = {".", "le", "la", "l'", "les", "un", "une", "de", "d'", "ne", "n'", "pas", "est",
              "sont", "qui", "que", "qu'"}
    tenses = [PRESENT] + [FUTURE] * ("future" in lexicon.features)
    tenses += [PAST] * ("past" in lexicon.features)
    for noun in (*lexicon.nouns, *(m.noun for word in lexicon.ambiguous for m in word)):
        english.update(noun.english)
        french.update(noun.french)
    for adjective in lexicon.adjectives:
        english.add(adjective.english)
        french.update(adjective.french if adjective.before else adjective.french[:4])
    for verb in lexicon.verbs:
        english.update(verb.english, verb.particles)
        french.update(form for tense in tenses for form in verb.french[tense])
    for determiner in (entry for group in lexicon.determiners for entry in group):
        english.add(determiner.english)
        for words in (*determiner.french, *determiner.before_vowel):
            french.update(words)
    for entry in (*lexicon.prepositions, *lexicon.conjunctions):
        english.update([entry.english] if isinstance(entry.english, str) else entry.english)
        french.update(entry.french)
    for word, translation, _ in lexicon.adverbs:
        english.add(word)
        french.add(translation)
    if lexicon.prepositions:
        french.update(("du", "des"))
    if any(verb.preposition == "à" for verb in lexicon.verbs):
        french.update(("à", "au", "aux"))
    if lexicon.ambiguous:
        english.update(("has", "have"))
        french.update(("a", "ont"))
    for feature, words, translations in (
            ("it", "it", "il elle"), ("he", "he", "il"), ("she", "she", "elle"),
            ("they", "they", "ils elles"), ("never", "never", "jamais"),
            ("future", "will be have", "sera seront aura auront"),
            ("past", "used to was were have", "était étaient avait avaient")):
        if feature in lexicon.features:
            english.update(words.split())
            french.update(translations.split())
    return {("english", form) for form in english} | {("french", form) for form in french}


def _at_rank(rank: float) -> Lexicon:
    """The lexicon of all entries up to a rank and the deciding words of its ambiguous nouns."""
    nouns, adjectives, verbs, ambiguous = all_entries()

    def first(entries, name):
        count = int((rank - STARTS.get(name, 0.0)) / STEPS[name] + 1)
        return list(entries)[:max(count, 0)]

    chosen = {name: dict.fromkeys(first(table.values(), name)) for name, table in
              (("noun", nouns), ("verb", verbs), ("adjective", adjectives))}
    words = [ambiguous[word] for word in first(ambiguous, "ambiguous")]
    table_of = {Noun: "noun", Verb: "verb", Adjective: "adjective"}
    for meaning in (meaning for word in words for meaning in word):
        # Two deciding words for each sense, so that no sense always comes with the same word.
        for decider in meaning.deciders[:2]:
            chosen[table_of[type(decider)]].setdefault(decider)
    present = set().union(*chosen.values())
    words = [tuple(Meaning(meaning.noun, *(tuple(d for d in group if d in present)
                                           for group in meaning[1:])) for meaning in word)
             for word in words]
    lexicon = Lexicon(
        tuple(chosen["noun"]), tuple(chosen["adjective"]), tuple(chosen["verb"]), tuple(words),
        tuple(first(function_words.DETERMINERS, "determiner")),
        tuple(first(function_words.PREPOSITIONS, "preposition")),
        tuple(first(function_words.CONJUNCTIONS, "conjunction")),
        tuple(first(function_words.ADVERBS, "adverb")),
        frozenset(first(FEATURES, "feature")), 0)
    return lexicon._replace(types=len(_forms(lexicon)))


LARGEST_RANK = 700.0
SMALLEST_RANK = 2.0


@lru_cache(maxsize=8)
def lexicon(size: int) -> Lexicon:
    """The lexicon of about `size` English and French word types; ValueError if there is none."""
    smallest, largest = _at_rank(SMALLEST_RANK).types, _at_rank(LARGEST_RANK).types
    if not smallest <= size <= largest:
        raise ValueError(f"lexicon_size={size}: allowed are {smallest} to {largest} word types")
    ranks = [step / 4 for step in range(int(SMALLEST_RANK * 4), int(LARGEST_RANK * 4) + 1)]
    index = bisect_left(ranks, size, key=lambda rank: _at_rank(rank).types)
    return min((_at_rank(rank) for rank in ranks[max(index - 1, 0):index + 1]),
               key=lambda candidate: abs(candidate.types - size))
