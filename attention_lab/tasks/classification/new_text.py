"""New text in the form that a classifier was trained on, and the words in it that it can classify."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from attention_lab.config.registries import SOURCES
from attention_lab.data import batching, detokenize, lines, spelling
from attention_lab.data.labelled import WHOLE, Labelled
from attention_lab.tasks.classification.classifier import Classifier


class Targets(NamedTuple):
    """The words, or whole sentences, to classify in lines of text.

    Fields:
      sentences: an entry for each target word, or each whole sentence; the labels are "".
      lines: the line of each entry, from 0. texts: every line as the model reads it.
      refused: {line: reason}, of lines without entries because they are too long.
    """

    sentences: Labelled
    lines: list[int]
    texts: list[str]
    refused: dict[int, str]


def known_forms(classes: Mapping[str, Sequence[str]], forms: Mapping[str, str]) -> dict[str, str]:
    """{form: word}: each word, its plural, and its forms in the training text.

    >>> sorted(known_forms({"body": ("a", "b")}, {"bodied": "body"}))
    ['bodied', 'bodies', 'body', 'bodys']
    """
    words: dict[str, str] = {}
    for word in classes:
        plural = word[:-1] + "ies" if word.endswith("y") else word + "es"
        for form in (word, word + "s", plural):
            words.setdefault(form, word)
    return words | {form: word for form, word in forms.items() if word in classes}


def find_targets(classifier: Classifier, written: Sequence[str]) -> Targets:
    """Finds in each line the words whose senses the classifier knows; for sentiment, the whole line.

    Text is lower-cased and tokenised where the training text was (`data.text`), and spelled as that was.
    """
    data = classifier.config.data
    texts = [lines.one_space(line) for line in written]
    learned = spelling.learned(classifier.tokenizer)
    texts = [detokenize.prepare(text, spelling=learned) if data.text == "tokenized"
             else learned.in_letters(text) for text in texts]
    if SOURCES[data.source].classified == "sentence":
        rows = [(i, WHOLE, "") for i, text in enumerate(texts) if text]
    else:
        forms = known_forms(classifier.classes, classifier.forms)
        rows = [(i, index, word) for i, text in enumerate(texts) for index, token in enumerate(text.split())
                if (word := forms.get(token, forms.get(token.lower())))]
    refused = _too_long(classifier, texts, Counter(i for i, _, _ in rows))
    rows = [row for row in rows if row[0] not in refused]
    sentences = Labelled([texts[i] for i, _, _ in rows], [index for _, index, _ in rows],
                         [word for _, _, word in rows], [""] * len(rows))
    return Targets(sentences, [i for i, _, _ in rows], texts, refused)


def _too_long(classifier: Classifier, texts: Sequence[str], words: Mapping[int, int]) -> dict[int, str]:
    """{line: reason} of the lines that are too long for the number of words to classify in each."""
    refused = {}
    for line, tokens in zip(words, batching.lengths(classifier.tokenizer.encode([texts[i] for i in words]))):
        if tokens > classifier.buckets[-1] and tokens > (most := classifier.longest(words[line])):
            about = f" and {words[line]} words to classify" if words[line] > 1 else ""
            refused[line] = f"has {tokens} tokens{about}, at most {most} tokens are read"
    return refused
