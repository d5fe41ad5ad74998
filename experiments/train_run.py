"""What `train` does once its flags are read: open the folder, train, score, write the result."""

import contextlib
import json
from pathlib import Path

from attention_lab import tasks
from attention_lab.config import to_dict
from attention_lab.storage import environment, runs
from attention_lab.training.estimate import estimate
from attention_lab.training.run import carry_out, check_data
from experiments.flags import Options, say


def train(options: Options) -> int:
    """Trains the run that the options describe, or tells that it is finished."""
    config = options.config
    folder = Path(options.workdir or runs.default_folder(options.experiment, config))
    run = runs.open_run(folder, config, options.command, rerun=options.rerun)
    with contextlib.closing(run):
        return _go_on(run)


def _go_on(run: runs.Run) -> int:
    for warning in run.warnings:
        say(f"warning: {warning}")
    if run.finished and run.data_moved:
        check_data(run, tasks.build(run.config, run.folder))
    if run.finished:
        say(f"{run.folder} is finished; --rerun trains it again")
        return report(run.result)
    task = tasks.build(run.config, run.folder)
    for notice in task.notices:
        say(notice)
    return report(carry_out(run, task, say=say))


def report(result: dict) -> int:
    """Prints a result, a line for each number; the exit status it means."""
    for name, value in result.items():
        print(f"{name}\t{value}")
    return 0 if result["status"] == "finished" else 1


def dry_run(options: Options) -> int:
    """Prints the resolved config, and estimates of size, memory and time; writes and compiles nothing."""
    environment.check_settings()
    config = options.config
    task = tasks.build(config)
    print(json.dumps(to_dict(config), indent=2))
    print(f"folder\t{options.workdir or runs.default_folder(options.experiment, config)}")
    for name, value in (estimate(task, config) | task.facts).items():
        print(f"{name}\t{value}")
    return 0
