"""What a size costs: time against each size on logarithmic axes, with the exponent of a power law."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from attention_lab.figures import style

ACROSS = 4  # panels of a row


def scaling(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """A panel for each case, of the times of its values.

    Args:
      rows: "case", the axis; "way", its value; "step_ms", lower quartile, median and upper quartile;
        "exponent", low, mean and high, the same in every row of a case, or None.
    Raises:
      ValueError: no rows.
    """
    cases = list(dict.fromkeys(row["case"] for row in rows))
    if not cases:
        raise ValueError("rows is empty; there is nothing to draw")
    down = -(-len(cases) // ACROSS)
    with style.look():
        figure = style.figure(2.1 * ACROSS, 2.2 * down, layout="constrained")
        panels = figure.subplots(down, ACROSS, squeeze=False).ravel()
        for axes, case in zip(panels, cases):
            here = [row for row in rows if row["case"] == case]
            values = [float(row["way"]) for row in here]
            low, median, high = zip(*(row["step_ms"] for row in here))
            axes.fill_between(values, low, high, color=style.BLUE, alpha=0.2, linewidth=0)
            axes.plot(values, median, color=style.BLUE, marker="o", markersize=3.5)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xticks(values, [row["way"] for row in here])
            axes.xaxis.set_minor_locator(NullLocator())
            style.plain_log(axes.yaxis)
            axes.set_xlabel(case)
            axes.grid(axis="y")
            if fit := here[0]["exponent"]:
                axes.set_title(f"exponent {fit[1]:.2f}\n({fit[0]:.2f} to {fit[2]:.2f})")
        for axes in panels[::ACROSS]:
            axes.set_ylabel("ms per training step")
        for axes in panels[len(cases):]:
            axes.set_axis_off()
    return figure
