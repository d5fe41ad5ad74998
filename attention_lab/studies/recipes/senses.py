"""How often a sense is told, by distance of the word that decides it and by what stands in its way."""

import csv
import functools
from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.config import replace
from attention_lab.data.sources import load
from attention_lab.evaluation import classes
from attention_lab.studies.study import Rows
from attention_lab.tasks.classification.task import DISTANCES

LEAST, GREATEST, DISTRACTORS, SENTENCES, ACCURACY = range(5)  # columns of by_distance


@functools.cache
def read_test(data: Any) -> Any:
    """The test sentences of a corpus, which do not depend on the size of train."""
    return load(replace(data, {"train_size": 1}), ("test",))["test"]


def predictions(folder: Path, test: Any) -> list[str]:
    """The sense that a run predicts for each test sentence; "" where it diverged and has no predictions."""
    path = folder / "predictions.tsv"
    if not path.exists():
        return [""] * len(test)
    with open(path, encoding="utf-8", newline="") as file:
        return [row["found"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def by_distance(predicted: list[str], test: Any) -> np.ndarray:
    """Accuracy of predictions by distance and number of distractors, (bins, 5)."""
    distractors = np.array([len(sentence.senses[0].distractors) for sentence in test.truth])
    bins = []
    for count in np.unique(distractors):
        chosen = np.flatnonzero(distractors == count).tolist()
        some = test.select(chosen)
        scores = classes.by_distance(some.truth, some.label, [predicted[i] for i in chosen], DISTANCES)
        bins += [(low, high, count, sentences, accuracy)
                 for (low, high), (accuracy, sentences) in scores.items()]
    return np.array(bins, np.float64)


def accuracy(rows: Rows, bins: str, **where: Any) -> dict[int, float]:
    """Accuracy of the rows that meet conditions, by seed, over some bins of their `by_distance`.

    bins: "near", "far", "distracted", "clear", or the "worst" distance of all.
    """
    by_seed = {}
    for row in rows:
        if all(row[name] == value for name, value in where.items()):
            table = row["by_distance"]
            least, distracted = table[:, LEAST], table[:, DISTRACTORS] > 0
            chosen = {"near": [least == least.min()], "distracted": [distracted], "clear": [~distracted],
                      "far": [table[:, GREATEST] == table[:, GREATEST].max()],
                      "worst": [least == edge for edge in set(least)]}[bins]
            by_seed[row["seed"]] = min(np.average(table[mask, ACCURACY], weights=table[mask, SENTENCES])
                                       for mask in chosen)
    return by_seed


def beside(tables: list[np.ndarray], distractors: bool) -> np.ndarray:
    """The bins of each run's `by_distance` with, or without, distractors, (runs, bins, 5)."""
    return np.stack([table[(table[:, DISTRACTORS] > 0) == distractors] for table in tables])
