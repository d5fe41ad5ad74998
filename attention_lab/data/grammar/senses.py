"""The clause with an ambiguous noun, built round the word that decides its sense.

Exactly one word is in a deciding relation to the noun (see ambiguous.py); all other words with a
relation to it, its modifiers and the verb unless that decides, are neutral: they fit nouns of every
kind. So the sense follows from one word, whose distance can be chosen:

    adjective    the muddy bank ...                       1 before
    predicative  the bank [modifier] is muddy             2 and more after
    governor     ... robs the bank                        2 to 4 before
    predicate    the bat [modifier] sleeps                1 and more after
    object       the bank that [subject] robs ...         3 and more after
    of           the trunk of the elephant                3 or 4 after
    owner        the elephant [modifier] has a trunk      3 and more before
"""

from functools import lru_cache

from attention_lab.data.grammar.draft import Rejected
from attention_lab.data.grammar.function_words import (
    FUTURE,
    PLURAL,
    PRESENT,
    SINGULAR,
    SOME,
    THE,
    A,
)
from attention_lab.data.grammar.truth import Sense
from attention_lab.data.grammar.verb_phrases import AUXILIARIES, HAVE

# Side of the deciding word, and its least and greatest distance in a construction.
REACH = {"adjective": ("before", 1, 1), "governor": ("before", 2, 4), "owner": ("before", 3, 120),
         "predicative": ("after", 2, 120), "predicate": ("after", 1, 120),
         "object": ("after", 3, 120), "of": ("after", 3, 4)}
BESIDE = 4  # least words of a clause in addition to the distance of its deciding word


@lru_cache(maxsize=4)
def choices(ambiguous, options) -> tuple:
    """(word, ((meaning, ((relation, decider), ...)), ...)) of all that these options allow."""
    allowed = []
    for word in ambiguous:
        meanings = [(meaning, pairs) for meaning in word if (pairs := relations(meaning, options))]
        if meanings:
            allowed.append((word, tuple(meanings)))
    return tuple(allowed)


def relations(meaning, options) -> tuple:
    """The (relation, decider) pairs of a sense at the side and distances of the options."""
    low, high = options.sense_distance
    deciders = (("adjective", meaning.adjectives), ("predicative", meaning.adjectives),
                ("governor", meaning.governors), ("object", meaning.governors),
                ("predicate", meaning.predicates), ("owner", meaning.owners),
                ("of", (*meaning.owners, *meaning.wholes)))
    return tuple((relation, entry) for relation, entries in deciders for entry in entries
                 if options.sense_side in (None, REACH[relation][0])
                 and low <= REACH[relation][2] and REACH[relation][1] <= high)


class SenseClause:
    """Writes one clause of exactly `size` words round an ambiguous noun, or raises Rejected."""

    def __init__(self, writer, meaning, pairs, size, depth):
        self.writer = writer
        self.meaning = meaning
        self.pairs = pairs
        self.size = size
        self.depth = depth
        self.low, self.high = writer.options.sense_distance
        self.number = PLURAL if writer.random() < 0.4 else SINGULAR

    def write(self):
        """Draws a relation, writes the clause; returns (English, French, decider) indices."""
        relation, decider = self.writer.pick(self.pairs)
        subject, position = getattr(self, relation)(decider)
        distance = abs(position - subject.english)
        if not self.low <= distance <= self.high:
            raise Rejected
        return subject, position

    def between(self, low, high):
        """A uniform number from low to high; Rejected if there is none."""
        if high < low:
            raise Rejected
        return low + int(self.writer.random() * (high - low + 1))

    def auxiliaries(self, room):
        """Number of words that the tense adds to a verb; without room it becomes the present."""
        if AUXILIARIES[self.writer.tense] > room:
            self.writer.tense = PRESENT
        return AUXILIARIES[self.writer.tense]

    def shortest_subject(self):
        """Number of words of the shortest subject: `he`, or `the king` in a lexicon without `he`."""
        return 1 if "he" in self.writer.tables.lexicon.features else 2

    def gap(self, fixed, most):
        """Number of words, 0 or at least 3, of a modifier such that fixed + gap is an allowed distance."""
        low, high = max(self.low - fixed, 0), min(self.high - fixed, most)
        if low == 0 and (high < 3 or self.writer.random() < 0.3):
            return self.between(0, min(high, 0))
        return self.between(max(low, 3), high)

    def neutral_adjectives(self, count):
        """At most one adjective, which decides no sense."""
        if not count:
            return ()
        if not self.writer.tables.neutral:
            raise Rejected
        return (self.writer.pick(self.writer.tables.neutral),)

    def noun(self, adjectives=(), post=0, determiner=None):
        """The ambiguous noun with determiner, adjectives and a neutral modifier of `post` words."""
        return self.writer.nominal(self.meaning.noun, self.number, adjectives, post, self.depth,
                                   determiner, neutral=True)

    def neutral_predicate(self, size, subject):
        """A predicate that fits nouns of every kind, in `size` words."""
        writer, tables = self.writer, self.writer.tables
        tense = writer.tense
        if size == 1:
            writer.tense = PRESENT
        extra = AUXILIARIES[writer.tense]
        if size == 1 + extra and tables.neutral_intransitive:
            writer.verb(writer.pick(tables.neutral_intransitive), subject)
        elif size >= 2:
            adjective = None
            if size < 5 or not tables.neutral_prepositions:
                if not tables.neutral:
                    raise Rejected
                adjective = writer.pick(tables.neutral)
            writer.copular(size, subject, self.depth, adjective, tables.neutral_prepositions)
        else:
            raise Rejected
        writer.tense = tense

    def as_argument(self, size, write_noun):
        """Writes a noun phrase of `size` words as subject or object of a neutral clause."""
        writer = self.writer
        rest = self.size - size
        verbs = writer.tables.neutral_verbs
        if verbs and rest >= 2 and writer.random() < 0.5:
            verb = writer.draw(verbs)
            share = rest - 1 - len(verb.particles)
            share -= self.auxiliaries(share - 1)
            if share >= self.shortest_subject():
                writer.verb(verb, writer.subject(share, "p", self.depth))
                return write_noun()
        if rest < 1:
            raise Rejected
        outer, writer.outer_number = writer.outer_number, None
        subject, index = write_noun()
        writer.outer_number = outer
        self.neutral_predicate(rest, subject)
        return subject, index

    def adjective(self, decider):
        """the muddy bank ..."""
        post = self.spare(self.size - 5)

        def write():
            subject = self.noun((decider,), post)
            return subject, subject.english - 1
        return self.as_argument(3 + post, write)

    def spare(self, most):
        """Number of words of a neutral modifier for a noun whose decider is not in it."""
        if most < 4 or not self.depth or self.writer.random() < 0.6:
            return 0
        return self.between(4, most)

    def predicative(self, decider):
        """the bank [modifier] is muddy"""
        writer = self.writer
        count = int(writer.random() * 2)
        tail = 2 + (writer.tense == FUTURE)
        extra = int(writer.random() * 2)
        post = self.size - 2 - count - tail - extra
        if post < 0 or 0 < post < 3:
            count, extra = (post + count + extra, 0) if 0 <= post + count + extra <= 1 else (0, 0)
            post = self.size - 2 - count - tail - extra
        if post < 0 or 0 < post < 3:
            raise Rejected
        subject = self.noun(self.neutral_adjectives(count), post)
        writer.copular(tail + extra, subject, self.depth, decider)
        return subject, len(writer.english) - 1

    def governor(self, decider):
        """... robs the bank"""
        writer = self.writer
        particles = len(decider.particles)
        count = self.between(max(self.low - 2 - particles, 0), min(self.high - 2 - particles, 1))
        rest = self.size - 3 - count - particles
        post = self.spare(rest - 2)
        share = rest - post
        share -= self.auxiliaries(share - 1)
        if share < self.shortest_subject():
            raise Rejected
        adjectives = self.neutral_adjectives(count)
        writer.verb(decider, writer.subject(share, "p", self.depth))
        position = len(writer.english) - 1 - particles
        return self.noun(adjectives, post), position

    def predicate(self, decider):
        """the bat [modifier] sleeps ..."""
        writer = self.writer
        auxiliaries, negated = self.auxiliaries(self.size - 3), False
        count = int(writer.random() * 2)
        if writer.tense == PRESENT and writer.random() < writer.options.negation_share:
            negated, auxiliaries = True, 2
        room = self.size - 3 - auxiliaries - count
        if not writer.tables.verb_prepositions or room < 3 or writer.random() < 0.5:
            tail = 1 if writer.tables.end and room != 0 and writer.random() < 0.5 else 0
        else:
            tail = 3
        post = room - tail
        if tail == 3:
            post = self.gap(1 + auxiliaries, room - 3)
            tail = room - post
        if post < 0 or 0 < post < 3:
            if post + tail == 1 and writer.tables.end:
                post, tail = 0, 1
            else:
                raise Rejected
        fits = [p for p in writer.tables.verb_prepositions if tail - len(p.english) >= 2]
        if tail == 2 or tail > 2 and not fits:
            raise Rejected
        subject = self.noun(self.neutral_adjectives(count), post)
        writer.verb(decider, subject, negated=negated)
        position = len(writer.english) - 1
        if tail == 1:
            writer.close(writer.end_adverb())
        elif tail:
            writer.prepositional(writer.pick(fits), tail, self.depth)
        return subject, position

    def object(self, decider):
        """the bank that [subject] robs ..."""
        writer = self.writer
        if not self.depth:
            raise Rejected
        particles = len(decider.particles)
        share = self.between(max(self.low - 2, 1), min(self.high - 2, self.size - 5 - particles))
        rest = self.size - 4 - share - particles
        if share < self.shortest_subject():
            raise Rejected
        tense, writer.tense = writer.tense, PRESENT
        subject = self.noun()
        writer.open_elisions.append(len(writer.french))
        writer.write("who" if subject.kind == "p" else "that", "PRON", "que", "PRON")
        writer.outer_number = subject.number
        inner = writer.subject(share, "p", self.depth - 1)
        writer.outer_number = None
        writer.verb(decider, inner)
        position = len(writer.english) - 1 - particles
        writer.tense = tense
        self.neutral_predicate(rest, subject)
        return subject, position

    def of(self, decider):
        """the trunk of the elephant"""
        writer = self.writer
        adjectives, inner = int(writer.random() * 2), 0
        if self.low > 3 or self.high > 3 and writer.random() < 0.3:
            inner = 1
        size = 5 + adjectives + inner
        before, after = writer.tables.adjectives[decider.kind]
        fitting = [a for a in before + after if a.english not in writer.banned]
        if inner and not fitting:
            raise Rejected

        def write():
            plural = self.number == PLURAL
            determiner = THE[self.number] if writer.random() < 0.7 else SOME if plural else A
            subject = self.noun(self.neutral_adjectives(adjectives), 0, determiner)
            e = len(writer.english)
            writer.english.append("of")
            writer.english_tags.append("ADP")
            number = PLURAL if writer.random() < 0.3 else SINGULAR
            owner = writer.nominal(decider, number, (writer.pick(fitting),) if inner else (), 0, 0,
                                   THE[number], ("de",), (e,))
            return subject, owner.english
        return self.as_argument(size, write)

    def owner(self, decider):
        """the elephant [modifier] has a trunk"""
        writer = self.writer
        auxiliaries = self.auxiliaries(self.size - 5)
        count = int(writer.random() * 2)
        early = int(writer.random() * 2)
        room = self.size - 5 - auxiliaries - count - early
        post = self.gap(3 + auxiliaries + count, room)
        after = room - post
        if 0 < after < 4:
            early += after
            after = 0
        if early > 1:
            raise Rejected
        adjectives = self.neutral_adjectives(count)
        owner_adjectives = self.neutral_adjectives(early)
        owner = writer.nominal(decider, PLURAL if writer.random() < 0.3 else SINGULAR,
                               owner_adjectives, post, self.depth)
        self.have(owner, auxiliaries)
        determiner = A if self.number == SINGULAR else SOME
        return self.noun(adjectives, after, determiner), owner.english

    def have(self, owner, auxiliaries):
        """`has`, `will have`, `used to have`."""
        writer, number = self.writer, owner.number
        english = {0: ["have" if number else "has"], 1: ["will", "have"],
                   2: ["used", "to", "have"]}[auxiliaries]
        tags = {0: ["VERB"], 1: ["AUX", "VERB"], 2: ["VERB", "PART", "VERB"]}[auxiliaries]
        forms = HAVE[writer.tense]
        e, f = writer.write_many(english, tags, [forms[number]], ["VERB"])
        writer.finite(owner, e, f, forms, auxiliaries == 0)


def record(word, meaning, subject, position, writer, distractors):
    """The Sense of a written clause; `distractors` are the nouns that decide for other senses."""
    number = subject.number
    right = meaning.noun.french[number]
    wrong = tuple(other.noun.french[number] for other in word if other is not meaning)
    forms = {form for noun in distractors for form in noun.english}
    return Sense(meaning.noun.english[0], meaning.noun.french[0], subject.english, subject.french,
                 position, abs(position - subject.english), right, wrong,
                 tuple(i for i, token in enumerate(writer.english) if token in forms))
