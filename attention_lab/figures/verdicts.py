"""All verdicts on one page: a block for each study, a box for each claim in the colour of its verdict."""

import math
import textwrap
from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from attention_lab.figures import style

COLOURS = {"supported": style.GREEN, "refuted": style.ORANGE, "inconclusive": style.FAINT}
PER_LINE = 8  # boxes; a study with more has several lines
WIDTH, HEIGHT = 0.76, 0.38  # of a box with its margin, inches
SPACE = 0.25  # between studies, boxes
FILLED, PALE = 0.85, 0.22  # opacity of a primary claim's box, and of an exploratory one's


def verdict_grid(studies: Mapping[str, Mapping[str, Any]], declared: Mapping[str, str]) -> Figure:
    """Draws the claims of each study in their order; exploratory ones are pale with a dashed edge.

    Args:
      studies: {name: its verdicts.json}, at least one.
      declared: {name: whether its claims were declared before the results, in a few words}.
    """
    if not studies:
        raise ValueError("studies: at least one is needed")
    heights = [math.ceil(len(study["verdicts"]) / PER_LINE) + SPACE for study in studies.values()]
    with style.look():
        figure = style.figure(WIDTH * PER_LINE + 2.1, HEIGHT * sum(heights) + 0.6, layout="constrained")
        axes = figure.subplots()
        top = 0.0
        for (name, study), height in zip(studies.items(), heights):
            for index, verdict in enumerate(study["verdicts"]):
                line, column = divmod(index, PER_LINE)
                _box(axes, column, top + line, verdict)
            axes.text(-0.12, top + 0.3, name, ha="right", va="center", fontsize=7.5)
            axes.text(-0.12, top + 0.68, textwrap.fill(f"declared: {declared[name]}", 44), ha="right",
                      va="center", fontsize=5.5, linespacing=1.0)
            top += height
        axes.set(xlim=(0, PER_LINE), ylim=(top, 0))
        axes.set_axis_off()
        handles = [Patch(color=colour, alpha=FILLED, label=name) for name, colour in COLOURS.items()]
        handles.append(Patch(facecolor="white", edgecolor=style.INK, linestyle="--", label="exploratory"))
        figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


def _box(axes, column, top, verdict):
    colour, primary = COLOURS[verdict["verdict"]], verdict["primary"]
    place = (column + 0.03, top + 0.05), 0.94, 0.9
    axes.add_patch(Rectangle(*place, color=colour, alpha=FILLED if primary else PALE, linewidth=0))
    if not primary:
        axes.add_patch(Rectangle(*place, fill=False, edgecolor=colour, linestyle="--", linewidth=1.0))
    name = textwrap.fill(verdict["name"].replace("_", " "), 13, break_long_words=False)
    axes.text(column + 0.5, top + 0.5, name, ha="center", va="center", fontsize=6.0, linespacing=0.95)
