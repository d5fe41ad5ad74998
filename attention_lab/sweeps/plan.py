"""A sweep as groups of cells: the cells of a group differ in Hyper alone and share one program."""

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab.config import Config, Structure, digest, split
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.sweeps.space import Space, describe

WAYS = ("auto", "measure", "loop", "map", "vmap")  # to run the cells of a group: see `execution`


@dataclasses.dataclass(frozen=True)
class Cell:
    """One run of a sweep. Fields: config, complete and checked; overrides of the space, by dotted key."""

    config: Config
    overrides: dict[str, Any] = dataclasses.field(hash=False)

    @property
    def name(self) -> str:
        """The digest of its config, the name of its folder."""
        return digest(self.config)

    def folder(self, parent: str | Path) -> Path:
        """Its run folder."""
        return Path(parent) / self.name


class Group(NamedTuple):
    """Cells of one Structure, in the order of the space."""

    structure: Structure
    cells: tuple[Cell, ...]


def plan(base: Config, space: Space, max_cells: int = 1000) -> list[Group]:
    """The groups of a sweep from a base config, ordered by their first cells in the space.

    Raises:
      ValueError: no cell, more than max_cells, two with the same config, or one that no run could follow.
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
