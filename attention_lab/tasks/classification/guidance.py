"""The guide of a classifier: a finished run that gives weights to pool by, or predictions to keep."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from attention_lab.config import POOLED, Config, task_of
from attention_lab.data.labelled import Labelled
from attention_lab.evaluation.distributions import divergence, jensen_shannon, total_variation
from attention_lab.models.classifier import POOL
from attention_lab.storage.files import digest
from attention_lab.storage.runs import Run
from attention_lab.tasks.classification.classifier import Classifier, Judged, read
from attention_lab.training.weights import load_finished, scored_weights

AT_ONCE = 1000  # sentences, for a guide may have layers of weights that are not kept


class Guide(NamedTuple):
    """Fields: run, finished; classifier; params, the weights that were scored."""

    run: Run
    classifier: Classifier
    params: Any


def load(folder: str) -> Guide:
    """The classifier of a finished run.

    Raises:
      ValueError: no run, an unfinished one, one that does not classify, or no checkpoint can be read.
    """
    run = load_finished(folder)
    if task_of(run.config) != "classification":
        raise ValueError(f"{folder} does not classify: its data.source is {run.config.data.source}")
    classifier = read(run, run.config)
    return Guide(run, classifier, scored_weights(run, classifier.model.init))


def find(config: Config, trained_by: str | None = None) -> Guide | None:
    """The finished run that attention.guide names; None where there is none.

    Args:
      config: of the classifier that goes by it.
      trained_by: sha256 of the result.json of the guide that this classifier was trained by, if it was.
    Raises:
      ValueError: it is no finished classifier that pools by attention, or another one than it was.
    """
    folder = config.attention.guide
    if not folder:
        return None
    try:
        guide = load(folder)
    except ValueError as error:
        raise ValueError(f"attention.guide={folder}, seen from here: {error}") from error
    if trained_by is not None and trained_by != digest(guide.run.folder / "result.json"):
        raise ValueError(f"attention.guide={folder} is another run than the one that this was trained by")
    own = guide.run.config
    if own.model.pooling not in POOLED:
        raise ValueError(f"attention.guide={folder} pools by {own.model.pooling}: it has no weights to go "
                         f"by; {' and '.join(POOLED)} have")
    if own.attention.weights == "frozen":
        raise ValueError(f"attention.guide={folder} has the weights of another, {own.attention.guide}: give "
                         "that one")
    if {config.data.tokenizer, guide.classifier.tokenizer.kind} != {"word"}:
        raise ValueError(f"attention.guide={folder}: weights of subwords fit no others; with "
                         "data.tokenizer=word in both they go from model to model")
    return guide


def of(run: Run) -> Guide | None:
    """The guide that a finished run was trained by; None, and ValueError, as of `find`."""
    files = run.facts.get("data", {}).get("files", {})
    return find(run.config, files.get("attention.guide"))


def check(guide: Guide, config: Config, classes: Mapping[str, Sequence[str]]) -> None:
    """Refuses a guide for a classifier of these {word: classes}.

    Raises:
      ValueError: it is of other words or, for an adversary, of other classes.
    """
    folder, known = config.attention.guide, guide.classifier.classes
    for word, labels in classes.items():
        if word not in known:
            raise ValueError(f"attention.guide={folder} does not know the word {word!r}")
        if config.attention.weights == "adversarial" and tuple(labels) != known[word]:
            of = f" of {word!r}" if word else ""
            raise ValueError(f"attention.guide={folder} has the classes {', '.join(known[word])}{of}, and "
                             f"here are {', '.join(labels)}: an adversary needs the same")


def answers(guide: Guide, sentences: Labelled,
            classes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What batches need of the guide: its weights, and what it answered.

    Args:
      classes: as of `check`.
    Returns:
      {"guide": weights (S,) of each sentence, "answer": probabilities (N, C)}.
    """
    weights, C = [], max(map(len, classes.values()))
    probabilities = np.zeros((len(sentences), C), np.float32)
    for first in range(0, len(sentences), AT_ONCE):
        places = range(first, min(first + AT_ONCE, len(sentences)))
        judged = guide.classifier.judge(guide.params, sentences.select(places), with_weights=True)
        weights += [one[POOL][0, 0, 0] for one in judged.weights]
        width = min(C, judged.probabilities.shape[1])  # it may know words of more classes, or of fewer
        probabilities[places, :width] = judged.probabilities[:, :width]
    return {"guide": weights, "answer": probabilities}


def compared(judged: Judged, guided: Mapping[str, Any], worth: float) -> dict[str, float]:
    """How far predictions and weights are from the guide's, means over sentences.

    Returns:
      variation: total variation of the predictions. divergence: KL(own weights || guide's), nats.
      jensen_shannon: of the weights, nats, at most log 2. objective: variation - worth * divergence.
    """
    variation = float(np.mean(total_variation(judged.probabilities, guided["answer"])))
    pairs = [(own[POOL][0, 0, 0], guide) for own, guide in zip(judged.weights, guided["guide"])]
    apart = float(np.mean([divergence(own, guide) for own, guide in pairs]))
    return {"variation": variation, "divergence": apart,
            "jensen_shannon": float(np.mean([jensen_shannon(own, guide) for own, guide in pairs])),
            "objective": variation - worth * apart}
