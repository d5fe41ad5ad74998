"""What `sweep` does once its flags are read: plan, run here or by workers, table."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from attention_lab.config import digest
from attention_lab.config.load import load_sweep
from attention_lab.config.rules import show
from attention_lab.config.sources import score_names
from attention_lab.storage.files import read_json
from attention_lab.sweeps import launch, space, worker
from attention_lab.sweeps.cell import Outcome, Shared
from attention_lab.sweeps.execution import execute, total_steps
from attention_lab.sweeps.plan import Group, plan
from attention_lab.sweeps.queue import Queue
from attention_lab.sweeps.search import Search
from attention_lab.sweeps.space import describe
from attention_lab.sweeps.storage import storage_errors
from attention_lab.tasks import build
from attention_lab.training.estimate import estimate
from attention_lab.training.progress import progress
from experiments.flags import Options, say


def main(options: Options) -> int:
    """Runs what is not finished, prints a table; status 1 where a cell failed."""
    if options.join:
        return join(options)
    if options.search:
        return search(options)
    groups = plan(options.config, cells(options), options.max_cells)
    if options.dry_run:
        return dry_run(options, groups)
    check_results(groups, parent(options))
    alone = options.workers == 1 and not options.storage and options.launcher == "process"
    outcomes = run_here(options, groups) if alone else launch.run_groups(
        groups, options.config, parent(options), workers(options), build, say)
    return report(outcomes, options.command)


def cells(options: Options) -> space.Space:
    """The space that the flags spell, or the one beside the config."""
    axes = [space.parse_axis(text) for text in options.sweep]
    if options.seeds:
        axes.append(space.parse_seeds(options.seeds))
    if axes:
        return space.product(*axes)
    beside = load_sweep(options.file)
    if beside is None:
        raise ValueError(f"nothing is swept: give --sweep=config.KEY=VALUE,VALUE or --seeds=0:8, or "
                         f"write get_sweep() into {options.file.partition(':')[0]}")
    return beside


def parent(options: Options) -> Path:
    """The folder of the cells' folders: `train` finds the same runs there."""
    return Path(options.workdir or Path("runs") / options.experiment)


def run_here(options: Options, groups: list[Group]) -> list[Outcome]:
    """Runs the cells in this process."""
    with progress(total_steps(groups, build), str(parent(options))) as line:
        return execute(groups, parent(options), Shared(build), options.command, line, say, options.how)


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


def workers(options: Options) -> launch.Workers:
    """How the workers that the flags ask for are started."""
    settings = {name: int(value) if value.isdigit() else value for name, _, value in (
        part.partition("=") for part in options.launcher_options.split(",") if part)}
    return launch.Workers(join_command(options.file, options.given, options.lease), options.workers,
                          options.launcher, settings, options.storage, options.lease)


def join_command(file: str, given: Sequence[tuple[str, str]], lease: float = 60.0
                 ) -> Callable[[str, Path], list[str]]:
    """(storage, folder) -> the command that takes work from the sweep of a config, `given` put in."""
    return lambda storage, folder: [
        sys.executable, "-m", "experiments.sweep", f"--config={file}",
        *(f"--config.{key}={text}" for key, text in given),
        f"--workdir={folder}", f"--storage={storage}", f"--lease={lease}", "--join"]


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
    name = launch.sha256_name([goal, digest(options.config)])
    storage = options.storage or str(folder / f"{name}.journal")
    with storage_errors(storage):
        queue = Queue(storage, name, digest(options.config), options.lease, goal)
        queue.fill_search(options.trials)
        steps = options.config.training.steps
        with progress(steps and steps * options.trials, str(folder)) as line:
            start = launch.starter(workers(options), storage, folder)
            launch.watch(queue, start, options.workers, line, say)
        return _report_search(options, queue.trials(), goal)


def join(options: Options) -> int:
    """Takes work from a sweep that another process has begun."""
    if "://" not in options.storage and not Path(options.storage).exists():
        raise ValueError(f"--storage={options.storage} is not there, so there is no sweep to join: begin it "
                         "by the same command with --sweep and without --join")
    name = ""
    if (options.sweep or options.seeds) and not options.search:
        groups = plan(options.config, cells(options), options.max_cells)
        name = launch.name_of(groups)
    with storage_errors(options.storage):
        queue = Queue(options.storage, name, digest(options.config), options.lease)
        worker.work(queue, options.config, parent(options), Shared(build), options.command, say)
    return 0


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
