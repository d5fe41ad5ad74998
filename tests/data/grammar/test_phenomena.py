"""One hand-written pair for each phenomenon of the grammar."""

from random import Random

import pytest

from attention_lab.data.grammar.clauses import Writer
from attention_lab.data.grammar.function_words import (
    DETERMINERS,
    FUTURE,
    NOT_A,
    NOT_ANY,
    PAST,
    PLURAL,
    PREPOSITIONS,
    PRESENT,
    SINGULAR,
    SOME,
    THE,
    A,
)
from attention_lab.data.grammar.lexicon import all_entries
from attention_lab.data.grammar.options import Options, tables

NOUNS, ADJECTIVES, VERBS, AMBIGUOUS = all_entries()
PREPOSITION = {" ".join(entry.english): entry for entry in PREPOSITIONS}
DETERMINER = {entry.english: entry for group in DETERMINERS for entry in reversed(group)}


class Hand:
    """A writer that writes what it is told, and nothing at random."""

    def __init__(self, tense=PRESENT):
        self.writer = Writer(Random(0).random, tables(1000), Options())
        self.writer.tense = tense

    def noun(self, text, determiner=None, preposition=None):
        """`old man` or `old men`: adjectives and noun, `the` where no determiner is given."""
        *adjectives, form = text.split()
        noun, number = next((noun, noun.english.index(form)) for noun in NOUNS.values()
                            if form in noun.english)
        words, links = (), ()
        if preposition:
            entry = PREPOSITION[preposition]
            e = len(self.writer.english)
            self.writer.english += entry.english
            self.writer.english_tags += ("ADP",) * len(entry.english)
            words, links = entry.french, range(e, e + len(entry.english))
        return self.writer.nominal(noun, number, tuple(ADJECTIVES[word] for word in adjectives), 0,
                                   0, determiner or THE[number], words, links)

    def verb(self, name, subject, **how):
        self.writer.verb(VERBS[name], subject, **how)

    def pair(self):
        self.writer.finish()
        assert {e for e, _ in self.writer.links} == set(range(len(self.writer.english)))
        assert {f for _, f in self.writer.links} == set(range(len(self.writer.french)))
        return " ".join(self.writer.english), " ".join(self.writer.french)


def test_negation_around_the_verb_and_vieil_before_a_vowel():
    hand = Hand()
    hand.verb("see", hand.noun("old man"), negated=True)
    hand.noun("small bridge")
    assert hand.pair() == ("the old man does not see the small bridge .",
                           "le vieil homme ne voit pas le petit pont .")
    # the old man does not see ...: does and see with voit, not with ne and pas.
    assert [link for link in sorted(hand.writer.links) if link[0] in (3, 4, 5)] == [
        (3, 4), (4, 3), (4, 5), (5, 4)]
    agreement, = hand.writer.agreement
    assert (agreement.english_subject, agreement.english_verb, agreement.french_subject,
            agreement.french_verb) == (2, 3, 2, 4)
    assert (agreement.number, agreement.right, agreement.wrong, agreement.marked) == (
        "singular", "voit", "voient", True)


@pytest.mark.parametrize("text, french", [
    ("small dog", "le petit chien"), ("small dogs", "les petits chiens"),
    ("red car", "la voiture rouge"), ("red cars", "les voitures rouges"),
    ("beautiful tree", "le bel arbre"), ("beautiful trees", "les beaux arbres"),
    ("new island", "la nouvelle île"), ("new hotel", "le nouvel hôtel"),
    ("old hero", "le vieux héros"), ("old church", "la vieille église"),
    ("small white horse", "le petit cheval blanc"), ("white horses", "les chevaux blancs"),
    ("happy queens", "les reines heureuses"), ("apple", "la pomme"),
    ("orange", "l' orange"), ("owl", "le hibou"), ("hotel", "l' hôtel"), ("hero", "le héros"),
    ("famous writer", "l' écrivain célèbre"), ("eyes", "les yeux")])
def test_adjectives_before_and_after_the_noun_and_elision_of_the_article(text, french):
    hand = Hand()
    hand.noun(text)
    assert " ".join(hand.writer.french) == french
    assert " ".join(hand.writer.english) == f"the {text}"


@pytest.mark.parametrize("preposition, text, french", [
    ("near", "river", "près de la rivière"), ("near", "bridge", "près du pont"),
    ("near", "bridges", "près des ponts"), ("near", "island", "près de l' île"),
    ("of", "king", "du roi"), ("of", "hero", "du héros"), ("of", "kings", "des rois"),
    ("next to", "old man", "à côté du vieil homme"), ("in front of", "house", "devant la maison"),
    ("far from", "hospital", "loin de l' hôpital")])
def test_contraction_of_de(preposition, text, french):
    hand = Hand()
    hand.noun(text, preposition=preposition)
    assert " ".join(hand.writer.french) == french
    english = len(preposition.split())
    linked = {(e, f) for e in range(english)
              for f in range(len(PREPOSITION[preposition].french))}
    assert linked <= set(hand.writer.links)
    if " du " in f" {french} ":
        assert (english, french.split().index("du")) in hand.writer.links


@pytest.mark.parametrize("object_, french", [
    ("king", "au roi"), ("kings", "aux rois"), ("queen", "à la reine"), ("man", "à l' homme")])
def test_contraction_of_a(object_, french):
    hand = Hand()
    hand.verb("speak_to", hand.noun("women"))
    hand.writer.nominal(NOUNS[object_.rstrip("s")], int(object_.endswith("s")), (), 0, 0,
                        THE[int(object_.endswith("s"))], ("à",), (2, 3))
    assert hand.pair() == (f"the women speak to the {object_} .",
                           f"les femmes parlent {french} .")


@pytest.mark.parametrize("determiner, text, english, french", [
    (A, "apple", "an apple", "une pomme"), (A, "old car", "an old car", "une vieille voiture"),
    (A, "red apple", "a red apple", "une pomme rouge"), (A, "tree", "a tree", "un arbre"),
    (A, "useful book", "a useful book", "un livre utile"),
    (SOME, "dogs", "some dogs", "des chiens"),
    (SOME, "small dogs", "some small dogs", "de petits chiens"),
    (SOME, "old friends", "some old friends", "de vieux amis"),
    (SOME, "red cars", "some red cars", "des voitures rouges"),
    (NOT_A, "dog", "a dog", "de chien"), (NOT_A, "apple", "an apple", "de pomme"),
    (NOT_A, "orange", "an orange", "d' orange"), (NOT_ANY, "trees", "any trees", "d' arbres")])
def test_indefinite_articles(determiner, text, english, french):
    hand = Hand()
    hand.noun(text, determiner)
    assert (" ".join(hand.writer.english), " ".join(hand.writer.french)) == (english, french)


@pytest.mark.parametrize("word, text, french", [
    ("my", "island", "mon île"), ("my", "new house", "ma nouvelle maison"),
    ("my", "red island", "mon île rouge"), ("this", "man", "cet homme"),
    ("this", "dog", "ce chien"),
    ("this", "island", "cette île"), ("this", "old man", "ce vieil homme"),
    ("this", "hero", "ce héros"), ("these", "trees", "ces arbres"),
    ("many", "dogs", "beaucoup de chiens"), ("many", "trees", "beaucoup d' arbres"),
    ("our", "house", "notre maison"), ("two", "eyes", "deux yeux")])
def test_determiners(word, text, french):
    hand = Hand()
    hand.noun(text, DETERMINER[word])
    assert " ".join(hand.writer.french) == french


@pytest.mark.parametrize("tense, how, english, french, finite", [
    (PRESENT, {}, "open the door", "ouvrent la porte", 2),
    (PRESENT, {"negated": True}, "do not open the door", "n' ouvrent pas la porte", 2),
    (PRESENT, {"never": True}, "never open the door", "n' ouvrent jamais la porte", 3),
    (PRESENT, {"adverb": ("often", "souvent")}, "often open the door",
     "ouvrent souvent la porte", 3),
    (PRESENT, {"adverb": ("often", "souvent"), "negated": True}, "do not often open the door",
     "n' ouvrent pas souvent la porte", 2),
    (FUTURE, {}, "will open the door", "ouvriront la porte", 2),
    (FUTURE, {"negated": True}, "will not open the door", "n' ouvriront pas la porte", 2),
    (PAST, {}, "used to open the door", "ouvraient la porte", 2),
    (PAST, {"never": True}, "never used to open the door", "n' ouvraient jamais la porte", 3)])
def test_tense_negation_and_adverbs(tense, how, english, french, finite):
    hand = Hand(tense)
    hand.verb("open", hand.noun("women"), **how)
    hand.noun("door")
    assert hand.pair() == (f"the women {english} .", f"les femmes {french} .")
    agreement, = hand.writer.agreement
    assert agreement.english_verb == finite and agreement.marked == (tense == PRESENT)
    assert hand.writer.french[agreement.french_verb] == agreement.right
    adverb = {"often": "souvent", "never": "jamais", "not": "pas"}
    for e, word in enumerate(hand.writer.english):
        if word in adverb:
            assert (e, hand.writer.french.index(adverb[word])) in hand.writer.links


@pytest.mark.parametrize("tense, noun, negated, english, french", [
    (PRESENT, "flowers", False, "are beautiful", "sont belles"),
    (PRESENT, "flower", True, "is not beautiful", "n' est pas belle"),
    (PRESENT, "flowers", True, "are not beautiful", "ne sont pas belles"),
    (PAST, "trees", True, "were not beautiful", "n' étaient pas beaux"),
    (FUTURE, "tree", True, "will not be beautiful", "ne sera pas beau"),
    (FUTURE, "trees", False, "will be beautiful", "seront beaux")])
def test_predicative_adjectives_agree_with_the_subject(tense, noun, negated, english, french):
    hand = Hand(tense)
    subject = hand.noun(noun)
    hand.writer.copula(subject, negated)
    adjective = ADJECTIVES["beautiful"]
    hand.writer.write("beautiful", "ADJ",
                      adjective.french[2 * subject.gender + subject.number], "ADJ")
    article = "la" if noun == "flower" else "l'" if noun == "tree" else "les"
    translation = {"flower": "fleur", "flowers": "fleurs", "tree": "arbre", "trees": "arbres"}
    assert hand.pair() == (f"the {noun} {english} .", f"{article} {translation[noun]} {french} .")


def test_attractors_are_the_nouns_of_the_other_number_in_between():
    hand = Hand()
    subject = hand.noun("king")
    hand.noun("trees", preposition="near")
    hand.noun("house", preposition="behind")
    hand.noun("rivers", preposition="near")
    hand.verb("sleep", subject)
    assert hand.pair() == (
        "the king near the trees behind the house near the rivers sleeps .",
        "le roi près des arbres derrière la maison près des rivières dort .")
    agreement, = hand.writer.agreement
    assert (agreement.attractors, agreement.number, agreement.right, agreement.wrong) == (
        2, "singular", "dort", "dorment")


@pytest.mark.parametrize("inner, english, french", [
    ("man", "the dog that the man sees", "le chien que l' homme voit"),
    ("he", "the dog that he sees", "le chien qu' il voit")])
def test_relative_clause_with_que_and_its_elision(inner, english, french):
    hand = Hand()
    hand.noun("dog")
    hand.writer.open_elisions.append(len(hand.writer.french))
    hand.writer.write("that", "PRON", "que", "PRON")
    if inner == "he":
        e, f = hand.writer.write("he", "PRON", "il", "PRON")
        subject = hand.noun("man")._replace(english=e, french=f)
        for words in (hand.writer.english, hand.writer.french):
            del words[-2:]
        del hand.writer.links[-2:]
    else:
        subject = hand.noun(inner)
    hand.verb("see", subject)
    assert hand.pair() == (english + " .", french + " .")


def test_aspirated_h_keeps_de_and_le_but_a_mute_one_does_not():
    hand = Hand()
    hand.noun("owls", DETERMINER["many"])
    hand.noun("hotels", DETERMINER["many"])
    assert " ".join(hand.writer.french) == "beaucoup de hiboux beaucoup d' hôtels"


@pytest.mark.parametrize("word, senses", [
    ("bank", ("banque", "rive")), ("bat", ("chauve-souris", "batte")),
    ("trunk", ("tronc", "trompe", "coffre")), ("seal", ("phoque", "sceau")),
    ("nail", ("clou", "ongle")), ("spring", ("ressort", "source")),
    ("calf/calves", ("veau", "mollet")), ("plant", ("plante", "usine"))])
def test_senses(word, senses):
    assert tuple(meaning.noun.french[SINGULAR] for meaning in AMBIGUOUS[word]) == senses
    assert AMBIGUOUS["bat"][0].noun.french[PLURAL] == "chauves-souris"
