"""A sweep as groups of cells: the cells of a group differ in Hyper alone and share one program."""

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab.config import Config, Structure, name, split
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.data.content import content_of
from attention_lab.storage.content import Content, folder_of
from attention_lab.sweeps.space import Space, describe

WAYS = ("auto", "measure", "loop", "map", "vmap")  # to run the cells of a group: see `execution`


@dataclasses.dataclass(frozen=True)
class Cell:
    """One run of a sweep.

    Fields:
      config: complete and checked. overrides: of the space, by dotted key. content: of the config's files.
    """

    config: Config
    overrides: dict[str, Any] = dataclasses.field(hash=False)
    content: Content = dataclasses.field(default=Content(), hash=False)

    @classmethod
    def of(cls, base: Config, overrides: dict[str, Any]) -> "Cell":
        """The cell of these overrides; ValueError for an invalid config."""
        config = merge(base, overrides)
        check(config)
        return cls(config, overrides, content_of(config))

    @property
    def name(self) -> str:
        """By its config and the content of its files, as folders are called."""
        return name(self.config, self.content.name)

    def folder(self, parent: str | Path) -> Path:
        """Its run folder; see `folder_of`."""
        return folder_of(parent, self.config, self.content)


class Group(NamedTuple):
    """Cells of one Structure, in the order of the space."""

    structure: Structure
    cells: tuple[Cell, ...]


def plan(base: Config, space: Space, max_cells: int = 1000) -> list[Group]:
    """The groups of a sweep from a base config, ordered by their first cells in the space.

    Raises:
      ValueError: no cell, more than max_cells, two with the same config, or one with an invalid config.
    """
    if not space:
        raise ValueError("the sweep is empty: at least one cell is needed")
    if len(space) > max_cells:
        raise ValueError(f"the sweep has {len(space)} cells; allowed are --max_cells={max_cells}")
    groups: dict[Structure, list[Cell]] = {}
    seen: dict[Any, dict[str, Any]] = {}
    for overrides in space:
        try:
            cell = Cell.of(base, overrides)
        except ValueError as error:
            raise ValueError(f"the cell {describe(overrides)}: {error}") from error
        # Where files can't be read, cells are distinguished by their paths.
        key = cell.config if cell.content.problem else cell.name
        if key in seen:
            same = "config and files of the same content" if cell.content.name else "config"
            raise ValueError(f"the cells {describe(seen[key])} and {describe(overrides)} come to the same "
                             f"{same}")
        seen[key] = overrides
        groups.setdefault(split(cell.config)[0], []).append(cell)
    return [Group(structure, tuple(cells)) for structure, cells in groups.items()]
