"""How a run learned: training loss and dev score against steps."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from attention_lab.figures import style

ROUND = [1, 2, 2.5, 5, 10]  # steps between ticks, times a power of ten


def training_curve(steps: Sequence[int], losses: Sequence[float], dev_steps: Sequence[int],
                   dev_scores: Sequence[float], score: str = "dev score", sign: int = 1,
                   best_step: int | None = None) -> Figure:
    """Draws the training loss above the dev score, over the same steps, and marks the best score.

    Values that are not finite leave a gap.

    Args:
      dev_steps, dev_scores: both may be empty; then the loss is drawn alone.
      score: label of its axis, with the unit.
      sign: 1 if a higher score is better, -1 if a lower one is.
      best_step: which of the best scores to mark where there is a tie; None: the earliest.
    Raises:
      ValueError: no steps, or steps and values differ in number.
    """
    steps, losses = _checked("steps", steps, "losses", losses)
    dev_steps, dev_scores = _checked("dev_steps", dev_steps, "dev_scores", dev_scores)
    if not len(steps):
        raise ValueError("steps is empty; there is nothing to draw")
    both = len(dev_steps) > 0
    with style.look():
        figure = style.figure(5.2, 4.3 if both else 2.6, layout="constrained")
        axes = figure.subplots(1 + both, 1, sharex=True, squeeze=False)[:, 0]
        axes[0].plot(steps, losses, color=style.BLUE, marker="o" if len(steps) == 1 else None)
        axes[0].set_ylabel("training loss")
        if both:
            axes[1].plot(dev_steps, dev_scores, color=style.ORANGE, marker="o", markersize=3.5)
            axes[1].set_ylabel(score)
            _mark_best(axes[1], dev_steps, dev_scores, sign, best_step)
        for ax in axes:
            ax.grid(axis="y")
            ax.margins(y=0.12)
            ax.yaxis.set_major_locator(MaxNLocator(5, steps=ROUND))
        last = axes[-1]
        last.set_xlim(0, 1.02 * max(steps.max(), dev_steps.max(initial=0), 1))
        last.xaxis.set_major_locator(MaxNLocator(7, steps=ROUND, integer=True))
        last.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        last.set_xlabel("optimizer steps")
        figure.align_ylabels(axes)
    return figure


def _mark_best(ax: Axes, steps: np.ndarray, scores: np.ndarray, sign: int, best_step: int | None) -> None:
    """A ring round the best score, of a tie that of `best_step` or the earliest, and its value as text."""
    ranked = np.where(np.isfinite(scores), sign * scores, -np.inf)
    best = int(np.lexsort((steps != best_step, -ranked))[0])
    if ranked[best] == -np.inf:
        return
    ax.plot(steps[best], scores[best], marker="o", markersize=8, markerfacecolor="none",
            markeredgecolor=style.INK, markeredgewidth=0.9, linestyle="")
    # In the corner that an improving curve leaves empty.
    ax.text(0.99, 0.06 if sign > 0 else 0.94, f"best: {scores[best]:.4g} at step {steps[best]:,.0f}",
            transform=ax.transAxes, ha="right", va="bottom" if sign > 0 else "top", fontsize=8.5)


def _checked(first: str, steps: Sequence, second: str, values: Sequence) -> tuple[np.ndarray, np.ndarray]:
    steps, values = np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if steps.shape != values.shape or steps.ndim != 1:
        raise ValueError(f"{first} {steps.shape} and {second} {values.shape} must be two rows of one length")
    return steps, values
