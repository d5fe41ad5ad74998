"""Carries out `sweep` with parsed flags: plan, run here or by workers, print a table."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attention_lab.config import Config, digest, get, task_of
from attention_lab.config.counts import counted
from attention_lab.config.load import load_sweep
from attention_lab.config.parse import nearest
from attention_lab.config.registries import TASKS, score_names
from attention_lab.config.values import show
from attention_lab.storage.content import Content, of_other_content
from attention_lab.storage.errors import one_line
from attention_lab.storage.files import read_json
from attention_lab.storage.runs import read_result
from attention_lab.sweeps import launch, looks, space, worker
from attention_lab.sweeps.cell import Outcome, Shared
from attention_lab.sweeps.execution import execute, total_steps
from attention_lab.sweeps.plan import Group, plan
from attention_lab.sweeps.queue import FRESH, Queue, holds
from attention_lab.sweeps.replicates import Replicates, replicates
from attention_lab.sweeps.space import describe
from attention_lab.sweeps.storage import storage_errors
from attention_lab.tasks import build
from attention_lab.training.estimate import estimate
from attention_lab.training.progress import progress
from experiments.flags import Options, say


def main(options: Options) -> int:
    """Runs unfinished cells and prints a table; status 1 if a cell failed."""
    groups = plan(options.config, cells(options), options.max_cells)
    if options.dry_run:
        return dry_run(options, groups)
    folder = parent(options)
    check_results(groups, folder)
    warn_of_changes(groups, folder)
    return report(run(groups, options, folder, Shared(build)), options.command, options.per_seed)


def run(groups: list[Group], options: Options, folder: Path, shared: Shared, part_of: str = ""
        ) -> list[Outcome]:
    """Runs cells here or by workers; part_of: the name of the sweep where these are some of its cells."""
    if options.workers > 1 or options.storage or options.launcher != "process":
        return launch.run_groups(groups, options.config, folder, workers(options), build, say, part_of)
    with progress(total_steps(groups, build), str(folder)) as line:
        return execute(groups, folder, shared, options.command, line, say, options.how)


def cells(options: Options) -> space.Space:
    """The space of the flags, or that of the config file."""
    axes = [space.parse_axis(text) for text in options.sweep]
    if ".." in options.seeds:
        axes.append(space.axis("seed", range(looks.parse(options.seeds)[1])))
    elif options.seeds:
        axes.append(space.parse_seeds(options.seeds))
    if axes:
        return space.product(*axes)
    of_file = load_sweep(options.file)
    if of_file is None:
        raise ValueError(f"nothing is swept: give --sweep=config.KEY=VALUE,VALUE or --seeds=0:8, or "
                         f"write get_sweep() into {options.file.partition(':')[0]}")
    return of_file


def parent(options: Options) -> Path:
    """The parent of the cells' folders, the same as for `train`."""
    return Path(options.workdir or Path("runs") / options.experiment)


def check_metric(flag: str, metric: str, config: Config) -> None:
    """ValueError for a score that runs of this config won't have; a warning for a number of another name."""
    scores = tuple(f"{split}_{score}" for split in dict.fromkeys(("dev", config.data.split))
                   for score in TASKS[task_of(config)]["scores"])
    if metric in score_names() and metric not in scores:
        raise ValueError(f"--{flag}={metric}: runs with data.source={config.data.source} and "
                         f"data.split={config.data.split} have {', '.join(scores)}")
    if metric not in scores:
        say(f"warning: {metric} is not one of the usual scores{nearest(metric, scores)}")


def check_results(groups: list[Group], folder: Path) -> None:
    """ValueError for an unreadable result, before anything is run."""
    for group in groups:
        for cell in group.cells:
            path = cell.folder(folder)
            try:
                if (path / "result.json").exists():
                    read_result(path)
            except ValueError as error:
                raise ValueError(f"{error}; to run the cell anew, move {path} away") from error


def warn_of_changes(groups: list[Group], folder: Path) -> None:
    """Warns of cells that were trained before on files whose content has changed."""
    others = [other for group in groups for cell in group.cells
              for other in of_other_content(folder, cell.config, cell.content)]
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        say(f"warning: the data has changed since {others[0]}{more} was trained: cells are trained anew, in "
            "other folders")


def workers(options: Options) -> launch.Workers:
    """How the workers of the flags are started."""
    settings = {name: int(value) if value.isdigit() else value for name, _, value in (
        part.partition("=") for part in options.launcher_options.split(",") if part)}
    return launch.Workers(join_command(options.file, options.given, options.lease), options.workers,
                          options.launcher, settings, options.storage, options.lease)


def join_command(file: str, given: Sequence[tuple[str, str]], lease: float = 60.0
                 ) -> Callable[[str, Path], list[str]]:
    """(storage, folder) -> the command of a worker for the sweep of a config with the overrides `given`."""
    return lambda storage, folder: [
        sys.executable, "-m", "experiments.sweep", f"--config={file}",
        *(f"--config.{key}={text}" for key, text in given),
        f"--workdir={folder}", f"--storage={storage}", f"--lease={lease}", "--join"]


def join(options: Options) -> int:
    """Takes cells of a sweep that another process has started."""
    if "://" not in options.storage and not Path(options.storage).exists():
        raise ValueError(f"--storage={options.storage} does not exist, so there is no sweep to join: start "
                         "it by the same command with --sweep and without --join")
    name = older = ""
    if (options.sweep or options.seeds) and not options.search:
        groups = plan(options.config, cells(options), options.max_cells)
        name, older = launch.name_of(groups), launch.older_name_of(groups)
    shared, base = Shared(build), options.config
    with storage_errors(options.storage):
        queue = Queue(options.storage, name, digest(base), options.lease, older=older)
        worker.work(queue, base, parent(options), shared, options.command, say)
        if holds(queue.storage, FRESH):
            last = Queue(options.storage, "", digest(base), options.lease, study=FRESH)
            worker.work(last, base, parent(options), shared, options.command, say)
    return 0


def _counts(arm: Replicates) -> list[str]:
    """How many seeds finished, and how many ended otherwise, such as "1 diverged"."""
    finished = arm.statuses["finished"]
    return [counted(finished, "seeds"), *(
        f"{count} {status}" for status, count in arm.statuses.items() if status != "finished")]


def report(outcomes: list[Outcome], command: str, per_seed: bool = False) -> int:
    """Prints a line for each arm (the cells that differ in the seed alone), and how to repeat failed cells.

    A line has the mean over seeds of each score, with its 95 % t interval; where `per_seed`, or where no arm
    has several seeds, there is a line for each cell.

    Cells that were trained on different content of the same files are not tabled together.
    """
    if mixed := of_several_contents(outcomes):
        say(f"{mixed[0]} and {mixed[1]} were trained on different content of the same files, so they are not "
            "tabled together: move one of them away, or give another --workdir")
        return 1
    arms = replicates(outcomes)
    if per_seed or len(arms) == len(outcomes):
        for outcome in outcomes:
            result = outcome.result or {"status": "failed"}
            print("\t".join([str(outcome.folder), describe(outcome.cell.overrides), *_numbers(result)]))
    else:
        for arm in arms:
            print("\t".join([describe(arm.overrides), *_counts(arm),
                             *(f"{name}={mean:.6g} ({low:.6g} to {high:.6g})"
                               for name, (mean, low, high) in arm.means(score_names()).items())]))
    failed = [outcome for outcome in outcomes if outcome.result is None]
    for outcome in failed:
        say(f"{describe(outcome.cell.overrides)} failed: {outcome.error}")
    if failed:
        say(f"{len(failed)} of {len(outcomes)} cells failed; to run them again: {command}")
    # Cells in use by another process are a user error.
    return (2 if all(outcome.in_use for outcome in failed) else 1) if failed else 0


def of_several_contents(outcomes: list[Outcome]) -> list[Path]:
    """Two folders of cells with a result that record different content of the same files; [] if none do."""
    first: dict[Any, tuple[Any, Path]] = {}
    for outcome in outcomes:
        if outcome.result is None or not (outcome.folder / "run.json").exists():
            continue
        recorded = read_json(outcome.folder / "run.json").get("data", {})
        config = outcome.cell.config
        facts = {("data", config.data): recorded.get("sha256")} if outcome.cell.content != Content() else {}
        files = outcome.cell.content.unpacked(recorded.get("files", {}))
        facts |= {(key, get(config, key)): sha256 for key, sha256 in files.items()}
        for named, sha256 in facts.items():
            before, folder = first.setdefault(named, (sha256, outcome.folder))
            if None not in (before, sha256) and before != sha256:
                return [folder, outcome.folder]
    return []


def _numbers(result: Mapping[str, Any]) -> list[str]:
    names = (*score_names(), "train_seconds")
    return [result["status"], *(f"{name}={value:.6g}" for name, value in result.items() if name in names)]


def dry_run(options: Options, groups: list[Group]) -> int:
    """Prints cells and programs with estimates; writes and compiles nothing. Status 1: some can't be run."""
    minutes, status = 0.0, 0
    for number, group in enumerate(groups):
        config = group.cells[0].config
        try:
            numbers = estimate(build(config), config)
        except (ValueError, OSError) as error:
            numbers, status = {"minutes": None, "failed": one_line(error)}, 1
        minutes += (numbers["minutes"] or 0.0) * len(group.cells)
        print("\t".join([f"program {number}", counted(len(group.cells), "cells")]
                        + [f"{name}={show(value)}" for name, value in numbers.items()]))
        for cell in group.cells:
            print("\t".join([str(cell.folder(parent(options))), describe(cell.overrides)]))
    count = sum(len(group.cells) for group in groups)
    print(f"cells\t{count}\nprograms\t{len(groups)}\nminutes\t{minutes:.2g}")
    return status
