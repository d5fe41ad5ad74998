"""One sentence pair while it is being written: tokens, tags and links of both languages at once."""

from typing import NamedTuple

from attention_lab.data.grammar.function_words import PLURAL, PRESENT, SINGULAR
from attention_lab.data.grammar.morphology import VOWELS

PRONOUNS = (("il", "ils"), ("elle", "elles"))


class Rejected(Exception):
    """The remaining words do not allow this construction; the sentence is drawn again."""


class Subject(NamedTuple):
    """The head that a verb agrees with: its indices, kind, gender and number."""

    english: int
    french: int
    kind: str
    gender: int
    number: int


class Draft:
    """Tokens and annotations so far in both languages, and the random draws that add to them.

    Fields other than the lists:
      nouns: (English index, number, kind, Subject) of each noun so far.
      open_elisions: French indices of que and si, elided at the end if a vowel follows.
      outer_number: number of the subject being written, from which its attractors differ; or None.
      banned: English words, as in the lexicon's entries, that may not be drawn.
      pending: distractors that are still to be written.
      tense: of the clause being written.
    """

    def __init__(self, random, tables, options, banned=frozenset(), pending=()):
        self.random = random
        self.tables = tables
        self.options = options
        self.english, self.english_tags = [], []
        self.french, self.french_tags = [], []
        self.links = []
        self.agreement, self.antecedents, self.senses = [], [], []
        self.nouns = []
        self.open_elisions = []
        self.outer_number = None
        self.banned = banned
        self.pending = list(pending)
        self.tense = PRESENT
        self.paired = False  # whether two nouns are joined by `and` in this clause

    def pick(self, items):
        """One of the items, with equal chances."""
        return items[int(self.random() * len(items))]

    def write(self, english, english_tag, french, french_tag):
        """Appends one linked word on either side; returns their indices."""
        e, f = len(self.english), len(self.french)
        self.english.append(english)
        self.english_tags.append(english_tag)
        self.french.append(french)
        self.french_tags.append(french_tag)
        self.links.append((e, f))
        return e, f

    def write_many(self, english, english_tags, french, french_tags):
        """Appends a phrase and its translation, each word linked to all words of the other."""
        e, f = len(self.english), len(self.french)
        self.english += english
        self.english_tags += english_tags
        self.french += french
        self.french_tags += french_tags
        self.links += [(e + i, f + j) for i in range(len(english)) for j in range(len(french))]
        return e, f

    def draw(self, items):
        """One of the entries that decides for no other sense of this sentence's ambiguous noun."""
        entry = self.pick(items)
        if self.banned:
            for _ in range(20):
                if entry.english not in self.banned:
                    break
                entry = self.pick(items)
            else:
                raise Rejected
        return entry

    def draw_noun(self, kinds):
        """A noun of these kinds: a pending distractor, or any."""
        if self.pending:
            for noun in self.pending:
                if noun.kind in kinds:
                    self.pending.remove(noun)
                    return noun
        return self.draw(self.tables.nouns[kinds])

    def draw_number(self):
        """Singular or plural; inside a subject, the other number as often as options say."""
        if self.outer_number is None:
            return PLURAL if self.random() < 0.4 else SINGULAR
        other = self.random() < self.options.attractor_share
        return 1 - self.outer_number if other else self.outer_number

    def finish(self):
        """Elides que and si before vowels and writes the full stop."""
        for index in self.open_elisions:
            word, following = self.french[index:index + 2]
            if word == "que" and following[0] in VOWELS:
                self.french[index] = "qu'"
            elif word == "si" and following in ("il", "ils"):
                self.french[index] = "s'"
        self.write(".", "PUNCT", ".", "PUNCT")
