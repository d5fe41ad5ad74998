"""Noun phrases, written in both languages at once, each with an exact number of words.

A noun has a determiner, at most one adjective before the French noun and one after it, and at most
one modifier: a relative clause or prepositional phrase modifies the noun right before it. English
and French constituents have the same order; the differences (adjectives, elision, contraction) are
made here.
"""

from attention_lab.data.grammar.draft import Draft, Rejected, Subject
from attention_lab.data.grammar.function_words import (
    NOT_A,
    NOT_ANY,
    OF,
    SOME,
    SOME_BEFORE_ADJECTIVE,
    THE,
)
from attention_lab.data.grammar.morphology import VOWELS

CONTRACTED = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}


class Phrases(Draft):
    """A draft that can write noun phrases and prepositional phrases."""

    def noun_phrase(self, size, kinds, depth, preposition=(), links=(), negated=False):
        """A noun phrase of exactly `size` >= 2 English words; returns its Subject."""
        noun = self.draw_noun(kinds)
        adjectives, post = self.shape(size - 2, noun.kind, depth)
        determiner = None
        number = self.draw_number()
        if negated:
            determiner = (NOT_ANY if number else NOT_A) if not post else THE[number]
        return self.nominal(noun, number, adjectives, post, depth, determiner, preposition, links)

    def shape(self, rest, kind, depth, before=None, after=None):
        """Splits the words beside determiner and noun into adjectives and what follows the noun."""
        if before is None:
            before, after = self.tables.adjectives[kind]
        count = 0
        if rest == 1:
            count = 1
        elif rest == 2:
            count = 2 if before and after and self.random() < 0.5 else 0
            if not count and not self.can_follow(kind, 2, depth):
                count = 2
        elif rest > 2:
            count = int(self.random() * 2)
            if rest - count < 3 and not self.can_follow(kind, rest - count, depth):
                count = 0
        adjectives = ()
        if count == 2 and not (before and after):
            raise Rejected
        if count == 2:
            adjectives = (self.draw(before), self.draw(after))
        elif count:
            adjectives = (self.draw(self.tables.all_adjectives[kind]),)
        return adjectives, rest - count

    def can_follow(self, kind, post, depth):
        """Whether a modifier of `post` words can follow a noun of this kind."""
        if post == 0 or post >= 3 and self.tables.noun_prepositions[kind]:
            return True
        return post >= 2 and depth > 0 and bool(self.tables.intransitive[kind])

    def nominal(self, noun, number, adjectives, post, depth, determiner=None, preposition=(),
                links=(), neutral=False):
        """Determiner, adjectives, noun and a modifier of `post` words; returns the Subject.

        Args:
          adjectives: at most one before the French noun and one after it, in English order.
          determiner: a Determiner, or None to draw one.
          preposition: French words to write before the determiner, which may contract with them.
          links: English indices that these French words are linked to.
          neutral: True if nothing in the modifier may decide the sense of the noun.
        """
        early = None
        for adjective in adjectives:
            if adjective.before:
                early = adjective
        first_vowel = early.vowel if early else noun.vowel
        if determiner is None:
            determiner = self.pick(self.tables.determiners[number])
            if preposition and not determiner.after_de and preposition[-1] in ("de", "sans"):
                determiner = THE[number]
        if determiner is SOME and early:
            determiner = SOME_BEFORE_ADJECTIVE
        self.write_determiner(determiner, noun, first_vowel, preposition, links,
                              adjectives[0] if adjectives else noun)
        form = 2 * noun.gender + number
        english = []
        for adjective in adjectives:
            english.append(len(self.english))
            self.english.append(adjective.english)
            self.english_tags.append("ADJ")
        e = len(self.english)
        self.english.append(noun.english[number])
        self.english_tags.append("NOUN")
        if early:
            index = adjectives.index(early)
            self.links.append((english[index], len(self.french)))
            self.french.append(early.french[4 if noun.vowel and form == 0 else form])
            self.french_tags.append("ADJ")
        f = len(self.french)
        self.french.append(noun.french[number])
        self.french_tags.append("NOUN")
        self.links.append((e, f))
        for index, adjective in enumerate(adjectives):
            if adjective is not early:
                self.links.append((english[index], len(self.french)))
                self.french.append(adjective.french[form])
                self.french_tags.append("ADJ")
        subject = Subject(e, f, noun.kind, noun.gender, number)
        self.nouns.append((e, number, noun.kind, subject))
        if post:
            self.modifier(subject, post, depth, neutral, determiner.of)
        return subject

    def write_determiner(self, determiner, noun, vowel, preposition, links, following):
        """The determiner, contracted with the preposition or elided before a vowel."""
        words = (determiner.before_vowel if vowel else determiner.french)[noun.gender]
        english = determiner.english
        if english == "a" and following.an:
            english = "an"
        e, f = len(self.english), len(self.french)
        self.english.append(english)
        self.english_tags.append(determiner.tag)
        if preposition:
            contracted = CONTRACTED.get((preposition[-1], words[0]))
            if contracted and determiner in THE:
                words = (*preposition[:-1], contracted)
                self.french_tags += ["ADP"] * len(words)
                self.links.append((e, f + len(words) - 1))
                self.links += [(link, f + i) for link in links for i in range(len(words))]
                self.french += words
                return
            last = preposition[-1]
            if last == "de" and words[0][0] in VOWELS:
                last = "d'"
            self.french += (*preposition[:-1], last)
            self.french_tags += ["ADP"] * len(preposition)
            self.links += [(link, f + i) for link in links for i in range(len(preposition))]
            f += len(preposition)
        self.french += words
        self.french_tags += (determiner.tag,) if len(words) == 1 else ("ADV", "ADP")
        self.links += [(e, f + i) for i in range(len(words))]

    def prepositional(self, preposition, size, depth):
        """A preposition and a noun phrase: `size` English words together."""
        e = len(self.english)
        count = len(preposition.english)
        self.english += preposition.english
        self.english_tags += ("ADP",) * count
        self.noun_phrase(size - count, preposition.kinds, depth, preposition.french,
                         range(e, e + count))

    def modifier(self, subject, size, depth, neutral=False, of=True):
        """A modifier of a noun: a prepositional phrase or a relative clause of `size` words."""
        prepositions = self.tables.noun_prepositions[subject.kind]
        if neutral:
            prepositions = self.tables.neutral_prepositions
        outer, self.outer_number = self.outer_number, (
            subject.number if self.outer_number is None else self.outer_number)
        fits = [p for p in prepositions if size - len(p.english) >= 2 and (of or p is not OF)]
        relative = depth > 0 and self.random() < (0.65 if size < 12 else 0.9)
        if relative or not fits:
            if depth <= 0 and not fits:
                raise Rejected
            self.relative(subject, size, max(depth - 1, 0), neutral)
        else:
            self.prepositional(self.pick(fits), size, depth)
        self.outer_number = outer
