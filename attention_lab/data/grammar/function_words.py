"""The closed classes: prepositions, conjunctions, determiners, pronouns, numerals, adverbs.

As in the other lists, a small lexicon has the first ones of each.
"""

from typing import NamedTuple

SINGULAR, PLURAL = 0, 1
MASCULINE, FEMININE = 0, 1


class Determiner(NamedTuple):
    """An article, possessive, demonstrative or numeral.

    Fields:
      english: the word; `a` means `an`, too.
      number: SINGULAR or PLURAL.
      french: its words for a masculine and for a feminine noun.
      before_vowel: the same if the next word begins with a vowel.
      tags: English and French part of speech of the first word.
      after_de: whether it may follow sans or a preposition that ends in de; `des` and `beaucoup de` may
        not.
      of: whether `of` may follow its noun; not after a possessive, which names the owner.
    """

    english: str
    number: int
    french: tuple[tuple[str, ...], tuple[str, ...]]
    before_vowel: tuple[tuple[str, ...], tuple[str, ...]]
    tag: str = "DET"
    after_de: bool = True
    of: bool = True


def _determiner(english, number, masculine, feminine, masculine_vowel=None, feminine_vowel=None,
                tag="DET", after_de=True, of=True):
    def words(text):
        return tuple(text.split())

    return Determiner(english, number, (words(masculine), words(feminine)),
                      (words(masculine_vowel or masculine), words(feminine_vowel or feminine)),
                      tag, after_de, of)


THE = (_determiner("the", SINGULAR, "le", "la", "l'", "l'"),
       _determiner("the", PLURAL, "les", "les"))
A = _determiner("a", SINGULAR, "un", "une")
SOME = _determiner("some", PLURAL, "des", "des", after_de=False)
# The object of a negated verb: il ne voit pas de chien.
NOT_A = _determiner("a", SINGULAR, "de", "de", "d'", "d'")
NOT_ANY = _determiner("any", PLURAL, "de", "de", "d'", "d'")
# Before an adjective des becomes de: de grands chiens.
SOME_BEFORE_ADJECTIVE = _determiner("some", PLURAL, "de", "de", "d'", "d'", after_de=False)

DETERMINERS = (
    (A,), (SOME,),
    (_determiner("my", SINGULAR, "mon", "ma", "mon", "mon", of=False),
     _determiner("my", PLURAL, "mes", "mes", of=False)),
    (_determiner("this", SINGULAR, "ce", "cette", "cet", "cette", of=False),
     _determiner("these", PLURAL, "ces", "ces", of=False)),
    (_determiner("two", PLURAL, "deux", "deux", tag="NUM"),),
    (_determiner("three", PLURAL, "trois", "trois", tag="NUM"),),
    (_determiner("our", SINGULAR, "notre", "notre", of=False),
     _determiner("our", PLURAL, "nos", "nos", of=False)),
    (_determiner("many", PLURAL, "beaucoup de", "beaucoup de", "beaucoup d'", "beaucoup d'",
                 tag="ADJ", after_de=False),),
    (_determiner("four", PLURAL, "quatre", "quatre", tag="NUM"),),
    (_determiner("your", SINGULAR, "votre", "votre", of=False),
     _determiner("your", PLURAL, "vos", "vos", of=False)),
    (_determiner("five", PLURAL, "cinq", "cinq", tag="NUM"),),
    (_determiner("ten", PLURAL, "dix", "dix", tag="NUM"),),
)


class Preposition(NamedTuple):
    """A preposition: the `kinds` of noun that may follow, the `heads` that it may modify, and whether
    it may modify `verbs`."""

    english: tuple[str, ...]
    french: tuple[str, ...]
    kinds: str
    heads: str
    verbs: bool


def _preposition(english, french, kinds, heads, verbs):
    return Preposition(tuple(english.split()), tuple(french.split()), kinds, heads, verbs)


OF = _preposition("of", "de", "pl", "paofx", False)
PREPOSITIONS = (
    _preposition("near", "près de", "paonl", "paofnl", True),
    OF,
    _preposition("behind", "derrière", "paonl", "paofnl", True),
    _preposition("in", "dans", "l", "paofn", True),
    _preposition("with", "avec", "pa", "", True),
    _preposition("under", "sous", "on", "aof", True),
    _preposition("in front of", "devant", "paonl", "paofnl", True),
    _preposition("on", "sur", "on", "aof", True),
    _preposition("next to", "à côté de", "paonl", "paofnl", True),
    _preposition("without", "sans", "p", "", True),
    _preposition("far from", "loin de", "paonl", "paofnl", True),
    _preposition("against", "contre", "on", "", True),
)


class Conjunction(NamedTuple):
    """A conjunction between two clauses, and the tenses that it allows."""

    english: str
    french: tuple[str, ...]
    tag: str
    tenses: tuple[int, ...]


PRESENT, PAST, FUTURE = 0, 1, 2
CONJUNCTIONS = (
    Conjunction("and", ("et",), "CCONJ", (PRESENT, PAST, FUTURE)),
    Conjunction("because", ("parce", "que"), "SCONJ", (PRESENT, PAST, FUTURE)),
    Conjunction("but", ("mais",), "CCONJ", (PRESENT, PAST, FUTURE)),
    Conjunction("when", ("quand",), "SCONJ", (PRESENT, PAST)),
    Conjunction("if", ("si",), "SCONJ", (PRESENT,)),
    Conjunction("while", ("pendant", "que"), "SCONJ", (PRESENT, PAST)),
    Conjunction("so", ("donc",), "CCONJ", (PRESENT, PAST, FUTURE)),
)

# English, French adverb, and its position: `before` the English verb (after the French one), at the
# `end` of the clause, or as a `degree` before an adjective.
ADVERBS = (
    ("very", "très", "degree"),
    ("often", "souvent", "before"),
    ("here", "ici", "end"),
    ("always", "toujours", "before"),
    ("today", "aujourd'hui", "end"),
    ("too", "trop", "degree"),
    ("slowly", "lentement", "end"),
    ("rarely", "rarement", "before"),
    ("now", "maintenant", "end"),
    ("quietly", "calmement", "end"),
    ("sometimes", "parfois", "before"),
    ("there", "là", "end"),
    ("everywhere", "partout", "end"),
)
