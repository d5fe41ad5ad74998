"""How much the test sentences add to the noise of seeds, from predictions that runs keep."""

from collections.abc import Callable, Sequence

import numpy as np

from attention_lab.evaluation.bleu_counts import bleu_counts, bleu_of
from attention_lab.statistics import two_level
from attention_lab.statistics.paired import Interval
from attention_lab.storage import checksums, predictions
from attention_lab.storage.runs import Run


def _bleu(rows: list[dict[str, str]], text: str) -> np.ndarray:
    return bleu_counts([row["translation"] for row in rows], [row["reference"] for row in rows], text)


def _accuracy(rows: list[dict[str, str]], text: str) -> np.ndarray:
    return np.array([[row["found"] == row["class"], 1] for row in rows], np.int64)


# Score -> (counts of each sentence from rows of predictions.tsv, score from their sums, columns it needs).
SCORES: dict[str, tuple[Callable, Callable, set[str]]] = {
    "bleu": (_bleu, bleu_of, {"translation", "reference"}),
    "accuracy": (_accuracy, lambda sums: sums[..., 0] / sums[..., 1], {"found", "class"}),
}


def over_sentences(pairs: Sequence[Sequence[Run]], metric: str) -> Interval | None:
    """Interval of the mean difference of two arms where seeds and sentences are both drawn anew.

    pairs: the runs of two arms, by the same seeds in the same order.

    None where the runs keep no predictions of which the metric is made, or not of the same sentences.
    """
    split, _, score = metric.partition("_")
    if score not in SCORES:
        return None
    counts, of_sums, columns = SCORES[score]
    parts, sources = [], set()
    for run in (run for arm in pairs for run in arm):
        path = run.folder / checksums.PREDICTIONS
        if not path.exists() or run.config.data.split != split:
            return None
        rows = predictions.read(path, as_written=checksums.PREDICTIONS in run.facts.get("files", {}))
        if not rows or not columns <= rows[0].keys():
            return None
        part = counts(rows, run.config.data.text)
        if abs(of_sums(part.sum(0)) - run.result[metric]) > 1e-3 * max(1.0, abs(run.result[metric])):
            return None  # the metric is made otherwise
        parts.append(part)
        sources.add(tuple(row.get("source", row.get("sentence", "")) for row in rows))
    if len(sources) != 1 or len(parts[0]) < 2:
        return None
    half = len(pairs[0])
    both = np.stack([np.stack([parts[i], parts[half + i]], axis=1) for i in range(half)])

    def difference(sums):
        one, other = of_sums(sums[:, 0]), of_sums(sums[:, 1])
        return (one - other)[:, None]
    return two_level(both, difference)[0]
