"""A sweep as groups of cells: the cells of a group differ in Hyper alone and share one program."""

import dataclasses
from pathlib import Path
from typing import Any

from attention_lab.config import Config, Structure, digest, split
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.sweeps.space import Space, describe

WAYS = ("auto", "measure", "loop", "map", "vmap")  # in which the cells of a group are run: see `execution`


@dataclasses.dataclass(frozen=True)
class Cell:
    """One run of a sweep.

    Fields:
      config: whole and checked. overrides: what the space says, by dotted key.
    """

    config: Config
    overrides: dict[str, Any] = dataclasses.field(hash=False)

    @property
    def name(self) -> str:
        """The name of the cell's folder: the digest of its config."""
        return digest(self.config)

    def folder(self, parent: str | Path) -> Path:
        """Where the cell runs."""
        return Path(parent) / self.name


@dataclasses.dataclass(frozen=True)
class Group:
    """Cells of one Structure, in the order of the space."""

    structure: Structure
    cells: tuple[Cell, ...]


def plan(base: Config, space: Space, max_cells: int = 1000) -> list[Group]:
    """The groups of a sweep, in the order in which the space comes to them.

    Args:
      base: what every cell starts from.
      space: overrides of each cell.
      max_cells: more are refused, lest a slip fill the disk.
    Raises:
      ValueError: no cell, too many, two that come to the same config, or one that no run could follow.
    """
    if not space:
        raise ValueError("the sweep is empty: at least one cell is needed")
    if len(space) > max_cells:
        raise ValueError(f"the sweep has {len(space)} cells; allowed are --max_cells={max_cells}")
    groups: dict[Structure, list[Cell]] = {}
    seen: dict[str, dict[str, Any]] = {}
    for overrides in space:
        cell = Cell(merge(base, overrides), overrides)
        try:
            check(cell.config)
        except ValueError as error:
            raise ValueError(f"the cell {describe(overrides)}: {error}") from error
        if cell.name in seen:
            raise ValueError(f"the cells {describe(seen[cell.name])} and {describe(overrides)} come to the "
                             "same config")
        seen[cell.name] = overrides
        groups.setdefault(split(cell.config)[0], []).append(cell)
    return [Group(structure, tuple(cells)) for structure, cells in groups.items()]
