"""One sentence pair while it is being written: tokens, tags and links of both languages at once."""

from typing import NamedTuple

from attention_lab.data.grammar.function_words import PLURAL, PRESENT, SINGULAR
from attention_lab.data.grammar.morphology import VOWELS

PRONOUNS = (("il", "ils"), ("elle", "elles"))


class Rejected(Exception):
    """The words left do not allow this construction; the sentence is drawn anew."""


class Subject(NamedTuple):
    """What a verb agrees with: indices of the head, its kind, gender and number."""

    english: int
    french: int
    kind: str
    gender: int
    number: int


class Draft:
    """Both token lists, the truth so far, and the draws that fill them.

    Fields beside the lists:
      nouns: (English index, number, kind, Subject) of each noun so far.
      open_elisions: French indices of que and si, settled at the end.
      outer_number: number of the subject being written, which its attractors differ from; or None.
      banned: English words, as in the lexicon's entries, that may not be drawn.
      pending: nouns that must still find a place.
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
        """One of the items, drawn evenly."""
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
        """Appends words that translate each other as a block: every one is linked to every one."""
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
        """A noun of these kinds, a distractor if one is still due."""
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
        """Settles que and si before vowels and writes the full stop."""
        for place in self.open_elisions:
            following = self.french[place + 1]
            word = self.french[place]
            if word == "que" and following[0] in VOWELS:
                self.french[place] = "qu'"
            elif word == "si" and following in ("il", "ils"):
                self.french[place] = "s'"
        self.write(".", "PUNCT", ".", "PUNCT")
