"""A finished classifier on other sentences with words and classes that it knows; see `tasks/evaluate.py`."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attention_lab.data.labelled import Labelled
from attention_lab.evaluation.classes import most_frequent
from attention_lab.evaluation.lengths import refuse_bins
from attention_lab.tasks.classification import guidance, task
from attention_lab.tasks.classification.new_text import known_forms


def prepare(trained: Any, sentences: Labelled, same_data: bool, lengths: Sequence[tuple[int, int]],
            say: Callable[[str], None]) -> Labelled:
    """The sentences of data.word, with each word under its name in the run.

    Raises:
      ValueError: a word or class that the run does not know, or bins of lengths.
    """
    folder, classifier = trained.run.folder, trained.model
    refuse_bins(lengths, f"{folder} classifies")

    def check(word):
        if word not in classifier.classes:
            problem = f"does not know the word {word!r}" if word else "does not classify whole sentences"
            words = f"the words {', '.join(classifier.classes)}" if any(classifier.classes) \
                else "whole sentences"
            raise ValueError(f"{folder} {problem}: it was trained on {words}")

    word = trained.config.data.word
    if same_data and word != trained.run.config.data.word:
        check(word)
        sentences = sentences.select([i for i, other in enumerate(sentences.word) if other == word])
    forms = known_forms(classifier.classes, classifier.forms)
    words = [word if word in classifier.classes else forms.get(word, word) for word in sentences.word]
    for word, label in zip(words, sentences.label):
        check(word)
        if label not in classifier.classes[word]:
            of = f" of {word!r}" if word else ""
            raise ValueError(f"{folder} does not know the class {label!r}{of}: it was trained on "
                             f"{', '.join(classifier.classes[word])}")
    return dataclasses.replace(sentences, word=words)


def scores(trained: Any, sentences: Labelled, train: Labelled | None, lengths: Sequence[tuple[int, int]]
           ) -> Iterator[tuple[str, Any]]:
    """The name and value of each score; those of the most frequent class only with `train`."""
    guide, classifier = guidance.of(trained.run, trained.config.attention.guide), trained.model
    scored = task.scores(classifier, trained.params, sentences, trained.config.data.split,
                         most_frequent(train.word, train.label) if train else {},
                         guided=guide and guidance.answers(guide, sentences, classifier.classes))
    return ((name, value) for name, value in scored.numbers.items() if train or "most_frequent" not in name)
