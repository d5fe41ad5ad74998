"""All claims in one figure: effects with their intervals, coloured by verdict."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from attention_lab.figures import style
from attention_lab.statistics import spelled

COLOURS = {"supported": style.GREEN, "refuted": style.ORANGE, "inconclusive": style.FAINT}


def forest(verdicts: Sequence[Mapping[str, Any]]) -> Figure:
    """Draws a line for each claim, top to bottom in the order given.

    Effects have many units, so each is divided by the end of its own interval that is further from 0
    (or by its margin, where that is wider); the numbers themselves stand at the right. Where seeds were
    too few for an interval, infinite ends, a dotted line says so.

    Args:
      verdicts: each with `study`, `statement`, `effect`, `low`, `high`, `margin` (or None), `primary`,
        `seeds` and `verdict`.
    Raises:
      ValueError: nothing to draw.
    """
    if not verdicts:
        raise ValueError("verdicts: at least one is needed")
    with style.look():
        figure = style.figure(13.0, 1.0 + 0.42 * len(verdicts), layout="constrained")
        axes = figure.subplots()
        places = range(len(verdicts) - 1, -1, -1)
        for place, one in zip(places, verdicts):
            low, high, effect = one["low"], one["high"], one["effect"]
            axes.text(1.14, place, spelled(effect, low, high, one["seeds"]), va="center", fontsize=8)
            if not math.isfinite(low):  # too few seeds for an interval, so there is no unit either
                axes.hlines(place, -1.0, 1.0, color=style.FAINT, linewidth=0.8, linestyle=":")
                continue
            unit = max(abs(low), abs(high), one["margin"] or 0.0) or 1.0
            colour = COLOURS[one["verdict"]]
            if one["margin"]:
                axes.fill_betweenx([place - 0.36, place + 0.36], -one["margin"] / unit, one["margin"] / unit,
                                   color="#EFEFEF", linewidth=0)
            axes.hlines(place, low / unit, high / unit, color=colour, linewidth=2.2)
            axes.plot(effect / unit, place, "o" if one["primary"] else "D", color=colour, markersize=5)
        axes.axvline(0.0, color=style.INK, linewidth=0.7)
        names = [textwrap.fill(f"{one['study']}: {one['statement']}", 64) for one in verdicts]
        axes.set_yticks(list(places), names, fontsize=7.5)
        axes.set(xlim=(-1.08, 1.9), ylim=(-0.7, len(verdicts) - 0.3), xticks=[-1, 0, 1],
                 xlabel="effect, each in its own unit (grey: the margin inside which it counts as none)")
        for name, colour in COLOURS.items():
            axes.plot([], [], "o", color=colour, label=name)
        axes.plot([], [], "D", color=style.INK, label="exploratory")
        figure.legend(loc="outside upper center", ncols=4)
    return figure
