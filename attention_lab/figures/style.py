"""One look for all figures, and one way to save them.

Figures are made without pyplot, so that drawing opens no window, keeps nothing alive and leaves the
caller's settings alone.
"""

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from attention_lab.figures.labels import FAMILY
from attention_lab.storage.files import write_bytes

DPI = 150
LARGEST = 6000  # dots of a side

# Okabe & Ito (2008): told apart with any kind of colour vision, and in print.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, AMBER, YELLOW, INK = "#56B4E9", "#E69F00", "#F0E442", "#222222"
COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, AMBER, INK)
FAINT = "#B8B8B8"

_LOOK = {
    "figure.dpi": DPI, "savefig.dpi": DPI,
    "figure.facecolor": "white", "savefig.facecolor": "white",
    "font.family": FAMILY, "font.size": 9.0,
    "axes.titlesize": 9.5, "axes.labelsize": 9.0, "figure.titlesize": 10.5,
    "xtick.labelsize": 8.5, "ytick.labelsize": 8.5, "legend.fontsize": 8.5,
    "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.edgecolor": INK, "axes.linewidth": 0.7,
    "xtick.major.width": 0.7, "ytick.major.width": 0.7,
    "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": False, "grid.color": "#E4E4E4", "grid.linewidth": 0.6, "axes.axisbelow": True,
    "legend.frameon": False, "lines.linewidth": 1.5,
    "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
    "text.usetex": False,
}


@contextlib.contextmanager
def look(families: Sequence[str] = (FAMILY,)) -> Iterator[None]:
    """Draws with the shared look inside the `with` block, whatever the user's own settings are.

    families: of fonts; a later one draws the letters that those before it lack.
    """
    with matplotlib.rc_context():
        matplotlib.rcParams.update(
            {key: value for key, value in matplotlib.rcParamsDefault.items() if key != "backend"})
        matplotlib.rcParams.update(_LOOK | {"font.family": list(families)})
        yield


def figure(width: float, height: float, layout: str | None = None) -> Figure:
    """An empty figure of so many inches, to be filled inside `look()`."""
    made = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(made)
    return made


def plain_log(axis: Any, ticks: Sequence[float] = (1, 2, 5)) -> None:
    """A logarithmic axis with these ticks of each power of ten, written out: 0.02, 50, 2,000."""
    axis.set_major_locator(LogLocator(subs=ticks))
    axis.set_major_formatter(lambda value, _: f"{value:,g}")
    axis.set_minor_locator(NullLocator())


def save(made: Figure, path: str | os.PathLike) -> None:
    """Writes a PNG of 150 dots per inch in one move; equal figures give equal bytes.

    A figure beyond LARGEST dots has fewer dots per inch.

    Raises:
      ValueError: `path` does not end in .png. OSError: it can't be written.
    """
    path = os.fspath(path)
    if not path.lower().endswith(".png"):
        raise ValueError(f"path={path}: figures are saved as .png")
    content = io.BytesIO()
    dots = min(DPI, LARGEST / max(made.get_size_inches()))
    with look():
        # The margins are cut to what is drawn. No Software entry: it names a version.
        made.savefig(content, format="png", dpi=dots, bbox_inches="tight", pad_inches=0.08,
                     metadata={"Software": None})
    write_bytes(path, content.getvalue())
