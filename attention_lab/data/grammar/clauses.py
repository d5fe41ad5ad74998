"""Clauses, each with an exact number of English words: subject, predicate, relative clause.

English marks the tenses: sees is voit, `used to see` and `was` the imparfait, `will see` the futur
simple.
"""

from attention_lab.data.grammar.draft import Rejected, Subject
from attention_lab.data.grammar.function_words import (
    FEMININE,
    FUTURE,
    MASCULINE,
    PAST,
    PRESENT,
    SINGULAR,
)
from attention_lab.data.grammar.verb_phrases import AUXILIARIES, VerbPhrases

# Adverbs that cannot be combined with negation: he does not rarely see.
NEVER_NEGATED = ("sometimes", "rarely")


class Writer(VerbPhrases):
    """A draft that can write whole clauses."""

    def relative(self, subject, size, depth, neutral):
        """`that` and a clause with a gap: the noun is its subject (qui) or its object (que)."""
        tables, kind = self.tables, subject.kind
        word = "who" if kind == "p" else "that"
        verbs = tables.neutral_verbs if neutral else tables.taking[kind]
        least = 3 if "he" in tables.lexicon.features else 4
        can_subject = not neutral and (size >= 3 or bool(tables.intransitive[kind]))
        tense = self.tense
        if tense != PRESENT and self.random() < 0.5:
            self.tense = PRESENT
        if verbs and size >= least and (not can_subject or self.random() < 0.4):
            verb = self.draw(verbs)
            share = size - 2 - len(verb.particles)
            if self.tense != PRESENT or share < least - 2:
                raise Rejected
            self.open_elisions.append(len(self.french))
            self.write(word, "PRON", "que", "PRON")
            self.verb(verb, self.subject(share, "p", depth))
        elif can_subject:
            self.write(word, "PRON", "qui", "PRON")
            self.predicate(size - 1, subject, depth)
        else:
            raise Rejected
        self.tense = tense

    def subject(self, size, kinds, depth):
        """The subject of a clause: he, she or a noun phrase; returns its Subject."""
        if size == 1:
            features = self.tables.lexicon.features
            female = "she" in features and self.random() < 0.5
            e, f = self.write("she" if female else "he", "PRON", "elle" if female else "il",
                              "PRON")
            return Subject(e, f, "p", FEMININE if female else MASCULINE, SINGULAR)
        return self.noun_phrase(size, kinds, depth)

    def predicate(self, size, subject, depth):
        """Verb, objects and adverbs of exactly `size` English words."""
        tables, kind, random = self.tables, subject.kind, self.random
        tense = self.tense
        if size == 1:
            self.tense = PRESENT
        # Words of the tense: past 2, future 1.
        extra = AUXILIARIES[self.tense]
        if self.tense == PAST and (size < 3 or random() < 0.35):
            self.copular(size, subject, depth)
        else:
            room = size - extra
            if tables.transitive[kind] and room >= 3 and random() < 0.7:
                self.transitive(room, subject, depth)
            elif tables.intransitive[kind] and (room == 1 or random() < 0.45):
                self.intransitive(room, subject, depth)
            elif size >= 2:
                self.copular(size, subject, depth)
            else:
                raise Rejected
        self.tense = tense

    def negation(self, room, need):
        """(negated, never, their words), such that `need` words of the room are left."""
        cost = 1 if self.tense == FUTURE else 2
        draw = self.random()
        if draw < self.options.negation_share:
            if self.tense != PAST and room - cost >= need:
                return True, False, cost
        elif draw < self.options.negation_share * 1.3 and room - 1 >= need:
            if "never" in self.tables.lexicon.features:
                return False, True, 1
        return False, False, 0

    def transitive(self, room, subject, depth):
        """A verb with its object: `room` words, without auxiliaries of tense."""
        verb = self.draw(self.tables.transitive[subject.kind])
        particles = len(verb.particles)
        if room < 3 + particles:
            return self.copular_or_reject(room, subject, depth)
        negated, never, cost = self.negation(room, 3 + particles)
        room -= cost
        adverb = None
        if not never and self.tables.before and room >= 4 + particles and self.random() < 0.15:
            adverb = self.pick(self.tables.before)
            if negated and adverb[0] in NEVER_NEGATED:
                adverb = None
            else:
                room -= 1
        self.verb(verb, subject, adverb, negated, never)
        self.object(verb, room - 1 - particles, depth, negated or never)

    def object(self, verb, size, depth, negated):
        """One object of a verb, or two joined by `and`, and sometimes an adverb: `size` words."""
        preposition, links = (), ()
        if verb.preposition:
            preposition = (verb.preposition,)
            links = range(len(self.english) - 1 - len(verb.particles), len(self.english))
        end = None
        if size >= 3 and self.tables.end and self.random() < 0.1:
            end = self.end_adverb()
            size -= 1
        if 5 <= size <= 8 and not (negated or preposition) and self.random() < 0.2 and (
                self.tables.conjunctions):
            self.pair(size, verb.objects)
        else:
            self.noun_phrase(size, verb.objects, depth, preposition, links,
                             negated and not preposition)
        if end:
            self.close(end)

    def pair(self, size, kinds):
        """Two noun phrases without modifiers joined by `and`: 5 to 8 words."""
        self.paired = True
        first = max(2, size - 5) + int(self.random() * (min(4, size - 3) - max(2, size - 5) + 1))
        self.simple_phrase(first, kinds)
        self.write("and", "CCONJ", "et", "CCONJ")
        self.simple_phrase(size - 1 - first, kinds)

    def simple_phrase(self, size, kinds):
        """A noun phrase of 2 to 4 words without a modifier."""
        noun = self.draw_noun(kinds)
        before, after = self.tables.adjectives[noun.kind]
        if size == 4:
            if not (before and after):
                raise Rejected
            adjectives = (self.draw(before), self.draw(after))
        else:
            adjectives = (self.draw(before + after),) if size == 3 else ()
        self.nominal(noun, self.draw_number(), adjectives, 0, 0)

    def end_adverb(self):
        """An adverb for the end of a clause; in the past neither `now` nor `today`."""
        fits = [adverb for adverb in self.tables.end
                if self.tense != PAST or adverb[0] not in ("now", "today")]
        if not fits:
            raise Rejected
        return self.pick(fits)

    def close(self, adverb):
        """Writes the last adverb of a clause; Rejected if a clause inside has just ended in one."""
        if self.english_tags[-1] == "ADV":
            raise Rejected
        self.write(adverb[0], "ADV", adverb[1], "ADV")

    def copular_or_reject(self, room, subject, depth):
        """A shorter predicate for when a verb with particles does not fit."""
        extra = AUXILIARIES[self.tense]
        if room + extra < 2:
            raise Rejected
        self.copular(room + extra, subject, depth)

    def intransitive(self, room, subject, depth):
        """A verb alone, with an adverb, or with a prepositional phrase: `room` words."""
        verb = self.draw(self.tables.intransitive[subject.kind])
        tables = self.tables
        negated, never, cost = self.negation(room, 1)
        rest = room - 1 - cost
        before = end = None
        fits = [p for p in tables.verb_prepositions if rest - len(p.english) >= 2]
        if rest and not fits:
            if rest <= 2 and tables.end and (rest == 1 or tables.before):
                if rest == 2 or tables.before and not never and self.random() < 0.4:
                    before = self.pick(tables.before)
                    rest -= 1
                if rest:
                    end = self.end_adverb()
                    rest -= 1
            if rest or before and (never or negated and before[0] in NEVER_NEGATED):
                raise Rejected
        self.verb(verb, subject, before, negated, never)
        if rest:
            self.prepositional(self.pick(fits), rest, depth)
        if end:
            self.close(end)

    def copular(self, size, subject, depth, adjective=None, prepositions=None):
        """`is` with an adjective or a prepositional phrase: `size` words; drawn if not given."""
        tables = self.tables
        if prepositions is None:
            prepositions = tables.places[subject.kind]
        base = 2 if self.tense == FUTURE else 1
        rest = size - base
        if rest < 1:
            raise Rejected
        fits = [p for p in prepositions if rest - len(p.english) >= 2]
        if rest > 3 and not fits:
            raise Rejected
        if fits and rest >= 3 and adjective is None and (rest > 3 or self.random() < 0.6):
            negated = rest >= 4 and self.random() < self.options.negation_share
            fits = [p for p in fits if rest - negated - len(p.english) >= 2]
            self.copula(subject, negated)
            self.prepositional(self.pick(fits), rest - negated, depth)
            return
        if rest > 3 or rest == 3 and not tables.degree:
            raise Rejected
        negated = rest == 3 or rest == 2 and (not tables.degree or self.random() < 0.5)
        degree = self.pick(tables.degree) if rest - 1 - negated else None
        self.copula(subject, negated)
        if degree:
            self.write(degree[0], "ADV", degree[1], "ADV")
        adjective = adjective or self.draw(tables.all_adjectives[subject.kind])
        self.write(adjective.english, "ADJ", adjective.french[2 * subject.gender + subject.number],
                   "ADJ")

    def clause(self, size, depth):
        """A main or subordinate clause of exactly `size` >= 3 words."""
        if "he" in self.tables.lexicon.features and self.random() < 0.12:
            share = 1
        else:
            # The shortest predicate has two words in every tense but the present.
            least = 2 if self.tense != PRESENT and size > 3 else 1
            share = 2 + int(self.random() ** 1.5 * (size - least - 1))
        kinds = "paoflnx" if self.random() < 0.5 else "pa"
        subject = self.subject(share, kinds, depth)
        self.predicate(size - share, subject, depth)
