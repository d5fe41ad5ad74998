"""Phrases and clauses, written in both languages at once, each with an exact number of words.

The grammar is synchronous: a constituent is written to the English and to the French side by the
same call, so word links, tags and agreement are known as the words are. English and French
constituents stand in the same order; what differs (adjectives, ne ... pas, elision, contraction) is
settled inside a phrase. A relative clause or prepositional phrase belongs to the noun right before
it; a noun has at most one of them.
"""

from typing import NamedTuple

from attention_lab.data.grammar.function_words import (A, FEMININE, FUTURE, MASCULINE, NOT_A,
                                                       NOT_ANY, PAST, PLURAL, PRESENT,
                                                       SINGULAR, SOME, SOME_BEFORE_ADJECTIVE, THE)
from attention_lab.data.grammar.morphology import VOWELS, elides
from attention_lab.data.grammar.truth import Agreement

NUMBERS = ("singular", "plural")
# Forms by tense and number, in English and in French.
BE = ((("is", "are"), ("est", "sont")), (("was", "were"), ("était", "étaient")),
      (("be", "be"), ("sera", "seront")))
HAVE = ((("a", "ont")), (("avait", "avaient")), (("aura", "auront")))
PRONOUNS = (("il", "ils"), ("elle", "elles"))
CONTRACTED = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}


class Subject(NamedTuple):
    """What a verb agrees with: indices of the head, its kind, gender and number."""

    english: int
    french: int
    kind: str
    gender: int
    number: int


class Writer:
    """One sentence pair while it is being written."""

    def __init__(self, random, tables, options, banned=frozenset(), pending=()):
        self.random = random
        self.tables = tables
        self.options = options
        self.english, self.english_tags = [], []
        self.french, self.french_tags = [], []
        self.links = []
        self.agreement, self.antecedents, self.senses = [], [], []
        self.nouns = []      # (English index, number, kind, Subject, sex) of each noun so far
        self.open_elisions = []  # French indices of que and si, settled at the end
        self.outer_number = None  # number of the subject being written, for attractors
        self.banned = banned
        self.pending = list(pending)
        self.tense = PRESENT

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

    # Drawing words ------------------------------------------------------------------------------

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

    # Noun phrases -------------------------------------------------------------------------------

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
          adjectives: at most one that stands before the French noun and one after it, in English
            order.
          determiner: a Determiner, or None to draw one.
          preposition: French words still to be written before the determiner, which may contract.
          links: English indices these French words are linked to.
          neutral: True where nothing in the modifier may say which sense the noun has.
        """
        early = None
        for adjective in adjectives:
            if adjective.before:
                early = adjective
        first_vowel = early.vowel if early else noun.vowel
        if determiner is None:
            determiner = self.pick(self.tables.determiners[number])
            if preposition and not determiner.after_de and preposition[-1] == "de":
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
            place = adjectives.index(early)
            self.links.append((english[place], len(self.french)))
            self.french.append(early.french[4 if noun.vowel and form == 0 else form])
            self.french_tags.append("ADJ")
        f = len(self.french)
        self.french.append(noun.french[number])
        self.french_tags.append("NOUN")
        self.links.append((e, f))
        for place, adjective in enumerate(adjectives):
            if adjective is not early:
                self.links.append((english[place], len(self.french)))
                self.french.append(adjective.french[form])
                self.french_tags.append("ADJ")
        subject = Subject(e, f, noun.kind, noun.gender, number)
        self.nouns.append((e, number, noun.kind, subject, noun.sex))
        if post:
            self.modifier(subject, post, depth, neutral)
        return subject

    def write_determiner(self, determiner, noun, vowel, preposition, links, following):
        """The determiner, contracted or elided as the words round it ask."""
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
        """A preposition and a noun phrase: `size` English words, at least 2 beside the preposition."""
        e = len(self.english)
        count = len(preposition.english)
        self.english += preposition.english
        self.english_tags += ("ADP",) * count
        self.noun_phrase(size - count, preposition.kinds, depth, preposition.french,
                         range(e, e + count))

    def modifier(self, subject, size, depth, neutral=False):
        """What follows a noun: a prepositional phrase or a relative clause of `size` words."""
        kind = subject.kind
        prepositions = self.tables.noun_prepositions[kind] if size >= 3 else ()
        if neutral:
            prepositions = self.tables.neutral_prepositions if size >= 3 else ()
        outer, self.outer_number = self.outer_number, (
            subject.number if self.outer_number is None else self.outer_number)
        fits = [p for p in prepositions if size - len(p.english) >= 2]
        relative = depth > 0 and self.random() < (0.65 if size < 12 else 0.9)
        if relative or not fits:
            if depth <= 0 and not fits:
                raise Rejected
            self.relative(subject, size, max(depth - 1, 0), neutral)
        else:
            self.prepositional(self.pick(fits), size, depth)
        self.outer_number = outer

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

    # Verbs --------------------------------------------------------------------------------------

    def finite(self, subject, e, f, forms, marked):
        """Notes that the French verb at f, the English one at e, agrees with the subject."""
        other = 1 - subject.number
        attractors = 0
        for place, number, *_ in reversed(self.nouns):
            if place <= subject.english:
                break
            attractors += number == other
        self.agreement.append(Agreement(
            subject.english, e, subject.french, f, NUMBERS[subject.number], attractors, marked,
            forms[subject.number], forms[other]))

    def verb(self, verb, subject, adverb=None, negated=False, never=False):
        """A verb in this clause's tense with its auxiliaries, particles, adverb and negation."""
        tense, number = self.tense, subject.number
        forms = verb.french[tense]
        english, tags = [], []
        if tense == FUTURE:
            english, tags = ["will"], ["AUX"]
            if negated:
                english, tags = ["will", "not"], ["AUX", "PART"]
        elif negated:
            english, tags = ["do" if number else "does", "not"], ["AUX", "PART"]
        bare = bool(english)
        if adverb:
            english.append(adverb[0])
            tags.append("ADV")
        if never:
            english.append("never")
            tags.append("ADV")
        if tense == PAST:
            english += ["used", "to"]
            tags += ["VERB", "PART"]
            bare = True
        english.append(verb.english[0 if bare or number else 1])
        tags.append("VERB")
        e, f = len(self.english), len(self.french)
        self.english += english
        self.english_tags += tags
        self.english += verb.particles
        self.english_tags += ("ADP",) * len(verb.particles)
        negative = None
        if negated or never:
            negative = f
            self.french.append("n'" if elides(forms[number]) else "ne")
            self.french_tags.append("ADV")
        v = len(self.french)
        self.french.append(forms[number])
        self.french_tags.append("VERB")
        finite = None
        for i, (word, tag) in enumerate(zip(english, tags), e):
            if word in ("not", "never"):
                self.links.append((i, negative))
                self.links.append((i, v + 1))
                self.french.append("pas" if word == "not" else "jamais")
                self.french_tags.append("ADV")
            elif tag == "ADV":
                self.links.append((i, len(self.french)))
            else:
                self.links.append((i, v))
                if finite is None:
                    finite = i
        self.links += [(i, v) for i in range(e + len(english), len(self.english))]
        if adverb:
            self.french.append(adverb[1])
            self.french_tags.append("ADV")
        self.finite(subject, finite, v, forms, tense == PRESENT)
        return v

    def copula(self, subject, negated):
        """`is`, `was`, `will be`, with `not`."""
        number, tense = subject.number, self.tense
        english, french = BE[tense]
        e, f = len(self.english), len(self.french)
        vowel = french[number][0] in VOWELS
        words, tags = [english[number]], ["AUX"]
        if tense == FUTURE:
            words = ["will", "not", "be"] if negated else ["will", "be"]
            tags = ["AUX", "PART", "AUX"] if negated else ["AUX", "AUX"]
        elif negated:
            words.append("not")
            tags.append("PART")
        self.english += words
        self.english_tags += tags
        if negated:
            self.french += ["n'" if vowel else "ne", french[number], "pas"]
            self.french_tags += ["ADV", "AUX", "ADV"]
        else:
            self.french.append(french[number])
            self.french_tags.append("AUX")
        v = f + negated
        for i, word in enumerate(words, e):
            if word == "not":
                self.links += [(i, f), (i, f + 2)]
            else:
                self.links.append((i, v))
        self.finite(subject, e, v, french, tense != FUTURE)

    # Clauses ------------------------------------------------------------------------------------

    def subject(self, size, kinds, depth):
        """The subject of a clause: he or she, or a noun phrase; returns its Subject."""
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
        if tense != PRESENT and size < 4:
            self.tense = PRESENT
        # Room for a verb alone once tense is paid for: past takes 2 words more, future 1.
        extra = {PRESENT: 0, PAST: 2, FUTURE: 1}[self.tense]
        if self.tense == PAST and size >= 2 and random() < 0.35:
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
        """(negated, never, words spent) given that `need` words must be left."""
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
        """A verb with its object: `room` words, auxiliaries of tense not counted."""
        verb = self.draw(self.tables.transitive[subject.kind])
        particles = len(verb.particles)
        if room < 3 + particles:
            return self.copular_or_reject(room, subject, depth)
        negated, never, cost = self.negation(room, 3 + particles)
        room -= cost
        adverb = None
        if not never and self.tables.before and room >= 4 + particles and self.random() < 0.15:
            adverb = self.pick(self.tables.before)
            if negated and adverb[0] in ("sometimes", "rarely"):
                adverb = None
            else:
                room -= 1
        e = len(self.english)
        v = self.verb(verb, subject, adverb, negated, never)
        self.object(verb, room - 1 - particles, depth, negated or never, e, v)

    def object(self, verb, size, depth, negated, e, v):
        """The object of a verb, with `and` between two of them if there is room."""
        preposition, links = (), ()
        if verb.preposition:
            preposition = (verb.preposition,)
            links = tuple(range(len(self.english) - 1 - len(verb.particles), len(self.english)))
        end = None
        if size >= 3 and self.tables.end and self.random() < 0.1:
            end = self.pick(self.tables.end)
            size -= 1
        self.noun_phrase(size, verb.objects, depth, preposition, links,
                         negated and not verb.preposition)
        if end:
            self.write(end[0], "ADV", end[1], "ADV")

    def copular_or_reject(self, room, subject, depth):
        """A shorter predicate where a verb with particles does not fit."""
        extra = {PRESENT: 0, PAST: 2, FUTURE: 1}[self.tense]
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
                    end = self.pick(tables.end)
                    rest -= 1
            if rest or before and (never or negated and before[0] in ("sometimes", "rarely")):
                raise Rejected
        self.verb(verb, subject, before, negated, never)
        if rest:
            self.prepositional(self.pick(fits), rest, depth)
        if end:
            self.write(end[0], "ADV", end[1], "ADV")

    def copular(self, size, subject, depth, adjective=None):
        """`is` with an adjective or a place: `size` words."""
        tables = self.tables
        base = 2 if self.tense == FUTURE else 1
        rest = size - base
        if rest < 1:
            raise Rejected
        fits = [p for p in tables.verb_prepositions if rest - len(p.english) >= 2]
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
        low, high = 1, size - 1
        features = self.tables.lexicon.features
        if not ("he" in features and self.random() < 0.12):
            low = 2
        share = low if low == 1 else 2 + int(self.random() ** 1.5 * (high - 1))
        kinds = "paoflnx" if self.random() < 0.5 else "pa"
        subject = self.subject(share, kinds, depth)
        self.predicate(size - share, subject, depth)

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


class Rejected(Exception):
    """The words left do not allow this construction; the sentence is drawn anew."""

