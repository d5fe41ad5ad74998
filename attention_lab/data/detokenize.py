"""Conversion between written text and the lower-cased, tokenised text that models are trained on.

`prepare` follows the scripts that made the `lc.norm.tok` files: lower-casing, normalised punctuation and
tokens as in Moses (Koehn et al. 2007), English or French. `restore` is the way back, for display, without
capitals inside a sentence.
"""

import re
import unicodedata

from attention_lab.data import lines
from attention_lab.data.spelling import MOSES, PLAIN_QUOTES, Spelling

LETTER = r"[^\W\d_]"
JOINERS = "\u200c\u200d"  # inside words of Persian and of India, and between emoji

# Punctuation to its plain form, in this order.
NORMAL_FORMS = [(re.compile(pattern), plain) for pattern, plain in (
    (r"\(", " ("), (r"\)", ") "), (r" +", " "), (r"\) ([.!:?;,])", r")\1"), (r"\( ", "("),
    (r" \)", ")"), (r"(\d) %", r"\1%"), (r" ([:;])", r"\1"), (r"`", "'"), (r"''", ' " '),
    (r"[„“”]", '"'), (r"–", "-"), (r"—", " - "), (r" +", " "), (r"´", "'"),
    (r"([a-z])[‘’]([a-z])", r"\1'\2"), (r"[‘‚’]", '"'), (r"''", '"'), (r"…", "..."),
    (r"\s?«\s?", ' "'), (r"\s?»\s?", '" '))]
# Full stop and comma at a closing quote: inside it in English, after it in French.
QUOTE_ENDS = {"en": [(re.compile(r'"([,.]+)'), r'\1"')],
              "fr": [(re.compile(r'([,.]+)"'), r'"\1')]}
# An apostrophe between letters belongs to what follows it in English (woman 's), in French not (l' eau).
APOSTROPHES = {"en": (rf"(?<={LETTER})'(?={LETTER})|(?<=\d)'(?=s)", " '"),
               "fr": (rf"(?<={LETTER})'(?={LETTER})", "' ")}
# Lower-cased abbreviations that keep their full stop; others keep it only before a small letter.
ABBREVIATIONS = {"en": {"v", "vs", "i.e", "rev", "e.g", "etc"},
                 "fr": {"apr", "art", "av", "cf", "chap", "env", "etc", "ex", "fig", "sec", "vol",
                        *"abcdefghijklmnopqrstuvwxyz"}}
ESCAPES = {"&": "&amp;", "|": "&#124;", "<": "&lt;", ">": "&gt;", "'": "&apos;", '"': "&quot;",
           "[": "&#91;", "]": "&#93;"}
ESCAPED = re.compile("|".join(ESCAPES.values()))
PLAIN = {entity: character for character, entity in ESCAPES.items()}


def prepare(sentence: str, language: str = "en", spelling: Spelling = MOSES) -> str:
    """A sentence, "en" or "fr", as in the training text: by default that of the `lc.norm.tok` files.

    A word that the training text has, such as `'s`, stays whole; a sentence with `&apos;` or `&quot;` is
    tokenised already.

    >>> prepare("A boy sits on a woman's shoulders.")
    'a boy sits on a woman &apos;s shoulders .'
    """
    sentence = spelling.lowered(lines.one_space(sentence))
    if "&apos;" in sentence or "&quot;" in sentence:
        return spelling.respell(sentence)
    words = sentence.split(" ")
    # Letters replace words that stay whole, so that what is around them is tokenised in its place.
    whole = {f"whole{i}word": spelling.respell(word) for i, word in enumerate(words)
             if re.search(r"\W", word) and spelling.respell(word) in spelling.words}
    sentence = " ".join(f"whole{i}word" if f"whole{i}word" in whole else word for i, word in enumerate(words))
    tokens = lines.one_space(tokenize(normalize(sentence, language), language)).split(" ")
    return " ".join(whole[token] if token in whole else spelling.respell(token) for token in tokens)


def normalize(sentence: str, language: str) -> str:
    """Quotes, dashes and brackets in their plain forms."""
    for pattern, plain in NORMAL_FORMS + QUOTE_ENDS[language]:
        sentence = pattern.sub(plain, sentence)
    return sentence


def tokenize(sentence: str, language: str) -> str:
    """Words and punctuation separated by spaces."""
    text = re.sub(r"[\x00-\x1f]", "", sentence)
    text = re.sub(r"[^\w\s.'`,\-]|_", lambda sign: sign[0] if _joins(sign[0]) else f" {sign[0]} ", text)
    text = re.sub(r"\.{2,}", r" \g<0> ", text)
    text = re.sub(r"(?<!\d),|,(?!\d)", " , ", text)
    pattern, separated = APOSTROPHES[language]
    text = separated.join(part.replace("'", " ' ") for part in re.split(pattern, text))
    words = text.split()
    followers = words[1:] + [""]
    return " ".join(_split_full_stop(word, after, language) for word, after in zip(words, followers))


def _joins(sign: str) -> bool:
    """Whether a sign is part of the letter before it: an accent, a vowel sign, a joiner."""
    return unicodedata.category(sign)[0] == "M" or sign in JOINERS


def _split_full_stop(word: str, after: str, language: str) -> str:
    """Separates a full stop from a word, unless that is an abbreviation."""
    stem = word[:-1]
    if not word.endswith(".") or not stem.strip("."):
        return word
    abbreviated = "." in stem and re.search(LETTER, stem)
    if abbreviated or stem in ABBREVIATIONS[language] or after[:1].islower():
        return word
    return f"{stem} ."


def escape(sentence: str) -> str:
    """The characters that Moses reserves as entities, `'` as `&apos;`."""
    return "".join(ESCAPES.get(character, character) for character in sentence)


def respell(text: str, spelling: Spelling = MOSES) -> str:
    """Tokenised text of another source, with plain quotes and spelled like a training text, word by word.

    >>> respell("L’ homme dit : « Oui »")
    'l&apos; homme dit : &quot; oui &quot;'
    """
    text = " ".join(text.translate(PLAIN_QUOTES).split())
    return spelling.respell(spelling.lowered(text))


def unescape(sentence: str) -> str:
    """The characters behind Moses' entities.

    >>> unescape("l&apos; eau")
    "l' eau"
    """
    return ESCAPED.sub(lambda entity: PLAIN[entity[0]], sentence)


def restore(sentence: str, language: str = "fr", capitalize: bool = False) -> str:
    """A tokenised sentence, "fr" or "en", as people read it: unescaped, punctuation joined to its words.

    French joins elisions (l' eau) and keeps a space before `: ; ! ?` and `%`. `capitalize`: the first letter.

    >>> restore("l&apos; homme n&apos; est pas ici , dit-il .", capitalize=True)
    "L'homme n'est pas ici, dit-il."
    """
    words = unescape(sentence).split()
    spaced = ":;!?%" if language == "fr" else ""
    quoting = {mark: False for mark in "\"'" if words.count(mark) % 2 == 0}
    text, glued = "", True  # glued: no space before the next word
    for word in words:
        opens = word in ("(", "[", "#", "$", "/")
        closes = bool(re.fullmatch(r"[.,;:!?%°)\]/']+", word))
        if word in quoting:  # of a pair of quotes the first opens, the second closes
            quoting[word] = opens = not quoting[word]
            closes = not opens
        elif language == "en":
            closes = closes or bool(re.fullmatch(rf"'{LETTER}+", word))
        text += word if glued or closes and word[0] not in spaced else f" {word}"
        glued = opens or language == "fr" and bool(re.search(rf"{LETTER}'$", word))
    return text[:1].upper() + text[1:] if capitalize else text
