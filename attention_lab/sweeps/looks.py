"""Looks at a sweep's arms after so many seeds, planned before its runs and kept beside them.

Whoever compares these runs later is bound by the plan: p values and intervals are those of all looks.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from attention_lab.config import PATHS
from attention_lab.statistics.sequential import least_p, looks, shares
from attention_lab.statistics.verdicts import ALPHA, LEAST
from attention_lab.storage.files import read_json, short_digest, write_json
from attention_lab.storage.runs import Run
from attention_lab.sweeps.plan import Cell, Group

SPELLING = "8..16 (at least 8 seeds, at most 16) is the spelling"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is planned.

    Fields:
      looks: numbers of seeds, which begin with 0. metric, reference, margin: by which the sweep decides.
      runs: names of the folders of all its runs.
    """

    looks: tuple[int, ...]
    metric: str
    reference: str
    margin: float | None
    runs: tuple[str, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of the error rate that each look spends."""
        return shares(self.looks)

    def seeds_at_looks(self, finished: Iterable[int]) -> list[range]:
        """The seeds of each look that has been reached: those whose runs are all finished."""
        finished = set(finished)
        return [range(look) for look in self.looks if finished.issuperset(range(look))]


def parse(text: str) -> tuple[int, int]:
    """The least and the most seeds of `8..16`.

    Raises:
      ValueError: another spelling, fewer than LEAST seeds, or no more at the end than at the beginning.
    """
    try:
        least, most = map(int, text.split(".."))
    except ValueError:
        raise ValueError(f"--seeds={text}: {SPELLING}") from None
    if not LEAST <= least < most:
        raise ValueError(f"--seeds={text}: {SPELLING}, with at least {LEAST} and then more")
    return least, most


def planned(groups: Sequence[Group], seeds: str, metric: str, reference: str, margin: float | None) -> Plan:
    """The plan of a sweep.

    Args:
      groups: of all its arms and seeds. seeds: as `parse` reads them. The others as of `comparison.compare`.
    Raises:
      ValueError: arms that can't be compared, or too few seeds at the first look for so many arms.
    """
    cells = [cell for group in groups for cell in group.cells]
    keys = arm_keys(cells)
    for key in keys:
        if key in PATHS:
            raise ValueError(f"--sweep=config.{key}: runs on different data can't be paired by seeds")
    at = looks(*parse(seeds))
    others = len(cells) // at[-1] - 1
    if others < 1:
        raise ValueError(f"--seeds={seeds} compares arms: give two values, such as "
                         "--sweep=config.attention.scale=inverse_sqrt,1.0")
    spent = ALPHA * shares(at)[0]
    if others * least_p(at[0]) >= spent:
        enough = next((n for n in range(at[0], at[-1]) if others * least_p(n) < ALPHA * n / at[-1]), None)
        raise ValueError(
            f"--seeds={seeds}: {at[0]} seeds can't decide between {others + 1} arms at a first look that may "
            f"spend {spent:.2g} of {ALPHA:g}: --seeds=" + (
                f"{enough}..{at[-1]} can" if enough else f"0:{at[-1]} looks once, at the end"))
    return Plan(at, metric, reference, margin, tuple(sorted(cell.folder("").name for cell in cells)))


def arm_keys(cells: Sequence[Cell]) -> tuple[str, ...]:
    """The fields that tell the arms of a sweep apart."""
    return tuple(dict.fromkeys(key for cell in cells for key in cell.overrides if key != "seed"))


def keep(plan: Plan, folder: Path) -> Path:
    """Writes the plan into the folder of its runs before they begin, or checks the one that is there.

    Raises:
      ValueError: another plan of some of these runs is there, or no plan and a run that is finished.
    """
    content = _plain(plan)
    for path, before in _of_runs(folder, set(plan.runs)):
        for name, given in content.items():
            if before[name] != given:
                both = "" if name == "runs" else f" {before[name]!r}, not {given!r}"
                raise ValueError(f"{path} plans {'other ' * (not both)}{name}{both}: what was planned before "
                                 "the runs holds; give another --workdir for another plan")
        return path
    finished = [name for name in plan.runs if (folder / name / "result.json").exists()]
    if finished:
        raise ValueError(f"{folder / finished[0]} is finished already: looks are planned before there are "
                         "results; give another --workdir")
    path = folder / f"looks-{short_digest(content)}.json"
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, content | {"hash": short_digest(content)})
    return path


def plan_of(runs: Iterable[Run]) -> Plan | None:
    """The plan by which any of these runs was looked at; None if there is none.

    Raises:
      ValueError: a plan that was changed, or plans that differ.
    """
    names: dict[Path, set[str]] = {}
    for run in runs:
        names.setdefault(run.folder.parent, set()).add(run.folder.name)
    plans: dict[Plan, Path] = {}
    for folder, inside in names.items():
        for path, content in _of_runs(folder, inside):
            plans[Plan(**{name: tuple(value) if isinstance(value, list) else value
                          for name, value in content.items()})] = path
    if len({plan.looks for plan in plans}) > 1:
        one, other = list(plans.values())[:2]
        raise ValueError(f"the runs were looked at by two plans, {one} and {other}: compare the runs of one")
    return next(iter(plans), None)


def _plain(plan: Plan) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(plan).items()}


def _of_runs(folder: Path, names: set[str]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The plans in a folder that have one of these runs, with their files."""
    for path in sorted(folder.glob("looks-*.json")):
        content = _read(path)
        if names & set(content["runs"]):
            yield path, content


def _read(path: Path) -> dict[str, Any]:
    stored = read_json(path, {"looks": list, "metric": str, "reference": str, "runs": list, "hash": str})
    content = {name: value for name, value in stored.items() if name != "hash"}
    if short_digest(content) != stored["hash"]:
        raise ValueError(f"{path} was changed after it was written: its content does not match its hash")
    return content
