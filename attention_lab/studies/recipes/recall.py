"""Multi-query recall in studies: the lead of an arm, and what answers that look nothing up would score."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from attention_lab.data.synthetic import recall
from attention_lab.figures import style
from attention_lab.studies.recipes.drawing import draw_ranges
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
    """log2 of the first width at which RIGHT of the answers are right, interpolated between two widths.

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


def final_seeds(rows: Rows) -> list[int]:
    """The seeds of the final runs."""
    return sorted({row["seed"] for row in rows if row["stage"] == "final"})


def pairs_of(rows: Rows) -> list[int]:
    """The numbers of pairs, of the rows that have one."""
    return sorted({row["pairs"] for row in rows if row["pairs"] is not None})


def slope_of_width(rows: Rows, arm: str) -> dict[int, float]:
    """The slope of log2 of the width needed on log2 of the pairs, by seed; without noise of rounding."""
    pairs = pairs_of(rows)
    needed = {seed: [width_needed(rows, arm, many, seed) for many in pairs] for seed in final_seeds(rows)}
    slopes = {seed: np.polyfit(np.log2(pairs), widths, 1)[0] for seed, widths in needed.items()}
    return {seed: round(float(slope), 9) for seed, slope in slopes.items()}


def width_ratio(rows: Rows, arm: str, other: str) -> dict[int, float]:
    """log2 of the ratio of the widths that two arms need at the most pairs, by seed."""
    most = pairs_of(rows)[-1]
    return {seed: width_needed(rows, arm, most, seed) - width_needed(rows, other, most, seed)
            for seed in final_seeds(rows)}


def draw_needed(ax: Any, rows: Rows, colours: Mapping[str, str]) -> None:
    """The width needed over the pairs, of each arm that has a colour."""
    pairs = pairs_of(rows)
    for arm, colour in colours.items():
        needed = [[2.0 ** width_needed(rows, arm, many, seed) for seed in final_seeds(rows)]
                  for many in pairs]
        draw_ranges(ax, pairs, needed, colour, label=arm)
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.set(xlabel="pairs", ylabel=f"width for {RIGHT:.0%} (twice the largest: none)")
    ax.set_xticks(pairs, [str(many) for many in pairs])
    ax.legend()


def draw_widths(ax: Any, rows: Rows, colours: Mapping[str, str]) -> None:
    """Test accuracy over width, of each arm that has a colour; a line at RIGHT."""
    widths = sorted({row["width"] for row in rows})
    for arm, colour in colours.items():
        scores: dict[int, list[float]] = {}
        for row in rows:
            if row["arm"] == arm:
                scores.setdefault(row["width"], []).append(row["test_accuracy"] or 0.0)
        if scores:
            draw_ranges(ax, sorted(scores), [scores[size] for size in sorted(scores)], colour, label=arm)
    ax.set_xscale("log", base=2)
    ax.set_xticks(widths, [str(size) for size in widths])
    ax.axhline(RIGHT, color=style.FAINT, zorder=0)
