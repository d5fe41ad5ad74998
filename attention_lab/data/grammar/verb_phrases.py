"""Verbs with their tense, negation and adverbs, and the agreement of each."""

from attention_lab.data.grammar.function_words import FUTURE, PAST, PRESENT
from attention_lab.data.grammar.morphology import VOWELS, elides
from attention_lab.data.grammar.phrases import Phrases
from attention_lab.data.grammar.truth import Agreement

NUMBERS = ("singular", "plural")
# Forms by tense and number, in English and in French.
BE = ((("is", "are"), ("est", "sont")), (("was", "were"), ("était", "étaient")),
      (("be", "be"), ("sera", "seront")))
HAVE = (("a", "ont"), ("avait", "avaient"), ("aura", "auront"))
# Number of English words that a tense adds to a verb: used to see, will see.
AUXILIARIES = {PRESENT: 0, PAST: 2, FUTURE: 1}


class VerbPhrases(Phrases):
    """A draft that can also write finite verbs.

    `does`, `will`, `used` and `to` are linked to the French verb form that their verb is linked to;
    `not` to ne and pas, `never` to ne and jamais.
    """

    def finite(self, subject, e, f, forms, marked):
        """Records that the French verb at f, the English one at e, agrees with the subject."""
        other = 1 - subject.number
        attractors = 0
        for index, number, *_ in reversed(self.nouns):
            if index <= subject.english:
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

    def copula(self, subject, negated):
        """`is`, `was` or `will be`, and `not` if negated."""
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
