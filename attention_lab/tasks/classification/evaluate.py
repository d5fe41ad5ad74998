"""Scores of a finished classifier on a split of its data or on other sentences with the same words."""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from attention_lab.config import Data
from attention_lab.data import labelled, sources
from attention_lab.data.anomalies import anomalies
from attention_lab.data.labelled import Labelled
from attention_lab.data.readers.coarsewsd import ALL
from attention_lab.evaluation.classes import most_frequent
from attention_lab.storage.runs import Run
from attention_lab.tasks.classification import guidance
from attention_lab.tasks.classification.classifier import Classifier
from attention_lab.tasks.classification.new_text import known_forms
from attention_lab.tasks.classification.task import scores


def evaluate(trained: Any, changed: Collection[str], bins: Sequence[str], say: Callable[[str], None]
             ) -> Iterator[tuple[str, Any]]:
    """Names and values of the scores; see `registry.Family`.

    Raises:
      ValueError: bins, data that can't be used, or a word or class that the run does not know.
    """
    run, classifier, data = trained.run, trained.model, trained.config.data
    if bins:
        raise ValueError(f"--lengths={','.join(bins)}: {run.folder} classifies; translations are scored by "
                         "length")
    corpus = _own_corpus(run, data, changed)
    if corpus is None:
        sentences = sources.load_whole(data)  # another file holds nothing out: all of it is scored
        sentences = sources.load(data)[data.split] if sentences is None else sentences
        train = _train(run.config.data, say)
    else:
        sentences, train = corpus[data.split], corpus["train"]
        if data.word != run.config.data.word:
            _check_word(run, data.word, classifier)
            sentences = sentences.select([i for i, word in enumerate(sentences.word) if word == data.word])
    sentences = _renamed(run, sentences, classifier)
    for notice in anomalies({data.split: (sentences.counts, sentences.text)}, "sentences",
                            classifier.tokenizer):
        say(notice)
    yield "sentences", len(sentences)
    if corpus is None and train is not None:
        seen = labelled.shared(train, sentences)
        yield "seen_in_training", seen
        if seen:
            say(f"{seen} of {len(sentences)} sentences are among those that the run was trained on")
    guide = guidance.of(run)
    scored = scores(classifier, trained.params, sentences, data.split,
                    most_frequent(train.word, train.label) if train else {},
                    guided=guide and guidance.answers(guide, sentences, classifier.classes))
    for name, value in scored.numbers.items():
        if train or "most_frequent" not in name:
            yield name, value


def _own_corpus(run: Run, data: Data, changed: Collection[str]) -> dict[str, Labelled] | None:
    """The run's corpus by split, possibly moved; None where `data` is another one."""
    own = run.config.data
    same = dataclasses.replace(data, split=own.split, word=own.word, directory=own.directory, path=own.path)
    if same != own or data.word == ALL != own.word:
        return None
    moved = bool({"data.directory", "data.path"} & set(changed))
    try:
        corpus = sources.load(dataclasses.replace(own, directory=data.directory, path=data.path))
    except ValueError:
        if moved:
            return None
        raise
    if run.facts.get("data", {}).get("sha256") == sources.digest(
            {name: corpus[name] for name in {"train", "dev", own.split}}):
        return corpus
    if moved:
        return None
    raise ValueError(f"{own.directory or own.path} was changed after {run.folder} was trained on it, so that "
                     "sentences held out now were trained on then: give others by --config.data.directory or "
                     "--config.data.path")


def _renamed(run: Run, sentences: Labelled, classifier: Classifier) -> Labelled:
    """The sentences with the run's names of their words; ValueError for an unknown word or class."""
    forms = known_forms(classifier.classes, classifier.forms)
    words = [word if word in classifier.classes else forms.get(word, word) for word in sentences.word]
    for word, label in zip(words, sentences.label):
        _check_word(run, word, classifier)
        if label not in classifier.classes[word]:
            of = f" of {word!r}" if word else ""
            raise ValueError(f"{run.folder} does not know the class {label!r}{of}: it was trained on "
                             f"{', '.join(classifier.classes[word])}")
    return dataclasses.replace(sentences, word=words)


def _check_word(run: Run, word: str, classifier: Classifier) -> None:
    if word not in classifier.classes:
        problem = f"does not know the word {word!r}" if word else "does not classify whole sentences"
        words = f"the words {', '.join(classifier.classes)}" if any(classifier.classes) else "whole sentences"
        raise ValueError(f"{run.folder} {problem}: it was trained on {words}")


def _train(own: Data, say: Callable[[str], None]) -> Labelled | None:
    """The run's train split, if it can still be read."""
    try:
        return sources.load(own)["train"]
    except ValueError as error:
        say(f"whether these sentences were trained on is not known: {error}")
        return None
