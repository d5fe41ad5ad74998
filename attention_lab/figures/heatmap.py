"""Heat maps of cross-attention and the gold alignment, after Bahdanau et al. (2015), figure 3."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PatchCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from attention_lab.figures import labels, style

# 0 is the paper's white. Lightness falls evenly, for print in grey, and ends where the gold squares are still
# visible.
COLOURS = LinearSegmentedColormap.from_list(
    "weights", ["#FFFFFF", "#C9DFF0", "#7FB5DA", "#3A83BE", "#0B4F8F"])

# Inches.
LARGEST_CELL, SMALLEST_CELL, LONGEST_SIDE = 0.34, 0.19, 6.0
GAP, PANEL_TITLE, TITLE, LEGEND = 0.3, 0.26, 0.32, 0.36
BAR_GAP, BAR_WIDTH, BAR_ROOM, SHORT_BAR, LONG_BAR = 0.22, 0.13, 0.65, 1.3, 2.4
LABEL_PAD = 0.06

MOST = 100  # words of a side that are drawn
LONGEST_TITLE, TITLE_POINTS = 80, 9.5  # letters; as in the look


class Panel(NamedTuple):
    """One heat map.

    Fields:
      weights: (T, S), a row for each target word; 0 to 1.
      source, target: S and T words.
      links: gold links (source index, target index), drawn as open squares.
      title: such as "layer 2, head 1".
    """

    weights: np.ndarray
    source: Sequence[str]
    target: Sequence[str]
    links: Iterable[tuple[int, int]] = ()
    title: str = ""


def heat_maps(panels: Sequence[Panel], columns: int = 1, title: str = "", gold: str = "gold alignment"
              ) -> Figure:
    """Draws panels in a grid beside one colour bar: target words downwards, source words on top.

    All cells of a figure are squares of one size, whatever the lengths of its sentences. Of a side with more
    than MOST words the first are drawn, of a long word the first letters; see `labels.legible`.

    Args:
      panels: heat maps, row by row, `columns` of them side by side.
      gold: meaning of the open squares, for the legend.
    Raises:
      ValueError: no panels, weights that do not fit the words or leave 0 to 1, a link off them.
    """
    panels = [_cut(_checked(index, Panel(*panel))) for index, panel in enumerate(panels)]
    if not panels:
        raise ValueError("panels is empty; there is nothing to draw")
    written, families = labels.legible(
        word for panel in panels for word in (*panel.source, *panel.target, *panel.title.split(" ")))
    panels = [panel._replace(
        source=[written[word] for word in panel.source], target=[written[word] for word in panel.target],
        title=labels.shortened(" ".join(map(written.get, panel.title.split(" "))), LONGEST_TITLE))
        for panel in panels]
    columns = min(columns, len(panels))
    grid = [panels[first:first + columns] for first in range(0, len(panels), columns)]

    longest = max(max(panel.weights.shape) for panel in panels)
    cell = float(np.clip(LONGEST_SIDE / longest, SMALLEST_CELL, LARGEST_CELL))
    # 72 points to the inch: words fill about two thirds of their row.
    points = float(np.clip(45 * cell, 7.5, 9.0))
    with style.look(families):
        figure = style.figure(1.0, 1.0)
        in_column = [panels[c::columns] for c in range(columns)]
        over = [[_over(figure, panel, cell) for panel in column] for column in in_column]
        left = [max(_longest_word(figure, [panel.target for panel in column], points), *overs)
                for column, overs in zip(in_column, over)]
        across = [max(cell * len(panel.source) + width for panel, width in zip(column, overs))
                  for column, overs in zip(in_column, over)]
        above = [_longest_word(figure, [panel.source for panel in row], points)
                 + PANEL_TITLE * any(panel.title for panel in row) for row in grid]
        down = [cell * max(len(panel.target) for panel in row) for row in grid]
        has_links = any(panel.links for panel in panels)
        head, foot = TITLE * bool(title), LEGEND * has_links
        map_width = sum(left) + sum(across) + GAP * (columns - 1)
        map_height = max(sum(above) + sum(down) + GAP * (len(grid) - 1), above[0] + SHORT_BAR)
        width, height = map_width + BAR_GAP + BAR_WIDTH + BAR_ROOM, head + map_height + foot
        figure.set_size_inches(width, height)

        def add_axes(x: float, y: float, wide: float, high: float) -> Axes:
            """Axes at inches from the left and top."""
            return figure.add_axes((x / width, 1 - (y + high) / height, wide / width, high / height))

        for r, row in enumerate(grid):
            for c, panel in enumerate(row):
                x = sum(left[:c + 1]) + sum(across[:c]) + GAP * c
                y = head + sum(above[:r + 1]) + sum(down[:r]) + GAP * r
                heat_map(add_axes(x, y, cell * len(panel.source), cell * len(panel.target)), panel, points)
        room = map_height - above[0]
        bar = float(np.clip(room, SHORT_BAR, LONG_BAR))
        _colour_bar(add_axes(map_width + BAR_GAP, head + above[0] + (room - bar) / 2, BAR_WIDTH, bar))
        middle = (left[0] + map_width) / 2 / width
        if has_links:
            square = Line2D([], [], linestyle="", marker="s", markersize=7.5, label=gold,
                            markerfacecolor="none", markeredgecolor=style.ORANGE, markeredgewidth=1.3)
            figure.legend(handles=[square], loc="lower center", bbox_to_anchor=(middle, 0.0),
                          borderaxespad=0.0, borderpad=0.0, handletextpad=0.2)
        if title:
            figure.suptitle(title, x=middle, y=1.0, va="top", parse_math=False)
    return figure


def heat_map(ax: Axes, panel: Panel, points: float = 8.5) -> None:
    """Draws one panel into `ax`, with words of `points` points; call it inside `style.look()`."""
    target_length, source_length = panel.weights.shape
    ax.imshow(panel.weights, cmap=COLOURS, vmin=0.0, vmax=1.0, aspect="auto", interpolation="nearest")
    # parse_math=False: a word may contain a dollar sign.
    ax.set_xticks(range(source_length), panel.source, rotation=90, fontsize=points, parse_math=False)
    ax.set_yticks(range(target_length), panel.target, fontsize=points, parse_math=False)
    # Thin lines between the cells lead the eye from a word to its weight.
    ax.set_xticks(np.arange(0.5, source_length - 1), minor=True)
    ax.set_yticks(np.arange(0.5, target_length - 1), minor=True)
    ax.grid(which="minor", color="#E9E9E9", linewidth=0.5)
    ax.set_axisbelow(False)
    ax.tick_params(which="both", length=0, pad=3, top=True, labeltop=True, bottom=False, labelbottom=False)
    for spine in ax.spines.values():
        spine.set(visible=True, color=style.FAINT, linewidth=0.7)
    inset = 0.12
    squares = [Rectangle((source - 0.5 + inset, target - 0.5 + inset), 1 - 2 * inset, 1 - 2 * inset)
               for source, target in sorted(set(panel.links))]
    ax.add_collection(PatchCollection(squares, facecolor="none", edgecolor=style.ORANGE,
                                      linewidth=1.3, zorder=3), autolim=False)
    if panel.title:
        ax.set_title(panel.title, parse_math=False, pad=6)


def _colour_bar(ax: Axes) -> None:
    scale = ScalarMappable(Normalize(0.0, 1.0), COLOURS)
    bar = ax.figure.colorbar(scale, cax=ax, label="attention weight", ticks=[0.0, 0.25, 0.5, 0.75, 1.0])
    bar.outline.set(edgecolor=style.FAINT, linewidth=0.7)
    ax.tick_params(length=2.5)
    ax.yaxis.set_minor_locator(NullLocator())


def _longest_word(figure: Figure, sentences: Iterable[Sequence[str]], points: float) -> float:
    """Width in inches of the longest of these words as a label."""
    renderer, font = figure.canvas.get_renderer(), FontProperties(size=points)
    widths = [renderer.get_text_width_height_descent(word, font, ismath=False)[0]
              for sentence in sentences for word in sentence]
    return max(widths) / figure.dpi + LABEL_PAD


def _over(figure: Figure, panel: Panel, cell: float) -> float:
    """Inches by which the title of a panel sticks out on either side, where nothing else may be."""
    return max(0.0, (_longest_word(figure, [[panel.title]], TITLE_POINTS) - cell * len(panel.source)) / 2)


def _cut(panel: Panel) -> Panel:
    """The first MOST words of each side; the title says so."""
    sides = [(name, len(words)) for name, words in (("source", panel.source), ("target", panel.target))
             if len(words) > MOST]
    if not sides:
        return panel
    cut = ", ".join(f"the first {MOST} of {count} {name} words" for name, count in sides)
    return Panel(panel.weights[:MOST, :MOST], panel.source[:MOST], panel.target[:MOST],
                 tuple(link for link in panel.links if max(link) < MOST), f"{panel.title} ({cut})".strip())


def _checked(index: int, panel: Panel) -> Panel:
    weights = np.asarray(panel.weights, dtype=np.float64)
    shape = (len(panel.target), len(panel.source))
    if weights.shape != shape or 0 in shape:
        raise ValueError(f"panels[{index}]: weights {weights.shape} do not fit {shape[0]} target "
                         f"and {shape[1]} source words")
    # A sum of float32 or bfloat16 weights may exceed 1 by rounding.
    if not (np.isfinite(weights).all() and weights.min() >= 0 and weights.max() <= 1.01):
        raise ValueError(f"panels[{index}]: weights must lie between 0 and 1; they span "
                         f"{weights.min():.3g} to {weights.max():.3g}")
    links = tuple(panel.links)
    for source, target in links:
        if not (0 <= source < shape[1] and 0 <= target < shape[0]):
            raise ValueError(f"panels[{index}]: link {(source, target)} is off the words")
    return panel._replace(weights=weights, links=links)
