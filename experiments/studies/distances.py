"""Accuracy by the distance of the deciding word, which a row of a study holds as one text."""


def scored(run, test):
    """Accuracy as "least:greatest:distractors:sentences:accuracy;..."."""
    import csv

    from attention_lab.evaluation.classes import by_distance
    from attention_lab.tasks.classification.task import DISTANCES
    with open(run / "predictions.tsv", encoding="utf-8", newline="") as file:
        found = [row["found"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    counts = [len(sentence.senses[0].distractors) for sentence in test.truth]
    parts = []
    for count in sorted(set(counts)):
        own = [i for i, one in enumerate(counts) if one == count]
        some = test.select(own)
        scored = by_distance(some.truth, some.label, [found[i] for i in own], DISTANCES)
        parts += [f"{low}:{high}:{count}:{sentences}:{accuracy:.6f}"
                  for (low, high), (accuracy, sentences) in scored.items()]
    return ";".join(parts)


def table(row):
    """What the text of a row holds: (bins, 5) of least, greatest, distractors, sentences, accuracy."""
    import numpy as np
    return np.array([[float(x) for x in part.split(":")] for part in row["by_distance"].split(";")])


def accuracy(row, where=None):
    """Accuracy over the bins that `where` picks, a function of the table of `table`; None: all."""
    import numpy as np
    bins = table(row)
    bins = bins if where is None else bins[where(bins)]
    return float(np.average(bins[:, 4], weights=bins[:, 3]))


def nearest(bins):
    """The bins of least distance."""
    return bins[:, 0] == bins[:, 0].min()


def farthest(bins):
    """The bins of greatest distance."""
    return bins[:, 0] == bins[:, 0].max()


def distracted(bins):
    """The bins in which a distractor stands."""
    return bins[:, 2] > 0
