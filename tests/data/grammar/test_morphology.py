"""Forms of words against hand-written ones."""

import pytest

from attention_lab.data.grammar import morphology
from attention_lab.data.grammar.lexicon import all_entries, lexicon


@pytest.mark.parametrize("singular, plural", [
    ("chien", "chiens"), ("gâteau", "gâteaux"), ("cheval", "chevaux"), ("bras", "bras"),
    ("nez", "nez"), ("genou", "genoux"), ("clou", "clous"), ("jeu", "jeux"), ("pneu", "pneus"),
    ("bal", "bals"), ("éventail", "éventails"), ("tuyau", "tuyaux")])
def test_french_plural(singular, plural):
    assert morphology.french_plural(singular) == plural


@pytest.mark.parametrize("entry, forms", [
    ("petit", ("petit", "petits", "petite", "petites", "petit")),
    ("vieux/vieille/vieux/vieil", ("vieux", "vieux", "vieille", "vieilles", "vieil")),
    ("beau/belle/beaux/bel", ("beau", "beaux", "belle", "belles", "bel")),
    ("royal", ("royal", "royaux", "royale", "royales", "royal")),
    ("heureux", ("heureux", "heureux", "heureuse", "heureuses", "heureux")),
    ("ancien", ("ancien", "anciens", "ancienne", "anciennes", "ancien")),
    ("étranger", ("étranger", "étrangers", "étrangère", "étrangères", "étranger")),
    ("vif", ("vif", "vifs", "vive", "vives", "vif")),
    ("rouge", ("rouge", "rouges", "rouge", "rouges", "rouge"))])
def test_adjective_forms(entry, forms):
    assert morphology.adjective_forms(entry) == forms


@pytest.mark.parametrize("entry, forms", [
    ("aimer", "aime aiment aimait aimaient aimera aimeront"),
    ("manger", "mange mangent mangeait mangeaient mangera mangeront"),
    ("lancer", "lance lancent lançait lançaient lancera lanceront"),
    ("acheter", "achète achètent achetait achetaient achètera achèteront"),
    ("protéger", "protège protègent protégeait protégeaient protégera protégeront"),
    ("nettoyer", "nettoie nettoient nettoyait nettoyaient nettoiera nettoieront"),
    ("effrayer", "effraie effraient effrayait effrayaient effraiera effraieront"),
    ("arrêter", "arrête arrêtent arrêtait arrêtaient arrêtera arrêteront"),
    ("voit/voient/voy/verr", "voit voient voyait voyaient verra verront")])
def test_conjugation(entry, forms):
    assert " ".join(form for tense in morphology.conjugate(entry) for form in tense) == forms


def test_conjugation_needs_a_rule():
    with pytest.raises(ValueError, match="finir"):
        morphology.conjugate("finir")


@pytest.mark.parametrize("word, plural", [
    ("dog", "dogs"), ("box", "boxes"), ("city", "cities"), ("boy", "boys"), ("church", "churches"),
    ("bus", "buses"), ("bush", "bushes")])
def test_english_plural(word, plural):
    assert morphology.english_plural(word) == plural


@pytest.mark.parametrize("verb, form", [
    ("see", "sees"), ("go", "goes"), ("wash", "washes"), ("fly", "flies"), ("play", "plays"),
    ("have", "has"), ("kiss", "kisses")])
def test_english_third_person(verb, form):
    assert morphology.english_third_person(verb) == form


def test_article_follows_the_sound():
    assert [word for word in ("apple", "university", "honest", "hotel", "useful", "ugly")
            if morphology.takes_an(word)] == ["apple", "honest", "ugly"]


def test_mute_and_aspirated_h():
    assert morphology.elides("homme") and morphology.elides("œuf") and morphology.elides("école")
    assert not morphology.elides("*héros") and not morphology.elides("yaourt")
    nouns = all_entries()[0]
    aspirated = {noun.french[0] for noun in nouns.values()
                 if noun.french[0][0] == "h" and not noun.vowel}
    assert aspirated == {"héros", "hibou", "homard", "hérisson", "hamster", "hache", "harpe",
                         "haricot", "havre", "hutte", "haie"}


def test_no_english_word_has_two_entries():
    nouns, adjectives, verbs, ambiguous = all_entries()
    forms = [form for noun in nouns.values() for form in dict.fromkeys(noun.english)]
    forms += list(adjectives)
    # look at and look for differ by their particles alone.
    forms += [form for form in {form for verb in verbs.values() for form in verb.english}]
    forms += [form for word in ambiguous.values() for form in word[0].noun.english]
    assert sorted(form for form in set(forms) if forms.count(form) > 1) == []


def test_one_french_noun_has_one_gender_and_no_invariable_english_plural():
    nouns, _, _, ambiguous = all_entries()
    entries = [*nouns.values(), *(meaning.noun for word in ambiguous.values() for meaning in word)]
    gender = {}
    for noun in entries:
        assert gender.setdefault(noun.french[0], noun.gender) == noun.gender
        # With one form for both numbers `the sheep` would have two translations.
        assert noun.english[0] != noun.english[1]
    assert gender["main"] == 1 and gender["arbre"] == 0


def test_ambiguous_nouns_have_different_translations_and_deciders_of_their_own():
    nouns, _, _, ambiguous = all_entries()
    assert len(ambiguous) >= 30 and not set(ambiguous) & set(nouns)
    for word in ambiguous.values():
        for number in (0, 1):
            assert len({meaning.noun.french[number] for meaning in word}) == len(word)
        for meaning in word:
            assert len(meaning.deciders) >= 2
            for other in word:
                assert other is meaning or not set(other.deciders) & set(meaning.deciders)


@pytest.mark.parametrize("size", [100, 233, 1000, 3001, 5000])
def test_lexicon_has_about_the_size_asked_for(size):
    words = lexicon(size)
    assert abs(words.types - size) <= 0.1 * size + 5
    assert len(lexicon(1000).ambiguous) >= 30


def test_lexicon_out_of_range_names_what_is_allowed():
    for size in (10, 100000):
        with pytest.raises(ValueError, match=rf"lexicon_size={size}: allowed are \d+ to \d+"):
            lexicon(size)
