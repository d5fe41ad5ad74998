"""Parts of figures that several studies share: the frame, learning curves, seeds as dots, axes."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from attention_lab.figures import style
from attention_lab.statistics import mean_interval
from attention_lab.studies.values import Rows


def seed_count(rows: Rows) -> int:
    """How many different seeds the rows have."""
    return len({row["seed"] for row in rows})


def ranges_of(rows: Rows) -> str:
    """What marks, bars and bands over these rows are, for a title."""
    return f"mean and range (no interval) of {seed_count(rows)} seeds"


@contextlib.contextmanager
def titled_figure(width: float, height: float, title: str, grid: bool = True) -> Iterator[Figure]:
    """A figure to be filled inside the `with` block; `grid`: horizontal grid lines on all its axes."""
    with style.look():
        figure = style.figure(width, height, layout="constrained")
        yield figure
        for ax in figure.axes if grid else ():
            ax.grid(True, axis="y")
        figure.suptitle(title, parse_math=False)


def draw_curves(axes: Sequence[Any], curves: Sequence[np.ndarray], arm: str, colour: str) -> None:
    """Mean and range of several runs over optimizer steps, one axes per column after the steps."""
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
    """Mean (line) and range (band) over the first axis of `values`."""
    ax.plot(x, values.mean(0), line, color=colour, **more)
    ax.fill_between(x, values.min(0), values.max(0), color=colour, alpha=alpha, linewidth=0)


def draw_ranges(ax: Any, x: Sequence[float], values: Sequence[Sequence[float]], colour: str,
                line: str = "o-", markersize: float = 4, bar_width: float = 1.0, **more: Any) -> None:
    """Mean (marker) and range (bar) of the seeds at each x; values[i] are those at x[i]."""
    ax.plot(x, [np.mean(seeds) for seeds in values], line, color=colour, markersize=markersize, **more)
    ax.vlines(x, [min(seeds) for seeds in values], [max(seeds) for seeds in values], color=colour,
              linewidth=bar_width)


def draw_seeds(ax: Any, x: float, values: Sequence[float], colour: str, label: str | None = None,
               half: float = 0.1, markersize: float = 3) -> None:
    """Seeds as dots in one column, their mean as a bar of half-width `half`."""
    ax.plot(np.full(len(values), x), values, "o", color=colour, markersize=markersize, alpha=0.6)
    ax.plot([x - half, x + half], [np.mean(values)] * 2, color=colour, linewidth=2, label=label)


def draw_estimate(ax: Any, x: float, values: Sequence[float], colour: str, label: str | None = None,
                  half: float = 0.2) -> None:
    """As `draw_seeds`, with the 95 % interval of the mean as a vertical bar; none for a single seed."""
    draw_seeds(ax, x, values, colour, label, half)
    if len(values) > 1:
        ax.vlines(x, *mean_interval(values)[:2], color=colour, linewidth=2)


def draw_unreached(ax: Any, x: float, y: float, count: int, colour: str) -> None:
    """An open arrow for seeds that had not got there by y, with their number; nothing for none."""
    if count:
        ax.plot(x, y, "^", color=colour, markersize=5, markerfacecolor="none")
        ax.annotate(str(count), (x, y), (0, 4), textcoords="offset points", color=colour, fontsize=7,
                    ha="center")


def bin_axis(ax: Any, bins: np.ndarray, low: int, high: int, count: int) -> None:
    """Names bins on the x axis, "LOW to HIGH (COUNT)", from these columns of `bins`."""
    ax.set_xticks(range(len(bins)), [f"{edges[low]:.0f} to {edges[high]:.0f}\n({edges[count]:.0f})"
                                     for edges in bins])


def key_size_axis(ax: Any, sizes: Sequence[int]) -> None:
    """A logarithmic axis of key sizes, one tick each."""
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.minorticks_off()
    ax.set_xlabel("key size d_k")
