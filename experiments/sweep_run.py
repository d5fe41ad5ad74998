"""What `sweep` does once its flags are read: plan, run here or by workers, table."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from attention_lab.config import digest
from attention_lab.config.rules import show
from attention_lab.config.sources import score_names
from attention_lab.storage.files import read_json
from attention_lab.sweeps import worker
from attention_lab.sweeps.cell import Outcome, Shared
from attention_lab.sweeps.execution import execute, steps_of
from attention_lab.sweeps.plan import Group, plan
from attention_lab.sweeps.queue import Queue
from attention_lab.sweeps.search import Search
from attention_lab.sweeps.space import describe
from attention_lab.sweeps.storage import storage_errors
from attention_lab.tasks import build
from attention_lab.training.estimate import estimate
from attention_lab.training.progress import progress
from experiments import fleet
from experiments.flags import Options
from experiments.sweep import cells, say


def parent(options: Options) -> Path:
    """The folder of the cells' folders: `train` finds the same runs there."""
    return Path(options.workdir or Path("runs") / options.experiment)


def sweep(options: Options, groups: list[Group]) -> int:
    """Runs the cells in this process."""
    check_results(groups, parent(options))
    steps = [steps_of(group, build) for group in groups]
    with progress(None if None in steps else sum(steps), str(parent(options))) as line:
        outcomes = execute(groups, parent(options), Shared(build), options.command, line, say, options.how)
    return report(outcomes, options.command)


def share(options: Options, groups: list[Group]) -> int:
    """Runs the cells by workers that take them from a queue."""
    check_results(groups, parent(options))
    return report(by_workers(options, groups, parent(options), say), options.command)


def check_results(groups: list[Group], folder: Path) -> None:
    """ValueError for a result that can't be read, before anything is run."""
    for group in groups:
        for cell in group.cells:
            path = cell.folder(folder) / "result.json"
            try:
                if path.exists():
                    read_json(path)
            except ValueError as error:
                raise ValueError(f"{error}; to run the cell anew, move {path.parent} away") from error


def by_workers(options: Options, groups: list[Group], folder: Path, tell) -> list[Outcome]:
    """Has the cells run by `options.workers` processes; what became of each, in the order of the plan."""
    names = sorted(cell.name for group in groups for cell in group.cells)
    place = options.storage or str(folder / f"{_digest(names)}.journal")
    with storage_errors(place):
        queue = Queue(place, _digest(names), digest(options.config), options.lease)
        queue.fill(groups, folder)
        steps = [steps_of(group, build) for group in groups]
        with progress(None if None in steps else sum(steps), str(folder)) as line:
            fleet.watch(queue, starter(options, place, folder), options.workers, line, tell)
        # Of a cell that was handed out several times, what counts is that it finished, or how it ended last.
        known = [trial for trial in queue.trials() if "double" not in trial.user_attrs]
        trials = {trial.user_attrs["cell"]: trial for trial in sorted(
            known, key=lambda trial: (trial.state == TrialState.COMPLETE, trial.number))}
    return [Outcome(cell, cell.folder(folder), trials[cell.name].user_attrs.get("result"),
                    trials[cell.name].user_attrs.get("error", "no worker was left to run it"))
            for group in groups for cell in group.cells]


def search(options: Options) -> int:
    """Proposes and runs cells, prints them and the best."""
    goal = {"sampler": options.search, "axes": list(options.sweep),
            "metric": options.maximize or options.minimize,
            "sign": 1.0 if options.maximize else -1.0, "seed": options.config.seed}
    Search.of(goal)
    if options.dry_run:
        numbers = estimate(build(options.config), options.config)
        for name, value in {"trials": options.trials, **numbers}.items():
            print(f"{name}\t{show(value)}")
        return 0
    folder = parent(options)
    name = _digest([goal, digest(options.config)])
    place = options.storage or str(folder / f"{name}.journal")
    with storage_errors(place):
        queue = Queue(place, name, digest(options.config), options.lease, goal)
        queue.fill_search(options.trials)
        steps = options.config.training.steps
        with progress(steps and steps * options.trials, str(folder)) as line:
            fleet.watch(queue, starter(options, place, folder), options.workers, line, say)
        return _report_search(options, queue.trials(), goal)


def join(options: Options) -> int:
    """Takes work from a sweep that another process has begun."""
    if "://" not in options.storage and not Path(options.storage).exists():
        raise ValueError(f"--storage={options.storage} is not there, so there is no sweep to join: begin it "
                         "by the same command with --sweep and without --join")
    name = ""
    if (options.sweep or options.seeds) and not options.search:
        groups = plan(options.config, cells(options), options.max_cells)
        name = _digest(sorted(cell.name for group in groups for cell in group.cells))
    with storage_errors(options.storage):
        queue = Queue(options.storage, name, digest(options.config), options.lease)
        worker.work(queue, options.config, parent(options), Shared(build), options.command, say)
    return 0


def starter(options: Options, place: str, folder: Path):
    """number -> a worker of the launcher that was asked for."""
    command = fleet.worker_command(options.file, options.given, folder, place, options.lease)
    if options.launcher == "process":
        cores = fleet.shares(options.workers)
        return lambda number: fleet.Process(command, folder / "workers" / f"{os.getpid()}-{number}.log",
                                            cores[number])
    extra = {name: int(value) if value.isdigit() else value for name, _, value in (
        part.partition("=") for part in options.launcher_options.split(",") if part)}
    return lambda number: fleet.Job(command, folder / "workers", options.launcher, extra)


def report(outcomes: list[Outcome], command: str) -> int:
    """Prints a line for each cell, and tells how to repeat those that failed."""
    for outcome in outcomes:
        result = outcome.result or {"status": "failed"}
        print("\t".join([str(outcome.folder), describe(outcome.cell.overrides), *_numbers(result)]))
    failed = [outcome for outcome in outcomes if outcome.result is None]
    for outcome in failed:
        say(f"{describe(outcome.cell.overrides)} failed: {outcome.error}")
    if failed:
        say(f"{len(failed)} of {len(outcomes)} cells failed; to run them again: {command}")
    # A cell that another process runs is the user's to sort out, as other mistakes are.
    return (2 if all(outcome.in_use for outcome in failed) else 1) if failed else 0


def _report_search(options, trials, goal) -> int:
    ended = [one for one in trials if "result" in one.user_attrs]
    for one in ended:
        spelled = " ".join(f"--config.{key}={text}" for key, text in one.user_attrs["overrides"].items())
        numbers = _numbers(one.user_attrs["result"], goal["metric"])
        print("\t".join([one.user_attrs["folder"], spelled, *numbers]))
    failed = [one for one in trials if "error" in one.user_attrs]
    for one in failed:
        say(f"trial {one.number} failed: {one.user_attrs['error']}")
    scored = [one for one in ended if one.state == TrialState.COMPLETE]
    if scored:
        best = max(scored, key=lambda one: (one.values[0], -one.number))
        print(f"best\t{best.user_attrs['folder']}\t{goal['metric']}={goal['sign'] * best.values[0]:.6g}")
    if failed:
        say(f"{len(failed)} of {options.trials} trials failed; to run others in their place: "
            f"{options.command}")
    return 1 if failed else 0


def _numbers(result: Mapping[str, Any], metric: str = "") -> list[str]:
    wanted = (*score_names(), "train_seconds", metric)
    return [result["status"], *(f"{name}={value:.6g}" for name, value in result.items() if name in wanted)]


def dry_run(options: Options, groups: list[Group]) -> int:
    """Prints cells and programs with estimates; writes and compiles nothing."""
    minutes = 0.0
    for number, group in enumerate(groups):
        config = group.cells[0].config
        numbers = estimate(build(config), config)
        minutes += (numbers["minutes"] or 0.0) * len(group.cells)
        print("\t".join([f"program {number}", f"{len(group.cells)} cells"]
                        + [f"{name}={show(value)}" for name, value in numbers.items()]))
        for cell in group.cells:
            print("\t".join([str(cell.folder(parent(options))), describe(cell.overrides)]))
    count = sum(len(group.cells) for group in groups)
    print(f"cells\t{count}\nprograms\t{len(groups)}\nminutes\t{minutes:.2g}")
    return 0


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
