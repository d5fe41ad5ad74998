"""Written text to tokenised text and back: rules by hand, shares on the real files."""

import os

import pytest

from attention_lab.data import detokenize
from attention_lab.data.readers import multi30k

REAL = os.environ.get("ATTENTION_LAB_DATA")


@pytest.mark.parametrize("raw, expected", [
    ("A man, in red.", "a man , in red ."), ("Two  dogs\u00a0run", "two dogs run"),
    ("a woman's shoulders", "a woman &apos;s shoulders"), ("They aren't", "they aren &apos;t"),
    ("the boys' ball", "the boys &apos; ball"), ("the 1980's", "the 1980 &apos;s"),
    ('He says "hi".', "he says &quot; hi . &quot;"), ("A&M (team)", "a &amp; m ( team )"),
    ("1,000 men, 3.5 m", "1,000 men , 3.5 m"), ("a t-shirt - red", "a t-shirt - red"),
    ("wait... what?", "wait ... what ?"), ("red vs. blue", "red vs. blue"),
    ("the U.S. team", "the u.s. team"), ("“Hi”—she said…", "&quot; hi &quot; - she said ..."),
    ("a [b] <c> |", "a &#91; b &#93; &lt; c &gt; &#124;"), ("a_b\x00c #19", "a _ bc # 19"),
    ("st. john", "st. john"), ("It ends.", "it ends ."), ("...", "..."), (".", "."), ("", "")])
def test_prepare_english(raw, expected):
    assert detokenize.prepare(raw) == expected


@pytest.mark.parametrize("raw, expected", [
    ("L'homme n'est pas ici.", "l&apos; homme n&apos; est pas ici ."),
    ("Il dit : «oui» !", "il dit : &quot; oui &quot; !"), ("l’eau", "l&apos; eau"),
    ('Il lit "Non."', "il lit &quot; non &quot; ."), ("50 %", "50 %"),
    ("un terrain sec.", "un terrain sec.")])
def test_prepare_french(raw, expected):
    assert detokenize.prepare(raw, "fr") == expected


@pytest.mark.parametrize("sentence", ["a red car crosses the old bridge .",
                                      "a woman &apos;s dog , a &quot; sign &quot; ."])
def test_what_is_tokenised_already_stays(sentence):
    assert detokenize.prepare(sentence) == sentence


@pytest.mark.parametrize("tokens, expected", [
    ("l&apos; homme qu&apos; on voit n&apos; est pas là .", "l'homme qu'on voit n'est pas là."),
    ("un homme , une femme ( assise ) .", "un homme, une femme (assise)."),
    ("il dit : &quot; oui ! &quot;", 'il dit : "oui !"'), ("qui ? moi ; toi", "qui ? moi ; toi"),
    ("a &quot; b &quot; c &quot; d &quot; .", 'a "b" c "d".'), ("un &quot; b", 'un " b'),
    ("50 % , 360 ° , 9 km / h", "50 %, 360°, 9 km/h"), ("l&apos; arc-en-ciel", "l'arc-en-ciel"),
    ("&amp; &lt; &gt; &#91; &#93; &#124; &amp;lt;", "& < > [] | &lt;"),
    ("aujourd&apos; hui ...", "aujourd'hui..."), ("", "")])
def test_restore_french(tokens, expected):
    assert detokenize.restore(tokens) == expected


def test_restore_english():
    tokens = "the boys &apos; dog isn &apos;t a woman &apos;s : is it ?"
    assert detokenize.restore(tokens, "en") == "the boys' dog isn't a woman's: is it?"


def test_restore_capitalizes_the_first_letter_alone():
    assert detokenize.restore("étienne aime parIS .", capitalize=True) == "Étienne aime parIS."


def share(found, expected) -> float:
    return sum(a == b for a, b in zip(found, expected, strict=True)) / len(expected)


@pytest.mark.skipif(not REAL, reason="ATTENTION_LAB_DATA is not set")
@pytest.mark.parametrize("split", ["dev", "test"])
def test_prepare_and_restore_reproduce_the_real_files(split):
    folder = os.path.join(REAL, "multi30k")
    raw, tokenized = (multi30k.read(folder, split, text) for text in ("raw", "tokenized"))
    assert share([detokenize.prepare(s, "en") for s in raw.source], tokenized.source) == 1.0
    assert share([detokenize.prepare(s, "fr") for s in raw.target], tokenized.target) == 1.0
    restored = [detokenize.restore(s) for s in tokenized.target]
    assert share(restored, [s.lower() for s in raw.target]) > 0.998
