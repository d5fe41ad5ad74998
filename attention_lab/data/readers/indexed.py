"""Sentences with the index of one word, as files of word senses have them: "index TAB sentence"."""

import re

from attention_lab.data import lines


def sentence(text: str) -> list[str]:
    """The words of a sentence as indices count them: whatever is white parts them, alone or in runs.

    The block that marks subwords becomes an underscore, for a tokenizer would part the word there.
    """
    return text.replace(lines.MARK, "_").split()


def place(index: str, words: list[str], where: str) -> int:
    """The index of a word, from 0, checked against the sentence that it belongs to.

    Args:
      index: as it stands in the file.
      words: of the sentence.
      where: file and line, with which the message begins.

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
    """Whether a token is this word, its plural or one that begins with it, upper case or lower.

    >>> stands_at("bank", "Banks"), stands_at("body", "bodies"), stands_at("bank", "river")
    (True, True, False)
    """
    word, token = word.lower(), token.lower()
    return token.startswith(word) or word.endswith("y") and token == word[:-1] + "ies"
