"""What `evaluate` does with a run that classifies: its own sentences, or others of the same words."""

import dataclasses
from collections.abc import Callable, Collection

from attention_lab.config import Config, Data, task_of
from attention_lab.config.sources import of_task
from attention_lab.data import labelled, sources
from attention_lab.data.anomalies import anomalies
from attention_lab.data.labelled import Labelled
from attention_lab.data.readers.coarsewsd import ALL
from attention_lab.evaluation.classes import most_frequent
from attention_lab.tasks.classification import guidance
from attention_lab.tasks.classification import task as classification
from attention_lab.tasks.classification.classifier import Classifier
from attention_lab.tasks.classification.new_text import known_forms
from attention_lab.tasks.load import load


def classes(folder: str, config: Config, changed: Collection[str], say: Callable[[str], None]) -> int:
    """Prints the scores of a split of a run that classifies, a line each; exit status 0.

    Args:
      folder: the run's. config: the run's with what was given put in, whose keys are `changed`.
      say: takes a line for the user.
    Raises:
      ValueError: the data can't be used, or has a word or a class that the run does not know.
    """
    data = config.data
    if task_of(config) != "classification":
        allowed = ", ".join(of_task("classification"))
        raise ValueError(f"data.source={data.source}: {folder} classifies; {allowed} are allowed")
    run = load(folder, say=say)
    held, classifier = run.run.config, run.classifier
    own = _own(folder, held.data, data, changed, run.run.facts.get("data", {}).get("sha256"))
    if own is None:
        sentences = sources.load_whole(data)  # another file holds nothing out: all of it is scored
        sentences = sources.load(data)[data.split] if sentences is None else sentences
    else:
        sentences = own[data.split]
        if data.word != held.data.word:
            sentences = _of_word(folder, sentences, data.word, classifier)
    sentences = _known(folder, sentences, classifier)
    for notice in anomalies({data.split: (sentences.counts, sentences.text)}, "sentences",
                            classifier.tokenizer):
        say(notice)
    print(f"sentences\t{len(sentences)}")
    train = own["train"] if own else _train(held.data, say)
    if own is None and train is not None:
        seen = labelled.shared(train, sentences)
        print(f"seen_in_training\t{seen}")
        if seen:
            say(f"{seen} of {len(sentences)} sentences are among those that the run was trained on")
    guide = guidance.of(run.run)
    scores = classification.scores(
        classifier, run.params, sentences, data.split,
        most_frequent(train.word, train.label) if train else {},
        guided=guide and guidance.answers(guide, sentences, classifier.classes))
    for name, value in scores.numbers.items():
        if train or "most_frequent" not in name:
            print(f"{name}\t{value}")
    return 0


def _own(folder, held: Data, data: Data, changed, digest) -> dict[str, Labelled] | None:
    """The run's own corpus, by split, wherever it lies; None where `data` is another one."""
    whole = data.word == ALL != held.word
    alike = dataclasses.replace(data, split=held.split, word=held.word, directory=held.directory,
                                path=held.path)
    if alike != held or whole:
        return None
    moved = bool({"data.directory", "data.path"} & set(changed))
    try:
        corpus = sources.load(dataclasses.replace(held, directory=data.directory, path=data.path))
    except ValueError:
        if moved:
            return None
        raise
    if digest == sources.digest({name: corpus[name] for name in {"train", "dev", held.split}}):
        return corpus
    if moved:
        return None
    raise ValueError(f"{held.directory or held.path} was changed after {folder} was trained on it, so that "
                     "sentences held out now were trained on then: give others by --config.data.directory or "
                     "--config.data.path")


def _of_word(folder, sentences: Labelled, word: str, classifier: Classifier) -> Labelled:
    _check_word(folder, word, classifier)
    return sentences.select([i for i, other in enumerate(sentences.word) if other == word])


def _known(folder, sentences: Labelled, classifier: Classifier) -> Labelled:
    """The sentences with their words as the run calls them.

    Raises:
      ValueError: a word or a class that it does not know.
    """
    forms = known_forms(classifier.classes, classifier.forms)
    words = [word if word in classifier.classes else forms.get(word, word) for word in sentences.word]
    for word, label in zip(words, sentences.label):
        _check_word(folder, word, classifier)
        if label not in classifier.classes[word]:
            of = f" of {word!r}" if word else ""
            raise ValueError(f"the class {label!r}{of} is none that {folder} knows: "
                             f"{', '.join(classifier.classes[word])}")
    return dataclasses.replace(sentences, word=words)


def _check_word(folder, word: str, classifier: Classifier) -> None:
    if word not in classifier.classes:
        asked = f"does not know the word {word!r}" if word else "does not classify whole sentences"
        known = f"the words {', '.join(classifier.classes)}" if any(classifier.classes) else "whole sentences"
        raise ValueError(f"{folder} {asked}: it was trained on {known}")


def _train(held: Data, say) -> Labelled | None:
    """What the run was trained on, where that can still be read."""
    try:
        return sources.load(held)["train"]
    except ValueError as error:
        say(f"whether these sentences were trained on is not known: {error}")
        return None
