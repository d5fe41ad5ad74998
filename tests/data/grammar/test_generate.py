"""Properties of generated corpora, checked from the text alone where that is possible."""

from collections import Counter
from itertools import pairwise

import pytest

from attention_lab.data import grammar
from attention_lab.data.grammar.function_words import PREPOSITIONS
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


@pytest.mark.parametrize("distance", [(1, 1), (2, 3), (7, 7), (17, 23), (40, 40)])
@pytest.mark.parametrize("side", ["before", "after"])
def test_deciding_word_at_the_distance_asked_for(distance, side):
    found = grammar.generate(53, seed=5, min_words=60, max_words=73, ambiguous_share=1.0,
                             sense_distance=distance, sense_side=side)
    assert len({sentence.senses[0].word for sentence in found}) >= 5
    for sentence in found:
        sense, = sentence.senses
        assert distance[0] <= sense.distance <= distance[1]
        assert (sense.decider < sense.english) == (side == "before")


@pytest.mark.parametrize("words", [3, 4, 5, 6, 7, 11, 29, 59, 83, 119, 120])
def test_exact_lengths(words):
    sentences = grammar.generate(31, seed=words, min_words=words, max_words=words)
    assert {sentence.words for sentence in sentences} == {words}
    assert all(len(sentence.source.split()) == words + 1 for sentence in sentences)


def test_lengths_are_spread_over_the_range():
    lengths = Counter(sentence.words for sentence in grammar.generate(
        1700, seed=0, min_words=4, max_words=20))
    assert set(lengths) == set(range(4, 21))
    assert min(lengths.values()) > 60


def test_same_seed_same_corpus_and_another_seed_another():
    assert grammar.generate(97, seed=7) == grammar.generate(97, seed=7)
    assert grammar.generate(97, seed=7) != grammar.generate(97, seed=8)
    # A longer corpus begins with the shorter one.
    assert grammar.generate(151, seed=7)[:97] == grammar.generate(97, seed=7)


def test_one_translation_and_no_sentence_in_two_splits():
    splits = grammar.corpus(3000, 200, 300, seed=1, lexicon_size=200, min_words=3, max_words=9)
    assert [len(splits[name]) for name in ("train", "dev", "test")] == [3000, 200, 300]
    sources = [sentence.source for name in splits for sentence in splits[name]]
    assert len(set(sources)) == 3500
    again = grammar.corpus(1000, 200, 300, seed=1, lexicon_size=200, min_words=3, max_words=9)
    assert again["test"] == splits["test"] and again["dev"] == splits["dev"]
    translation = {}
    for seed in range(3):
        for sentence in grammar.generate(1500, seed=seed, lexicon_size=120, max_words=6):
            assert translation.setdefault(sentence.english, sentence.french) == sentence.french
    assert len(translation) < 4500  # some did come twice


def test_default_corpus_has_about_a_thousand_types_and_every_phenomenon():
    sentences = grammar.generate(20000, seed=0)
    english = {word for sentence in sentences for word in sentence.english}
    french = {word for sentence in sentences for word in sentence.french}
    assert 900 <= len(english) + len(french) <= 1100
    assert len({sense.word for sentence in sentences for sense in sentence.senses}) >= 30
    share = Counter()
    for sentence in sentences:
        share["sense"] += bool(sentence.senses)
        share["pronoun"] += bool(sentence.antecedents)
        share["attractor"] += any(link.attractors for link in sentence.agreement)
        share["negation"] += "pas" in sentence.french or "jamais" in sentence.french
        share["relative"] += "that" in sentence.english or "who" in sentence.english
        share["contraction"] += bool({"du", "au", "aux"} & set(sentence.french))
    assert min(share.values()) > 0.05 * len(sentences)
    used = {word for sentence in sentences for word in sentence.english}
    assert {word for entry in PREPOSITIONS for word in entry.english} <= used


@pytest.mark.parametrize("depth", [0, 1, 6])
def test_depth_of_relative_clauses(depth):
    def most(sentence):
        """Finite verbs whose subject stands before k other open subjects: k clauses inside."""
        spans = [(link.english_subject, link.english_verb) for link in sentence.agreement]
        return max(sum(s < verb < v for s, v in spans) for _, verb in spans)
    found = grammar.generate(211, seed=2, min_words=40, max_words=60, max_depth=depth)
    relatives = sum(word in ("that", "who") for sentence in found for word in sentence.english)
    assert (relatives > 0) == (depth > 0)
    assert max(map(most, found)) <= depth
    assert depth < 6 or max(map(most, found)) >= 3


def test_attractor_share():
    counts = [sum(link.attractors for sentence in grammar.generate(
        401, seed=4, min_words=10, attractor_share=share) for link in sentence.agreement)
        for share in (0.0, 0.5, 1.0)]
    assert counts[0] < counts[1] / 2 and counts[1] < counts[2]


@pytest.mark.parametrize("knobs, message", [
    ({"min_words": 2}, "min_words=2"), ({"max_words": 121}, "max_words=121"),
    ({"min_words": 9, "max_words": 8}, "min_words=9, max_words=8"),
    ({"ambiguous_share": 1.5}, "ambiguous_share=1.5"), ({"max_depth": -1}, "max_depth=-1"),
    ({"sense_distance": (3, 2)}, "sense_distance"), ({"sense_side": "left"}, "sense_side='left'"),
    ({"lexicon_size": 7}, "lexicon_size=7"), ({"depth": 3}, "depth=3: the grammar knows")])
def test_bad_knobs_are_refused(knobs, message):
    with pytest.raises(ValueError, match=message) as caught:
        grammar.generate(1, seed=0, **knobs)
    assert "\n" not in str(caught.value)


def test_more_sentences_than_exist_are_refused():
    with pytest.raises(ValueError, match="size=9000: only .* different sentences of 3 to 3 words"):
        grammar.generate(9000, seed=0, lexicon_size=100, min_words=3, max_words=3)
