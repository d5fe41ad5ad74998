"""Transformers of constant width with several numbers of heads: their rates, and final runs by number."""

from collections.abc import Sequence
from typing import Any

from attention_lab.figures import style
from attention_lab.studies.recipes import rates
from attention_lab.studies.recipes.drawing import draw_curves, draw_estimate
from attention_lab.studies.values import Rows


def final(rows: Rows, heads: int) -> Rows:
    """The final rows of a number of heads."""
    return [row for row in rows if (row["stage"], row["heads"]) == ("final", heads)]


def draw_heads(ax: Any, rows: Rows, heads: Sequence[int], column: str, label: str) -> None:
    """A column of the final runs over the number of heads: seeds as dots, means with their intervals.

    A run that diverged, whose cell is empty, counts as 0.
    """
    for x, number in enumerate(heads):
        scores = [row[column] or 0.0 for row in final(rows, number)]
        draw_estimate(ax, x, scores, style.BLUE)
    ax.set_xticks(range(len(heads)), heads)
    ax.set(xlabel="heads", ylabel=f"{label}, test")


def best_rates(rows: Rows, **arm: Any) -> dict[float, float]:
    """{rate: mean dev BLEU over the tuning seeds of an arm}; a run that diverged has 0."""
    return rates.by_rate(rows, "dev_bleu", 0.0, **arm)


def draw_rates(ax: Any, rows: Rows, heads: Sequence[int]) -> None:
    """Dev BLEU over the learning rate, of the tuning runs of each number of heads."""
    for number, colour in zip(heads, style.COLOURS):
        scores = best_rates(rows, heads=number)
        ax.plot(list(scores), list(scores.values()), "o-", color=colour, markersize=4,
                label=f"heads: {number}")
    ax.set(xscale="log", xlabel="learning rate, tuning seeds")
    ax.set_xticks(list(scores), [f"{rate:g}" for rate in scores], minor=False)
    ax.minorticks_off()
    ax.legend()


def draw_training(ax: Any, rows: Rows, heads: Sequence[int]) -> None:
    """The learning curves of the final runs, mean and range for each number of heads."""
    for number, colour in zip(heads, style.COLOURS):
        draw_curves([ax], [row["curve"] for row in final(rows, number)], f"heads: {number}", colour)
