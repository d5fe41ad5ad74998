"""Double dissociations of heads: what two kinds of choices lose without each, by half of the sentences."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from attention_lab.analysis.head_roles import EVEN, ODD, Dissociation, dissociation
from attention_lab.figures import style
from attention_lab.studies.recipes.drawing import draw_seeds
from attention_lab.studies.values import Function, Rows, function

PERCENT = 100.0


def points(log_odds: np.ndarray) -> np.ndarray:
    """100 where the right form is preferred, else 0: a mean of it is in points of accuracy."""
    return PERCENT * (log_odds > 0)


def lost(whole: np.ndarray, without: np.ndarray, sentence: np.ndarray) -> list[float]:
    """Mean of what choices lose, in sentences of even index and of odd index; 0 in a half that has none."""
    return [float((whole - without)[sentence % 2 == half].mean()) if (sentence % 2 == half).any() else 0.0
            for half in (EVEN, ODD)]


def of_row(row: Mapping[str, Any], column: str) -> Dissociation:
    """The double dissociation of a seed; the column is of losses, (2 kinds, 2 halves, heads)."""
    return dissociation(row[column][:, EVEN], row[column][:, ODD])


def crossed(part: str, lost: str = "odds_mean") -> Function:
    """The value of a claim on `dissociated`; lost: the column of what choices lose without each head."""
    return function("dissociated", part=part, lost=lost)


def dissociated(*kinds: str) -> Callable[..., dict[int, float]]:
    """The function "dissociated" of a study with these two kinds of choices.

    By seed: what the kind `part` loses without its head beyond what it loses without the other's or, for the
    part "beyond", by how much the sum of both is above chance. ValueError for another part.
    """
    def of(rows: Rows, part: str, lost: str) -> dict[int, float]:
        index = (*kinds, "beyond").index(part)
        return {seed: each[index] for seed, each in parts(rows, lost).items()}

    return of


def parts(rows: Rows, column: str) -> dict[int, tuple[float, float, float]]:
    """By seed: `in_first`, `in_second` of the dissociation, and by how much their sum is above chance."""
    by_seed = {row["seed"]: of_row(row, column) for row in rows}
    return {seed: (each.in_first, each.in_second, each.crossed - each.chance)
            for seed, each in by_seed.items()}


def draw_crossed(ax: Any, rows: Rows, column: str, kinds: Sequence[str], heads: Sequence[str]) -> None:
    """What both kinds of choices lose without the two picked heads, in the half for scoring.

    kinds: labels of the choices. heads: what each head is picked for.
    """
    picked = [of_row(row, column) for row in rows]
    for x in range(len(kinds)):
        for shift, head, field, colour in zip((-0.15, 0.15), heads, ("first", "second"), style.COLOURS):
            losses = [row[column][x, ODD, getattr(each, field)] for row, each in zip(rows, picked)]
            draw_seeds(ax, x + shift, losses, colour, None if x else f"head picked for {head}", markersize=4)
    ax.set_xticks(range(len(kinds)), kinds)
    ax.set(ylabel="nats lost", title="without the picked heads")
    ax.legend()
