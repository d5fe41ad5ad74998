"""All verdicts in one figure: a row for each study, a box for each claim in the colour of its verdict."""

import textwrap
from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from attention_lab.figures import style

COLOURS = {"supported": style.GREEN, "refuted": style.ORANGE, "inconclusive": style.FAINT}
WIDTH, HEIGHT = 0.98, 0.46  # of a box, inches


def verdict_grid(studies: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draws the claims of each study in their order; exploratory ones are paler.

    Args:
      studies: {name: its verdicts.json}, at least one; `changed_since_declared` marks a study whose claims
        are not those declared before the runs.
    """
    if not studies:
        raise ValueError("studies: at least one is needed")
    most = max(len(study["verdicts"]) for study in studies.values())
    with style.look():
        figure = style.figure(WIDTH * most + 2.4, HEIGHT * len(studies) + 0.6, layout="constrained")
        axes = figure.subplots()
        for row, study in enumerate(studies.values()):
            for column, verdict in enumerate(study["verdicts"]):
                axes.add_patch(Rectangle((column, row), 0.95, 0.9, color=COLOURS[verdict["verdict"]],
                                         alpha=0.85 if verdict["primary"] else 0.35, linewidth=0))
                name = textwrap.fill(verdict["name"].replace("_", " "), 13, break_long_words=False)
                axes.text(column + 0.475, row + 0.45, name, ha="center", va="center", fontsize=6.5,
                          linespacing=0.95)
        axes.set(xlim=(0, most), ylim=(len(studies), 0), xticks=[])
        axes.set_yticks([row + 0.45 for row in range(len(studies))], [
            name + " (claims changed)" * bool(study["changed_since_declared"])
            for name, study in studies.items()])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        handles = [Patch(color=colour, alpha=0.85, label=name) for name, colour in COLOURS.items()]
        handles.append(Patch(color=style.INK, alpha=0.3, label="paler: exploratory"))
        figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure
