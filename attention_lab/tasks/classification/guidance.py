"""The guide of a classifier: a finished run that provides weights to pool by, or predictions to keep."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from attention_lab.config import POOLED, Config, replace, task_of
from attention_lab.data.content import GUIDE
from attention_lab.data.labelled import Labelled
from attention_lab.data.tokenizers import TOKENIZERS
from attention_lab.evaluation.distributions import divergence, jensen_shannon, total_variation
from attention_lab.models.classifier import POOL
from attention_lab.storage.files import digest
from attention_lab.storage.runs import Run
from attention_lab.tasks.classification.classifier import Classifier, Predictions, read
from attention_lab.training.weights import load_finished, scored_weights

AT_ONCE = 1000  # sentences: a guide may have layers of weights, which need memory and are not kept


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


def find(config: Config, trained_by: str | None = None, beside: str | Path | None = None) -> Guide | None:
    """The finished run that attention.guide names; None where it names none.

    Args:
      config: of the guided classifier.
      trained_by: sha256 of the result.json of the guide by which that classifier was trained, if it was.
      beside: the folder of that classifier; near it the guide of `trained_by` is searched for if it is not at
        its path, as when both were moved.
    Raises:
      ValueError: it is no finished classifier that pools by attention, or not the run of `trained_by`.
    """
    folder = config.attention.guide
    if not folder:
        return None
    where = folder if trained_by is None else _located(folder, trained_by, beside)
    try:
        guide = load(where or folder)
    except ValueError as error:
        hint = "" if trained_by is None else "; --config.attention.guide=DIR says where it is now"
        raise ValueError(f"attention.guide={folder}, seen from here: {error}{hint}") from error
    if where is None:
        raise ValueError(f"attention.guide={folder} is not the run by which this one was trained")
    model, attention = guide.run.config.model, guide.run.config.attention
    if model.pooling not in POOLED:
        raise ValueError(f"attention.guide={folder} pools by {model.pooling}: it has no weights to follow; "
                         f"{' and '.join(POOLED)} have")
    if attention.weights == "frozen":
        raise ValueError(f"attention.guide={folder} has the weights of another run, {attention.guide}: "
                         "give that one")
    segmentations = TOKENIZERS[config.data.tokenizer], guide.classifier.tokenizer.segmentation
    if not all(segmentation.whole_words for segmentation in segmentations):
        raise ValueError(f"attention.guide={folder}: weights of subwords can't be transferred; with "
                         "data.tokenizer=word in both they can")
    return guide


def of(run: Run, folder: str = "") -> Guide | None:
    """The guide by which a finished run was trained; None and ValueError as in `find`.

    folder: where the guide is now; "": at the path in the run's config, or beside the run.
    """
    config = replace(run.config, {"attention.guide": folder or run.config.attention.guide})
    return find(config, run.facts.get("data", {}).get("files", {}).get("attention.guide"), run.folder)


def _located(folder: str, trained_by: str, beside: str | Path | None) -> str | None:
    """The folder with the result.json of this sha256: the one at the path, or one near `beside`.

    The guide is searched for below each parent of `beside`, by its path and by each suffix of that path; then
    among the folders beside the path and beside `beside`, for it may have been renamed.
    """
    parts = Path(folder).parts
    ends = [Path(*parts[i:]) for i in range(len(parts)) if not Path(*parts[i:]).is_absolute()]
    parents = Path(beside).absolute().parents if beside else ()
    named = (Path(folder), *(parent / end for parent in parents for end in ends))
    renamed = (result.parent for parent in (Path(folder).absolute().parent, *parents[:1])
               for result in sorted(parent.glob(f"*/{GUIDE}")))
    for path in itertools.chain(named, renamed):
        result = path / GUIDE
        if result.is_file() and digest(result) == trained_by:
            return str(path)
    return None


def check(guide: Guide, config: Config, classes: Mapping[str, Sequence[str]]) -> None:
    """ValueError where a guide lacks one of these words or, for an adversary, has other classes of it."""
    folder, of_guide = config.attention.guide, guide.classifier.classes
    for word, labels in classes.items():
        if word not in of_guide:
            raise ValueError(f"attention.guide={folder} does not know the word {word!r}")
        if config.attention.weights == "adversarial" and tuple(labels) != of_guide[word]:
            of = f" of {word!r}" if word else ""
            raise ValueError(f"attention.guide={folder} has the classes {', '.join(of_guide[word])}{of}, and "
                             f"here are {', '.join(labels)}: an adversary needs the same")


def answers(guide: Guide, sentences: Labelled, classes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Weights and predictions of the guide for sentences with these {word: classes}.

    Returns:
      {"guide": weights (S,) of each sentence, "answer": probabilities (N, C)}.
    """
    weights, C = [], max(map(len, classes.values()))
    probabilities = np.zeros((len(sentences), C), np.float32)
    for first in range(0, len(sentences), AT_ONCE):
        rows = range(first, min(first + AT_ONCE, len(sentences)))
        predicted = guide.classifier.predict(guide.params, sentences.select(rows), with_weights=True)
        weights += [by_kind[POOL][0, 0, 0] for by_kind in predicted.weights]
        width = min(C, predicted.probabilities.shape[1])  # the guide's words may have more or fewer classes
        probabilities[rows, :width] = predicted.probabilities[:, :width]
    return {"guide": weights, "answer": probabilities}


def compared(predicted: Predictions, guided: Mapping[str, Any], factor: float) -> dict[str, float]:
    """How far predictions and weights are from the guide's (`answers`), means over sentences.

    Returns:
      variation: total variation of the predictions. divergence: KL(weights || guide's), nats.
      jensen_shannon: of the weights, nats, at most log 2. objective: variation - factor * divergence.
    """
    pairs = [(by_kind[POOL][0, 0, 0], guide) for by_kind, guide in zip(predicted.weights, guided["guide"])]
    means = {"variation": float(np.mean(total_variation(predicted.probabilities, guided["answer"]))),
             "divergence": float(np.mean([divergence(*pair) for pair in pairs])),
             "jensen_shannon": float(np.mean([jensen_shannon(*pair) for pair in pairs]))}
    return means | {"objective": means["variation"] - factor * means["divergence"]}
