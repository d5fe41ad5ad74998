"""Accuracy by the distance of the deciding word: an array of bins in each row of a table."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.evaluation.classes import by_distance
from attention_lab.tasks.classification.task import DISTANCES

LEAST, GREATEST, DISTRACTORS, SENTENCES, ACCURACY = range(5)  # columns of the array


def scored(run: Path, test: Any) -> np.ndarray:
    """Accuracy of a run's predictions by distance and number of distractors, (bins, 5)."""
    with open(run / "predictions.tsv", encoding="utf-8", newline="") as file:
        predicted = [row["found"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    distractors = [len(sentence.senses[0].distractors) for sentence in test.truth]
    bins = []
    for count in sorted(set(distractors)):
        chosen = [i for i, other in enumerate(distractors) if other == count]
        some = test.select(chosen)
        bins += [(low, high, count, sentences, accuracy) for (low, high), (accuracy, sentences) in
                 by_distance(some.truth, some.label, [predicted[i] for i in chosen], DISTANCES).items()]
    return np.array(bins, np.float64)


def accuracy(bins: np.ndarray, chosen: np.ndarray | slice = slice(None)) -> float:
    """Accuracy over all sentences of some bins."""
    bins = bins[chosen]
    return float(np.average(bins[:, ACCURACY], weights=bins[:, SENTENCES]))
