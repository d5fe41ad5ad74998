"""Panels that figures of several studies share: learning curves, and seeds as dots."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def draw_curves(axes: Sequence[Any], curves: Sequence[np.ndarray], arm: str, colour: str) -> None:
    """Mean and range of several runs over the steps, an axes for each column after the steps."""
    curves = [curve for curve in curves if len(curve)]
    if not curves:
        return
    length = min(map(len, curves))
    stack = np.stack([curve[:length] for curve in curves])
    for column, ax in enumerate(axes, 1):
        draw_band(ax, stack[0, :, 0], stack[:, :, column], colour, alpha=0.2, label=arm)
        ax.set_xlabel("optimizer steps")


def draw_band(ax: Any, x: Sequence[float], values: np.ndarray, colour: str, line: str = "-",
              alpha: float = 0.15, **more: Any) -> None:
    """The mean over the first axis of `values` as a line, and the range as a band."""
    ax.plot(x, values.mean(0), line, color=colour, **more)
    ax.fill_between(x, values.min(0), values.max(0), color=colour, alpha=alpha, linewidth=0)


def draw_ranges(ax: Any, x: Sequence[float], values: Sequence[Sequence[float]], colour: str,
                line: str = "o-", markersize: float = 4, linewidth: float = 1.0, **more: Any) -> None:
    """At each x the mean of what the seeds have, and their range as a bar."""
    ax.plot(x, [np.mean(one) for one in values], line, color=colour, markersize=markersize, **more)
    ax.vlines(x, [min(one) for one in values], [max(one) for one in values], color=colour,
              linewidth=linewidth)


def draw_seeds(ax: Any, x: float, values: Sequence[float], colour: str, label: str | None = None,
               half: float = 0.1, markersize: float = 3) -> None:
    """Seeds as dots in one column, and a bar at their mean."""
    ax.plot(np.full(len(values), x), values, "o", color=colour, markersize=markersize, alpha=0.6)
    ax.plot([x - half, x + half], [np.mean(values)] * 2, color=colour, linewidth=2, label=label)


def key_size_axis(ax: Any, sizes: Sequence[int]) -> None:
    """A logarithmic axis of key sizes, each named."""
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.minorticks_off()
    ax.set_xlabel("key size d_k")
