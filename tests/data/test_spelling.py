"""Text that people write or that is tokenised already, brought to the spelling of a run's training text."""

import os
import unicodedata

import pytest

from attention_lab.data import detokenize, spelling, tokenizers
from attention_lab.data.readers import multi30k

REAL = os.environ.get("ATTENTION_LAB_DATA")
PLAIN = ["the man 's old dog .", "we do n't know \" him \" .", "the boys ' ball , and r & d"] * 9
MOSES = [detokenize.escape(sentence) for sentence in PLAIN]


def of(sentences, kind="word", size=300):
    return spelling.learned(tokenizers.train(kind, sentences, size))


@pytest.mark.parametrize("kind", ["word", "bpe"])
@pytest.mark.parametrize("trained_on, apostrophe, quote, ampersand", [
    (PLAIN, "'", '"', "&"), (MOSES, "&apos;", "&quot;", "&amp;"),
    ([sentence.replace("'", "’") for sentence in PLAIN], "’", '"', "&"),
    (["the cat", "the dog"] * 5, "'", '"', "&")])
def test_marks_are_spelled_as_in_the_training_text(kind, trained_on, apostrophe, quote, ampersand):
    marks = of(trained_on, kind).marks
    assert (marks["'"], marks['"'], marks["&"]) == (apostrophe, quote, ampersand)
    assert marks["<"] == ("&lt;" if apostrophe == "&apos;" else "<")


@pytest.mark.parametrize("kind", ["word", "bpe"])
def test_the_most_frequent_spelling_counts(kind):
    assert of(PLAIN + ["the &apos;s"] * 2, kind).marks["'"] == "'"
    assert of(MOSES + ["o'clock", "d'or", "'n'"], kind).marks["'"] == "&apos;"


@pytest.mark.parametrize("kind", ["word", "bpe"])
@pytest.mark.parametrize("trained_on", [PLAIN, MOSES])
def test_training_text_stays_as_it_is_and_written_text_becomes_it(kind, trained_on):
    learned = of(trained_on, kind)
    for plain, sentence in zip(PLAIN[:3], trained_on):
        for given in (plain, detokenize.escape(plain)):
            assert detokenize.prepare(given, "en", learned) == sentence
    assert detokenize.prepare("The man's old dog.", "en", learned) == trained_on[0]
    assert detokenize.prepare("the man’s old dog.", "en", learned) == trained_on[0]


def test_capitals_stay_where_the_training_text_has_them():
    cased = of(["The man 's old Dog .", "A Cat"] * 3)
    assert detokenize.prepare("The man's Dog.", "en", cased) == "The man 's Dog ."
    assert detokenize.prepare("The man's Dog.", "en", of(PLAIN)) == "the man 's dog ."


def test_a_word_that_training_has_with_capitals_alone_keeps_them():
    others = " ".join(a + b for a in "bcdfglmnpr" for b in "aeiou" * 2)
    learned = of(["we fly to İstanbul with NASA .", "the dog sees the cat", others, "The end"])
    assert not learned.cased
    assert detokenize.prepare("The NASA flies to İstanbul.", "en", learned) == "the NASA flies to İstanbul ."
    assert detokenize.prepare('"İSTANBUL" (NASA)', "en", learned) == '" i̇stanbul " ( NASA )'


@pytest.mark.parametrize("kind", ["word", "bpe"])
@pytest.mark.parametrize("form, other", [("NFC", "NFD"), ("NFD", "NFC")])
def test_accents_come_in_the_form_of_unicode_that_training_has(kind, form, other):
    written = ["le garçon a été là .", "Ελλάδα και Ηλίας .", "họ sống ở Huế ."]
    trained_on = [unicodedata.normalize(form, sentence) for sentence in written]
    learned = of(trained_on * 5, kind)
    for sentence in trained_on:
        given = unicodedata.normalize(other, sentence)
        assert given != sentence
        assert learned.in_letters(given) == sentence
        assert detokenize.prepare(given.replace(" .", "."), "fr", learned) == sentence


def test_letters_that_training_has_stay_and_others_that_it_lacks_too():
    mixed = of(["café", unicodedata.normalize("NFD", "café"), "it’s", "it's"])
    for text in ("café", unicodedata.normalize("NFD", "café"), "it’s", "it's", "中文 ☃", ""):
        assert mixed.in_letters(text) == text
    assert of(["it's a fin"]).in_letters("it’s a ﬁn 中文") == "it's a fin 中文"
    assert of(["l’eau"]).in_letters("l'eau") == "l’eau"


@pytest.mark.parametrize("word", [
    "हिन्दी", "ภาษาไทยที่", "می‌خواهم", "שָׁלוֹם", unicodedata.normalize("NFD", "élève")])
def test_signs_that_belong_to_a_letter_do_not_part_a_word(word):
    assert detokenize.tokenize(f"{word}, {word}!", "en") == f"{word} , {word} !"


def test_a_stray_full_stop_in_training_does_not_keep_others():
    learned = of(["a work of art .", "art. 3", "see etc. here"])
    assert detokenize.prepare("works of art.", "en", learned) == "works of art ."
    assert detokenize.prepare("etc. A", "en", learned) == "etc. a"


@pytest.mark.skipif(not REAL, reason="ATTENTION_LAB_DATA is not set")
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("kind", ["word", "bpe"])
def test_the_real_files_come_out_as_the_training_text(kind, plain):
    folder = os.path.join(REAL, "multi30k")
    train = multi30k.read(folder, "train", "tokenized")
    spelled = detokenize.unescape if plain else str
    learned = of([spelled(sentence) for sentence in train.source + train.target], kind, 6000)
    raw, tokenized = (multi30k.read(folder, "dev", text) for text in ("raw", "tokenized"))
    for language, written, tokens in (("en", raw.source, tokenized.source),
                                      ("fr", raw.target, tokenized.target)):
        expected = [spelled(sentence) for sentence in tokens]
        assert [detokenize.prepare(sentence, language, learned) for sentence in written] == expected
        for given in (expected, map(detokenize.unescape, tokens)):
            differ = sum(detokenize.prepare(sentence, language, learned) != sentence_then
                         for sentence, sentence_then in zip(given, expected))
            assert differ <= 1  # of 1,014; without the words in use 23 and 405
