"""Multi-query recall in studies: the lead of an arm, and what answers that look nothing up would score."""

import math
from typing import Any

from attention_lab.data.synthetic import recall
from attention_lab.figures import style
from attention_lab.studies.values import Nearest, Rows, Sum, difference

RIGHT = 0.9  # accuracy that counts as recall


def lead(arm: str, other: str, size: int | Nearest) -> Sum:
    """Test accuracy of an arm minus another's at a key size; a run that diverged counts as 0."""
    return difference("test_accuracy", arm, other, missing=0.0, stage="final", key_size=size)


def floors(data: Any) -> dict[str, float]:
    """Accuracy of answers that look nothing up, on the test sequences of a config's `data`, by name."""
    answers = recall.sequences(data.test_size, data.pairs, data.vocabulary_size, data.corpus_seed,
                               "test").target[:, -data.pairs:]
    alike = (answers[:, :, None] == answers[:, None, :]).mean(axis=2)  # share of the pairs with this value
    return {"most frequent value of the sequence": float(alike.max(axis=1).mean()),
            "one of its values at random": float(alike.mean())}


def draw_floors(ax: Any, data: Any) -> None:
    """A line at each of `floors`, named in the legend."""
    for (name, level), line in zip(floors(data).items(), ("--", ":")):
        ax.axhline(level, color=style.INK, linestyle=line, linewidth=0.9, label=f"{name}: {level:.3f}")


def width_needed(rows: Rows, arm: str, pairs: int, seed: int) -> float:
    """log2 of the width from which on RIGHT of the answers are right, interpolated between two widths.

    The smallest width if that is enough; twice the largest if none is.
    """
    points = sorted((math.log2(row["width"]), row["test_accuracy"] or 0.0) for row in rows
                    if (row["stage"], row["arm"], row["pairs"], row["seed"]) == ("final", arm, pairs, seed))
    last = None
    for width, score in points:
        if score >= RIGHT:
            return width if last is None else width - (width - last[0]) * (score - RIGHT) / (score - last[1])
        last = width, score
    return points[-1][0] + 1.0
