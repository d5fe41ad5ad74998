"""Text as people write it in the form that a classifier was trained on, and the words in it that it knows."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from attention_lab.config.sources import SOURCES
from attention_lab.data import detokenize, lines
from attention_lab.data.labelled import WHOLE, Labelled
from attention_lab.tasks.classification.classifier import Classifier


class Questions(NamedTuple):
    """What a classifier is asked about lines of text.

    Fields:
      sentences: one entry for each word that is asked about, or for each sentence that is classified whole;
        the labels are "".
      lines: from which line each entry comes, from 0. texts: every line as the model reads it.
    """

    sentences: Labelled
    lines: list[int]
    texts: list[str]


def known_forms(classes: Mapping[str, Sequence[str]], forms: Mapping[str, str]) -> dict[str, str]:
    """{form: word} of the words that can be asked about: forms of the training text, the word, its plural.

    >>> sorted(known_forms({"body": ("a", "b")}, {"bodied": "body"}))
    ['bodied', 'bodies', 'body', 'bodys']
    """
    known: dict[str, str] = {}
    for word in classes:
        ending = {"y": word[:-1] + "ies"}.get(word[-1:], word + "es")
        for form in (word, word + "s", ending):
            known.setdefault(form, word)
    return known | {form: word for form, word in forms.items() if word in classes}


def questions(classifier: Classifier, written: Sequence[str]) -> Questions:
    """Finds in each line the words whose senses the classifier knows; of sentiment, each line is whole.

    Lower-cased and tokenised where training saw such text (`data.text`), otherwise the text is as it is. A
    line may have none of the words, or several.
    """
    data = classifier.config.data
    tokenized = data.text == "tokenized"
    # The files of Multi30k alone have Moses' entities, which classified text has not.
    texts = [detokenize.unescape(detokenize.prepare(line)) if tokenized else lines.one_space(line)
             for line in written]
    if SOURCES[data.source].asks == "sentence":
        rows = [(i, WHOLE, "") for i, text in enumerate(texts) if text]
    else:
        forms = known_forms(classifier.classes, classifier.forms)
        rows = [(i, place, forms.get(token, forms.get(token.lower(), "")))
                for i, text in enumerate(texts) for place, token in enumerate(text.split())]
        rows = [row for row in rows if row[2]]
    sentences = Labelled([texts[i] for i, _, _ in rows], [place for _, place, _ in rows],
                         [word for _, _, word in rows], [""] * len(rows))
    return Questions(sentences, [i for i, _, _ in rows], texts)
