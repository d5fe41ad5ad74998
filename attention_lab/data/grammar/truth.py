"""The annotations of a generated sentence pair.

Every index counts tokens from 0 in `Sentence.english` or `Sentence.french`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreement:
    """One finite French verb and the subject that determines its number.

    Fields:
      english_subject, french_subject: the head noun or pronoun; for `that sleeps` it is the noun
        before `that`.
      english_verb, french_verb: the finite word: `does` in `does not see`, `is` in `is old`.
      number: "singular" or "plural".
      attractors: number of nouns of the other number between subject and verb in English.
      marked: True if the English verb shows the number itself (sees, do, is, was); False if only
        the subject does (will see, used to see).
      right, wrong: the French verb form, and the same verb in the other number.
    """

    english_subject: int
    english_verb: int
    french_subject: int
    french_verb: int
    number: str
    attractors: int
    marked: bool
    right: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Antecedent:
    """One `it` or `they` and the noun it refers to, whose gender the French pronoun has.

    Fields:
      english_pronoun, english_antecedent, french_pronoun, french_antecedent: indices.
      right, wrong: the French pronoun, and the same of the other gender.
    """

    english_pronoun: int
    english_antecedent: int
    french_pronoun: int
    french_antecedent: int
    right: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Sense:
    """One ambiguous English noun and the word that decides which French noun it is.

    Fields:
      word: the English noun in the singular, such as "bank".
      label: the sense, named by its French noun in the singular, such as "rive".
      english, french: indices of the noun.
      decider: English index of the deciding word.
      distance: |decider - english|, in tokens; 1 for neighbours.
      right: the French noun.
      wrong: the nouns of all other senses, in the same number.
      distractors: English indices of words that would decide for another sense in the deciding
        relation; rising.
    """

    word: str
    label: str
    english: int
    french: int
    decider: int
    distance: int
    right: str
    wrong: tuple[str, ...]
    distractors: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """An English sentence, its only French translation, and the annotations of both.

    Fields:
      english, french: tokens, lower-case; the last one is "."; elided words (l', d', qu', n', s')
        are tokens of their own, contracted ones (du, des, au, aux) are one token.
      english_tags, french_tags: parts of speech, one for each token, named as in Universal
        Dependencies (DET NOUN ADJ VERB AUX PRON ADP ADV PART NUM CCONJ SCONJ PUNCT).
      alignment: (English index, French index) links in rising order; all are sure, and a token may
        have several.
      agreement, antecedents, senses: in the order of their English words.
    """

    english: tuple[str, ...]
    french: tuple[str, ...]
    english_tags: tuple[str, ...]
    french_tags: tuple[str, ...]
    alignment: tuple[tuple[int, int], ...]
    agreement: tuple[Agreement, ...] = ()
    antecedents: tuple[Antecedent, ...] = ()
    senses: tuple[Sense, ...] = ()

    @property
    def source(self) -> str:
        """The English sentence, its tokens separated by blanks."""
        return " ".join(self.english)

    @property
    def target(self) -> str:
        """The French sentence, its tokens separated by blanks."""
        return " ".join(self.french)

    @property
    def words(self) -> int:
        """Length in words: the English tokens without the final full stop."""
        return len(self.english) - 1
