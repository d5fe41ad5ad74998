"""Spelling of a run's training text, read from its vocabulary: capitals, entities, marks, accents.

Moses writes an apostrophe as `&apos;`, other tokenisers keep it; some split `do n't`, others `don 't`; an
accent is part of its letter or a character of its own. New text has to be spelled as the training text is, or
its words are unknown to the model.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence, Set
from typing import Any, NamedTuple

from attention_lab.data.lines import MARK
from attention_lab.data.vocabulary import SPECIALS

# How each mark may be spelled, first as it is, then as Moses does.
FORMS = {"'": ("'", "&apos;", "&#39;", "’"), '"': ('"', "&quot;", "&#34;"), "&": ("&", "&amp;", "&#38;"),
         "|": ("|", "&#124;", "&bar;"), "<": ("<", "&lt;"), ">": (">", "&gt;"), "[": ("[", "&#91;"),
         "]": ("]", "&#93;")}
MARK_OF = {form: mark for mark, forms in FORMS.items() for form in forms}
ANY_FORM = re.compile("|".join(sorted(map(re.escape, MARK_OF), key=len, reverse=True)))
RUN = re.compile(r"[^\W_]+")  # a word without the punctuation around it
PLAIN_QUOTES = str.maketrans("’‘“”«»–—", "''\"\"\"\"--")
CASED = 0.05  # share of entries with capitals above which a text is cased; lower-cased ones have next to none


class Spelling(NamedTuple):
    """How a text is spelled.

    Fields: marks, {mark: how it is spelled}; cased, whether there are capitals; words and letters, those in
    use.
    """

    marks: dict[str, str]
    cased: bool = False
    words: frozenset[str] = frozenset()
    letters: frozenset[str] = frozenset()

    def respell(self, text: str) -> str:
        """A text with each mark, in whatever form, spelled as here, and `in_letters`.

        >>> Spelling({mark: mark for mark in FORMS}).respell("the man &apos;s")
        "the man 's"
        """
        return self.in_letters(ANY_FORM.sub(lambda form: self.marks[MARK_OF[form[0]]], text))

    def in_letters(self, text: str) -> str:
        """A text with each word in the form of Unicode, and with the apostrophes, that are in use here.

        A word stays as it is unless another form has fewer letters that are not in use.

        >>> Spelling({}, letters=frozenset("café'")).in_letters("cafe\u0301 d’a")
        "café d'a"
        """
        if not self.letters or self.letters.issuperset(text.replace(" ", "")):
            return text
        return " ".join(min(_forms(word), key=lambda form: len(set(form) - self.letters))
                        for word in text.split(" "))

    def lowered(self, text: str) -> str:
        """A text in small letters where there are no capitals here, but for words in use with theirs alone.

        >>> Spelling({}, words=frozenset(["NASA"])).lowered("The NASA")
        'the NASA'
        """
        def small(word: str) -> str:
            return word if self._has(word) and not self._has(word.lower()) else word.lower()

        if self.cased:
            return text
        return " ".join(word if small(word) == word else RUN.sub(lambda run: small(run[0]), word)
                        for word in text.split(" "))

    def _has(self, word: str) -> bool:
        return self.respell(word) in self.words


MOSES = Spelling({mark: forms[1] for mark, forms in FORMS.items()})


def learned(tokenizer: Any) -> Spelling:
    """The spelling of the text that a `Tokenizer` was trained on."""
    entries = tokenizer.tokens(range(len(SPECIALS), tokenizer.size))
    segmentation = tokenizer.segmentation
    words = [entry.removeprefix(MARK) for entry in entries if segmentation.begins_word(entry)]
    # A subword may begin words without being one.
    words = {word for word, row in zip(words, tokenizer.encode(words)) if len(row) == 1}
    # A full stop that was left at a few words makes no word of both.
    words = {word for word in words if word[-1:] not in (".", ",") or word[:-1] not in words}
    capitals = sum(entry != entry.lower() for entry in entries)
    letters = frozenset("".join(entries))
    # Entries come by falling frequency, though of subwords the single characters come first.
    marks = _marks([entry for entry in entries if segmentation.whole_words or len(entry) > 1], letters)
    return Spelling(marks, capitals > CASED * len(entries), frozenset(words), letters)


def _forms(word: str) -> Iterator[str]:
    """A word as it is, then in other forms of Unicode and with other apostrophes."""
    for same in (word, word.translate(PLAIN_QUOTES), word.replace("'", "’")):
        yield same
        yield from (unicodedata.normalize(form, same) for form in ("NFC", "NFD", "NFKC"))


def _marks(entries: Sequence[str], characters: Set[str]) -> dict[str, str]:
    """Each mark as the most frequent entry that has it spells it; a mark that none has, like the others."""
    forms: dict[str, str] = {}
    for entry in entries:
        for form in ANY_FORM.findall(entry):
            forms.setdefault(MARK_OF[form], form)
    entities = any(form[:1] == "&" != form for form in forms.values())
    if not forms.keys() & {"'", '"'} and not characters & {"'", '"'}:
        entities |= set("&apos;") <= characters  # too rare to be an entry
    if entities and forms.get("&") == "&":
        del forms["&"]  # the beginning of an entity
    return {mark: forms.get(mark, either[entities]) for mark, either in FORMS.items()}
