"""Sentences with the index of one word, as in files of word senses: "index TAB sentence"."""

import re

from attention_lab.data import lines


def sentence(text: str) -> list[str]:
    """The words of a sentence as indices count them: separated by any white space.

    The block that marks subwords becomes an underscore, as a tokenizer would split the word there.
    """
    return text.replace(lines.MARK, "_").split()


def parse_index(index: str, words: list[str], where: str) -> int:
    """The index of a word, from 0, as a number.

    Args:
      index: text. words: of the sentence. where: file and line, for the message.
    Raises:
      ValueError: no whole number, an empty sentence, or an index outside the sentence.
    """
    if not re.fullmatch(r"\s*[-+]?[0-9]{1,18}\s*", index):
        raise ValueError(f"{where}: {index!r} is no index; a whole number from 0 is needed")
    if not words:
        raise ValueError(f"{where} has no sentence")
    if not 0 <= int(index) < len(words):
        raise ValueError(f"{where}: index {int(index)} is outside the sentence, which has {len(words)} words "
                         f"from 0 to {len(words) - 1}")
    return int(index)


def stands_at(word: str, token: str) -> bool:
    """Whether a token begins with this word or is its plural, in upper or lower case.

    >>> stands_at("bank", "Banks"), stands_at("body", "bodies"), stands_at("bank", "river")
    (True, True, False)
    """
    word, token = word.lower(), token.lower()
    return token.startswith(word) or word.endswith("y") and token == word[:-1] + "ies"
