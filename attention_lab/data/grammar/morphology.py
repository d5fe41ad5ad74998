"""The forms of words: plural, feminine, conjugation, and elision and `an` before a vowel.

French rules after Grevisse, Le bon usage: plurals in -x, feminines, the spelling of verbs in -er.
"""

import re

VOWELS = frozenset("aeiouàâéèêëîïôûœ")
# Exceptions to the rules for nouns in -ou, -eu and -al.
PLURAL_IN_OUX = frozenset("bijou caillou chou genou hibou joujou pou".split())
PLURAL_IN_S = frozenset("pneu bleu bal carnaval chacal festival récital régal".split())
# The first sound is not that of the first letter: a university, an honest man.
CONSONANT_SOUND = frozenset("university useful useless uniform unicorn".split())
VOWEL_SOUND = frozenset("honest heiress hour heir".split())


def english_plural(noun: str) -> str:
    """The regular plural of an English noun: dogs, boxes, cities."""
    if re.search(r"(s|x|z|ch|sh)$", noun):
        return noun + "es"
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + "s"


def english_third_person(verb: str) -> str:
    """The third person singular of an English verb: sees, goes, watches, flies."""
    if verb == "have":
        return "has"
    if verb.endswith("o"):
        return verb + "es"
    return english_plural(verb)


def takes_an(word: str) -> bool:
    """Whether this English word takes `an` rather than `a`."""
    return word in VOWEL_SOUND or (word[0] in "aeiou" and word not in CONSONANT_SOUND)


def unmarked(french: str) -> str:
    """A French entry without the `*` that marks its aspirated h."""
    return french.lstrip("*")


def elides(french: str) -> bool:
    """Whether le, de, que, ne lose their vowel before this French entry; `*` marks h aspiré."""
    return french[0] in VOWELS or french[0] == "h"


def french_plural(noun: str) -> str:
    """The plural of a French noun or masculine adjective: chiens, gâteaux, chevaux, bras."""
    if noun[-1] in "sxz":
        return noun
    if noun in PLURAL_IN_OUX or (noun.endswith(("au", "eu")) and noun not in PLURAL_IN_S):
        return noun + "x"
    if noun.endswith("al") and noun not in PLURAL_IN_S:
        return noun[:-2] + "aux"
    return noun + "s"


def french_feminine(adjective: str) -> str:
    """The feminine of a French adjective by rule: grande, heureuse, active, légère, bonne."""
    for ending, feminine in (("eux", "euse"), ("f", "ve"), ("er", "ère"), ("el", "elle"),
                             ("en", "enne"), ("on", "onne"), ("e", "e")):
        if adjective.endswith(ending):
            return adjective[:-len(ending)] + feminine
    return adjective + "e"


def adjective_forms(entry: str) -> tuple[str, str, str, str, str]:
    """Masculine singular and plural, feminine singular and plural, masculine before a vowel.

    Args:
      entry: the masculine singular, then after slashes any irregular feminine singular, masculine
        plural and form before a vowel: `vieux/vieille/vieux/vieil`.
    """
    parts = entry.split("/")
    masculine = parts[0]
    feminine = parts[1] if len(parts) > 1 else french_feminine(masculine)
    plural = parts[2] if len(parts) > 2 else french_plural(masculine)
    before_vowel = parts[3] if len(parts) > 3 else masculine
    return masculine, plural, feminine, feminine + "s", before_vowel


def conjugate(entry: str) -> tuple[tuple[str, str], tuple[str, str], tuple[str, str]]:
    """Third persons, (singular, plural), of présent, imparfait and futur simple.

    Args:
      entry: an infinitive in -er, or `singular/plural/past stem/future stem`.
    """
    if "/" in entry:
        singular, plural, past, future = entry.split("/")
    else:
        if not entry.endswith("er"):
            raise ValueError(f"verb {entry!r}: an infinitive in -er, or four forms, is needed")
        stem = entry[:-2]
        past = stem + {"g": "e"}.get(stem[-1], "")
        if stem[-1] == "c":
            past = stem[:-1] + "ç"
        present, future = stem, entry
        if stem.endswith(("ay", "oy", "uy")):
            present = stem[:-1] + "i"
            future = present + "er"
        elif re.search(r"e[^aeiouyéè]$", stem):
            present = stem[:-2] + "è" + stem[-1]
            future = present + "er"
        elif re.search(r"é[^aeiouyéè]$", stem):
            present = stem[:-2] + "è" + stem[-1]
        singular, plural = present + "e", present + "ent"
    return (singular, plural), (past + "ait", past + "aient"), (future + "a", future + "ont")
