"""Carries out `train` with parsed flags: open the folder, train, score, write the result."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

from attention_lab import tasks
from attention_lab.config import to_dict
from attention_lab.data.content import content_of
from attention_lab.storage import environment, runs
from attention_lab.storage.content import of_other_content
from attention_lab.tasks.train import finish, open_in_group
from attention_lab.training.estimate import estimate
from attention_lab.training.group import ALONE, Group, join
from attention_lab.training.profile import profile
from experiments.flags import Options, say

LARGEST = 10  # operations that --profile prints


def train(options: Options, group: Group = ALONE) -> int:
    """Trains the run of the options unless it is finished, and prints its result.

    Status 1 if it diverged, or if one of its scores failed.
    """
    say_here = say if group.first else lambda line: None
    show = None if group.first else lambda *step, **numbers: None
    with contextlib.closing(opened(options, group, say_here)) as run:
        for warning in run.warnings:
            say_here(f"warning: {warning}")
        if options.profile:
            show_profile(run, options.profile.replace("{run}", str(run.folder)))
        was_finished = run.finished
        result = finish(run, say_here, show, group)
        if was_finished:
            say_here(f"{run.folder} is finished; --rerun trains it again")
    if group.first:
        for name, value in result.items():
            print(f"{name}\t{value}")
    return 0 if result["status"] == "finished" and "failed" not in result else 1


def opened(options: Options, group: Group, say_here: Callable[[str], None]) -> runs.Run:
    """The run of the options, opened by the first process."""
    config = options.config
    content = group.agreed(lambda: content_of(config))
    folder = Path(options.workdir or runs.default_folder(options.experiment, config, content))
    for other in [] if options.workdir else of_other_content(folder.parent, config, content):
        say_here(f"warning: the data has changed since {other} was trained: this is another run, in {folder}")
    return open_in_group(group, config, folder, lambda: runs.open_run(
        folder, config, options.command, rerun=options.rerun, content=content))


def train_in_group(options: Options, joined: Callable[[], None]) -> int:
    """`train` by each process of a group; `joined` is called when all are there."""
    group = join(options.wait)
    joined()
    status = train(options, group)
    group.leave()
    return status


def show_profile(run: runs.Run, folder: str) -> None:
    """Prints the operations on which steps of the run spend most time, and writes their trace."""
    measured = profile(tasks.build(run.config, run.folder), run.config, folder)
    say(f"{measured.line()}; the trace is in {folder}")
    print("share\tmilliseconds_a_step\tcalls\tkind\tplace")
    for operation in measured.operations[:LARGEST]:
        print(f"{operation.share:.3f}\t{1e3 * operation.seconds:.3g}\t{operation.calls:g}\t{operation.kind}\t"
              f"{operation.place}")


def dry_run(options: Options) -> int:
    """Prints the config and estimates of size, memory and time; writes and compiles nothing."""
    environment.check_settings()
    config = options.config
    task = tasks.build(config)
    for notice in task.notices:
        say(notice)
    print(json.dumps(to_dict(config), indent=2))
    print(f"folder\t{options.workdir or runs.default_folder(options.experiment, config, content_of(config))}")
    for name, value in (estimate(task, config) | task.facts).items():
        print(f"{name}\t{value}")
    return 0
