"""Properties of generated corpora, checked from the text alone where that is possible."""

from collections import Counter
from itertools import pairwise

import pytest

from attention_lab.data import grammar
from attention_lab.data.grammar.lexicon import all_entries

ASPIRATED = {form for noun in all_entries()[0].values() if not noun.vowel for form in noun.french
             if form[0] == "h"} | {"haut", "hauts", "haute", "hautes", "haut-parleur",
                                   "haut-parleurs"}
CONJUNCTIONS = {"and", "because", "but", "when", "if", "while", "so"}


@pytest.fixture(scope="module")
def sample():
    """Default sentences, long ones, a large and a small lexicon, deep clauses, distractors."""
    return [*grammar.generate(3001, seed=11),
            *grammar.generate(101, seed=12, min_words=90, max_words=120, max_depth=4),
            *grammar.generate(1009, seed=13, lexicon_size=5000),
            *grammar.generate(307, seed=14, lexicon_size=150),
            *grammar.generate(307, seed=15, min_words=25, max_words=50, ambiguous_share=1.0,
                              distractors=2)]


def begins_with_vowel(word):
    return word == "yeux" or word[0] in "aeiouâàéèêëîïôûœ" or (
        word[0] == "h" and word not in ASPIRATED)


def test_no_elision_and_no_contraction_is_missed(sample):
    for sentence in sample:
        for word, following in pairwise(sentence.french):
            if word in ("le", "la", "de", "ne", "que", "ce", "ma", "beau", "vieux", "nouveau"):
                if word == "que":
                    assert following[0] not in "aeiouéèê", sentence.target
                elif word in ("beau", "vieux", "nouveau"):
                    # vieux is also a plural and a predicate; beau and nouveau may end a clause.
                    pass
                else:
                    assert not begins_with_vowel(following), sentence.target
            if word in ("l'", "d'", "n'", "qu'", "cet", "bel", "nouvel", "vieil"):
                assert begins_with_vowel(following), sentence.target
            assert (word, following) not in {
                ("de", "le"), ("de", "les"), ("à", "le"), ("à", "les"), ("de", "de"),
                ("de", "des"), ("si", "il"), ("si", "ils"), ("s'", "elle")}, sentence.target


def test_adjective_before_a_masculine_vowel(sample):
    for sentence in sample:
        for place, (word, following) in enumerate(pairwise(sentence.french)):
            if word in ("beau", "nouveau") and sentence.french_tags[place + 1] == "NOUN":
                assert not begins_with_vowel(following), sentence.target


def test_english_articles_and_verbs(sample):
    for sentence in sample:
        for word, following in pairwise(sentence.english):
            if word in ("a", "an"):
                vowel = following[0] in "aeiou" and following not in ("useful", "useless",
                                                                      "university")
                assert (word == "an") == (vowel or following in ("honest", "heiress"))
            if word in ("does", "do", "will"):
                assert following in ("not", "often", "always", "never", "rarely", "sometimes",
                                     "be", "have") or word == "will"


def test_every_word_is_aligned_and_links_are_in_range(sample):
    for sentence in sample:
        assert len(sentence.english) == len(sentence.english_tags)
        assert len(sentence.french) == len(sentence.french_tags)
        assert list(sentence.alignment) == sorted(set(sentence.alignment))
        assert {e for e, _ in sentence.alignment} == set(range(len(sentence.english)))
        assert {f for _, f in sentence.alignment} == set(range(len(sentence.french)))
        assert sentence.english[-1] == sentence.french[-1] == "."


def test_links_join_translations(sample):
    """Nouns and adjectives are linked to the forms the lexicon gives them, and to nothing else."""
    nouns, adjectives, _, ambiguous = all_entries()
    forms = {}
    for noun in [*nouns.values(), *(m.noun for word in ambiguous.values() for m in word)]:
        for english, french in zip(noun.english, noun.french, strict=True):
            forms.setdefault(("NOUN", english), set()).add(french)
    for name, adjective in adjectives.items():
        forms["ADJ", name] = set(adjective.french)
    forms["ADJ", "many"] = {"beaucoup", "de", "d'"}
    for sentence in sample:
        for e, f in sentence.alignment:
            tag = sentence.english_tags[e]
            if tag in ("NOUN", "ADJ"):
                assert sentence.french[f] in forms[tag, sentence.english[e]]
                assert sentence.english[e] == "many" or sentence.french_tags[f] == tag


def test_each_verb_has_its_subject(sample):
    """The number of every French verb is its subject's, and attractors are counted right."""
    nouns, _, verbs, ambiguous = all_entries()
    number = {"he": 0, "she": 0, "it": 0, "they": 1}
    for noun in [*nouns.values(), *(word[0].noun for word in ambiguous.values())]:
        number.update({noun.english[0]: 0, noun.english[1]: 1})
    plural = {forms[1] for verb in verbs.values() for forms in verb.french}
    plural |= {"sont", "étaient", "seront", "ont", "avaient", "auront"}
    for sentence in sample:
        finite = {f for f, tag in enumerate(sentence.french_tags) if tag in ("VERB", "AUX")}
        assert finite == {link.french_verb for link in sentence.agreement}
        for link in sentence.agreement:
            mine = number[sentence.english[link.english_subject]]
            assert link.number == ("singular", "plural")[mine]
            assert sentence.french[link.french_verb] == link.right
            assert (link.right in plural, link.wrong in plural) == (bool(mine), not mine)
            assert (link.english_verb, link.french_verb) in sentence.alignment
            assert (link.english_subject, link.french_subject) in sentence.alignment
            between = range(link.english_subject + 1, link.english_verb)
            assert link.attractors == sum(
                sentence.english_tags[e] == "NOUN" and number[sentence.english[e]] != mine
                for e in between)
            assert link.marked == (sentence.english[link.english_verb] not in ("will", "used"))


def clause_begins(sentence):
    """Indices after the conjunctions between clauses: there the next noun or pronoun is a subject.

    In `sees the dog and the cat` it is not.
    """
    subjects = {link.english_subject for link in sentence.agreement}
    begins = [0]
    for e, word in enumerate(sentence.english):
        if word in CONJUNCTIONS and sentence.english_tags[e] in ("SCONJ", "CCONJ"):
            head = next(i for i in range(e + 1, len(sentence.english))
                        if sentence.english_tags[i] in ("NOUN", "PRON"))
            if head in subjects:
                begins.append(e + 1)
    return begins


def test_pronouns_have_exactly_one_antecedent(sample):
    nouns, _, _, ambiguous = all_entries()
    kind, number = {}, {}
    for noun in nouns.values():
        for n in (0, 1):
            kind[noun.english[n]], number[noun.english[n]] = noun.kind, n
    count = 0
    for sentence in sample:
        kinds = dict(kind)
        for word in ambiguous.values():
            for n in (0, 1):
                number[word[0].noun.english[n]] = n
                for meaning in word:
                    if meaning.noun.french[n] in sentence.french:
                        kinds[meaning.noun.english[n]] = meaning.noun.kind
        assert len(sentence.antecedents) == sum(w in ("it", "they") for w in sentence.english)
        for link in sentence.antecedents:
            count += 1
            begins = clause_begins(sentence)
            place = begins.index(link.english_pronoun)
            wanted = int(sentence.english[link.english_pronoun] == "they")
            fits = [e for e in range(begins[place - 1], link.english_pronoun)
                    if sentence.english_tags[e] == "NOUN"
                    and number[sentence.english[e]] == wanted
                    and (wanted or kinds[sentence.english[e]] != "p")]
            assert fits == [link.english_antecedent], sentence.source
            # `the dog and the cat` would be one more antecedent for `they`.
            joined = sentence.english_tags[begins[place - 1]:link.english_pronoun - 1]
            assert not wanted or "CCONJ" not in joined, sentence.source
            assert sentence.french[link.french_pronoun] == link.right
            assert {link.right, link.wrong} in ({"il", "elle"}, {"ils", "elles"})
            assert (link.english_antecedent, link.french_antecedent) in sentence.alignment
            assert (link.english_pronoun, link.french_pronoun) in sentence.alignment
    assert count > 300


def test_pronoun_takes_the_gender_of_its_antecedent(sample):
    nouns, _, _, ambiguous = all_entries()
    gender = {form: noun.gender for noun in [
        *nouns.values(), *(m.noun for word in ambiguous.values() for m in word)]
        for form in noun.french}
    seen = Counter()
    for sentence in sample:
        for link in sentence.antecedents:
            feminine = gender[sentence.french[link.french_antecedent]]
            assert (link.right in ("elle", "elles")) == bool(feminine)
            seen[link.right] += 1
    assert min(seen[word] for word in ("il", "elle", "ils", "elles")) > 30


def test_senses(sample):
    ambiguous = {word[0].noun.english[0]: word for word in all_entries()[3].values()}
    words = set()
    for sentence in sample:
        for sense in sentence.senses:
            words.add((sense.word, sense.label))
            meaning, = [m for m in ambiguous[sense.word] if m.noun.french[0] == sense.label]
            n = meaning.noun.english.index(sentence.english[sense.english])
            assert sentence.french[sense.french] == sense.right == meaning.noun.french[n]
            assert set(sense.wrong) == {m.noun.french[n] for m in ambiguous[sense.word]
                                        if m is not meaning}
            assert (sense.english, sense.french) in sentence.alignment
            assert sense.distance == abs(sense.decider - sense.english) >= 1
            forms = {form for entry in meaning.deciders for form in
                     ([entry.english] if isinstance(entry.english, str) else entry.english)}
            assert sentence.english[sense.decider] in forms
    assert len(words) >= 100


def test_no_word_of_another_sense_is_there_unless_asked_for():
    ambiguous = {word[0].noun.english[0]: word for word in all_entries()[3].values()}
    for wanted in (0, 1):
        for sentence in grammar.generate(503, seed=3, min_words=12, max_words=30,
                                         ambiguous_share=1.0, distractors=wanted):
            sense, = sentence.senses
            meaning, = [m for m in ambiguous[sense.word] if m.noun.french[0] == sense.label]
            forms = {form for other in ambiguous[sense.word] if other is not meaning
                     for entry in other.deciders if entry not in meaning.deciders
                     for form in ([entry.english] if isinstance(entry.english, str)
                                  else entry.english)}
            # `look` and its like stand in two entries; tags keep nouns and adjectives apart.
            found = [e for e, word in enumerate(sentence.english) if word in forms]
            assert list(sense.distractors) == found and len(found) == wanted
            assert sense.decider not in found
