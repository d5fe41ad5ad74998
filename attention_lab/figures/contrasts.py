"""Arms over paired seeds: a line for each seed, and differences from the reference with their intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from attention_lab.figures import style


def contrasts(metric: str, scores: Mapping[str, Mapping[int, float]], reference: str,
              differences: Sequence[Mapping[str, Any]], margin: float | None = None) -> Figure:
    """Draws the scores of every arm beside the differences from the reference.

    Args:
      scores: {arm: {seed: score}}. reference: one of the arms.
      differences: "arm", "differences" (one for each seed), "mean" and "interval" (low, high) of the others.
      margin: differences nearer to 0 count as equal; drawn as a band.
    """
    names = [reference, *(each["arm"] for each in differences)]
    keys = {name.partition("=")[0] for name in names}
    shared = keys.pop() + "=" if len(keys) == 1 and not any("," in name for name in names) else ""
    labels = [name.removeprefix(shared).replace(", ", "\n") for name in names]
    with style.look():
        figure = style.figure(3.0 + 1.1 * len(names), 3.2, layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=[len(names), max(1, len(differences))])
        for seed in sorted({seed for name in names for seed in scores[name]}):
            y = [scores[name].get(seed, np.nan) for name in names]
            left.plot(range(len(names)), y, color=style.FAINT, linewidth=0.8, zorder=1)
        for x, name in enumerate(names):
            y = list(scores[name].values())
            left.plot([x] * len(y), y, "o", color=style.BLUE, markersize=4)
        left.set_xticks(range(len(names)), labels)
        left.set_ylabel(metric)
        left.set_xlabel(shared.rstrip("="))
        right.axhline(0, color=style.INK, linewidth=0.7)
        if margin:
            right.axhspan(-margin, margin, color=style.FAINT, alpha=0.35, linewidth=0)
        for x, each in enumerate(differences):
            right.plot(x + np.linspace(-0.12, 0.12, len(each["differences"])), each["differences"], "o",
                       color=style.FAINT, markersize=3.5)
            low, high = each["interval"]
            if np.isfinite([low, high]).all():
                right.plot([x, x], [low, high], color=style.ORANGE, linewidth=2)
            right.plot(x, each["mean"], "o", color=style.ORANGE, markersize=5.5)
        right.set_xticks(range(len(differences)), labels[1:])
        right.set_xlim(-0.6, len(differences) - 0.4)
        right.set_ylabel(f"difference from {labels[0]}")
        for axes in (left, right):
            axes.grid(axis="y")
            axes.yaxis.set_major_locator(MaxNLocator(6))
    return figure
