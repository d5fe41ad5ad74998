"""Finished runs as arms: groups that differ in given fields alone, each with a score for each seed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab.config import PATHS, all_fields, get
from attention_lab.config.parse import field_of, nearest, parse
from attention_lab.config.values import show
from attention_lab.storage.runs import Run, collect


class Arms(NamedTuple):
    """Arms of a comparison.

    Fields:
      keys: dotted keys of the fields that tell arms apart.
      values: {label: the values of these fields}, in the order of the values; the label is their spelling.
      runs: {label: {seed: finished run}}. scores: {label: {seed: score}}, for runs that have a finite one.
      notices: lines about runs that are not compared.
    """

    keys: tuple[str, ...]
    values: dict[str, dict[str, Any]]
    runs: dict[str, dict[int, Run]]
    scores: dict[str, dict[int, float]]
    notices: list[str]


def read(folders: Sequence[str | Path], arms: Sequence[str], metric: str,
         where: Mapping[str, str] | None = None) -> Arms:
    """Groups the finished runs below some folders.

    Args:
      arms: dotted keys whose values tell the arms apart. metric: a number of result.json.
      where: {dotted key: value as text}; only runs with these values are read.
    Raises:
      ValueError: no such field or metric; an arm that no run varies; runs of one arm that differ in another
        field than the seed, or were trained on other content of the data; or two runs of one arm and seed.
    """
    keys = checked_keys(arms)
    wanted = {key.removeprefix("config."): parse(key.removeprefix("config."), text)
              for key, text in (where or {}).items()}
    runs, notices = [], []
    for folder in folders:
        collected, damaged = collect(folder)
        runs += [run for run in collected
                 if all(get(run.config, key) == value for key, value in wanted.items())]
        notices += damaged
    notices += [f"{run.folder} is unfinished and left out" for run in runs if not run.finished]
    runs = [run for run in runs if run.finished]
    if not runs:
        raise ValueError(f"{', '.join(map(str, folders))}: no finished run"
                         + (" with " + ", ".join(f"{key}={show(value)}" for key, value in wanted.items())
                            if wanted else ""))
    _check_alike(runs, keys)
    by_arm: dict[str, dict[int, Run]] = {}
    values = {}
    for run in sorted(runs, key=lambda run: [_order(get(run.config, key)) for key in keys]):
        label = ", ".join(f"{key}={show(get(run.config, key))}" for key in keys)
        values[label] = {key: get(run.config, key) for key in keys}
        before = by_arm.setdefault(label, {}).setdefault(run.config.seed, run)
        if before is not run:
            raise ValueError(f"{before.folder} and {run.folder} are both {label} with seed "
                             f"{run.config.seed}: one run for each arm and seed is needed")
    if len(by_arm) < 2:
        raise ValueError(f"--arms={','.join(keys)}: all {len(runs)} runs have {next(iter(by_arm))}; "
                         "runs with two values are needed")
    scores = {label: {seed: run.result[metric] for seed, run in sorted(seeds.items()) if _finite(run, metric)}
              for label, seeds in by_arm.items()}
    if not any(scores.values()):
        numbers = sorted({name for run in runs for name in run.result if _finite(run, name)})
        raise ValueError(f"--metric={metric} is in no result.json: there are {', '.join(numbers)}"
                         f"{nearest(metric, numbers)}")
    notices += [f"{run.folder} ({label}, seed {seed}) {run.result['status']} without {metric} and is left out"
                for label, seeds in by_arm.items() for seed, run in seeds.items()
                if seed not in scores[label]]
    return Arms(keys, values, by_arm, scores, notices)


def checked_keys(arms: Sequence[str]) -> tuple[str, ...]:
    """The dotted keys of `arms` without config.; ValueError for one that is no field, or the seed."""
    keys = tuple(key.strip().removeprefix("config.") for key in arms)
    for key in keys:
        field_of(key)
    if "seed" in keys:
        raise ValueError("--arms=config.seed: seeds are what arms are paired by; give another field")
    return keys


def _check_alike(runs: list[Run], keys: Sequence[str]) -> None:
    """ValueError where runs differ in more than arms and seeds."""
    for key, field in all_fields().items():
        if key in keys or key == "seed" or key in PATHS or not field.recorded:
            continue
        values = list(dict.fromkeys(get(run.config, key) for run in runs))
        if len(values) > 1:
            listed = ", ".join(map(show, values[:4])) + (", ..." if len(values) > 4 else "")
            raise ValueError(f"{key} differs between the runs ({listed}): add it to --arms, or choose runs "
                             f"by --where=config.{key}={show(values[0])}")
    texts = {run.facts.get("data", {}).get("sha256"): run.folder for run in runs}
    texts.pop(None, None)
    if len(texts) > 1:
        one, other = list(texts.values())[:2]
        raise ValueError(f"{one} and {other} were trained on different content of their data: runs on the "
                         "same data are needed")


def _finite(run: Run, metric: str) -> bool:
    value = run.result.get(metric)
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _order(value: Any) -> tuple[bool, Any]:
    """A key by which numbers come before text."""
    numeric = isinstance(value, int | float)
    return not numeric, value if numeric else str(value)
