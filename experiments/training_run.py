"""What `train` does once its flags are read: open the folder, train, score, write the result."""

import contextlib
import csv
import io
import json
import sys
from pathlib import Path

from attention_lab import runs
from attention_lab.config import split, to_dict
from attention_lab.files import write_text
from attention_lab.tasks import translation
from attention_lab.training import loop
from attention_lab.training.estimate import estimate
from attention_lab.training.progress import progress
from experiments.flags import Options


def say(line: str) -> None:
    """A line for the user, apart from results, which go to standard output."""
    print(f"train: {line}", file=sys.stderr, flush=True)


def train(options: Options) -> int:
    """Trains the run that the options describe, or tells that it is finished."""
    config = options.config
    folder = Path(options.workdir or runs.default_folder(options.experiment, config))
    run = runs.open_run(folder, config, options.command, rerun=options.rerun)
    with contextlib.closing(run):
        return _go_on(run)


def _go_on(run: runs.Run) -> int:
    config, folder = run.config, run.folder
    for warning in run.warnings:
        say(f"warning: {warning}")
    if run.finished:
        say(f"{folder} is finished; --rerun trains it again")
        return report(run.result)
    built = translation.build(config, folder)
    task = built.task
    for notice in task.notices:
        say(notice)
    run.note({"data": task.facts, "notices": task.notices})
    task.save(folder)
    with progress(loop.total_steps(config, task), str(folder),
                  max_minutes=config.training.max_minutes) as show:
        params, result = loop.train(task, config, folder, show, say)
    if result["status"] == "finished":
        _, hyper = split(config)
        for name in dict.fromkeys(("dev", config.data.split)):
            scores = task.score(params, hyper, name, True)
            result |= scores.numbers
        write_predictions(folder / "predictions.tsv", scores.predictions)
        task.illustrate(params, folder)
    run.finish(result)
    return report(result)


def report(result: dict) -> int:
    """Prints a result, a line for each number; the exit status it means."""
    for name, value in result.items():
        print(f"{name}\t{value}")
    return 0 if result["status"] == "finished" else 1


def write_predictions(path: Path, rows: list[dict[str, str]]) -> None:
    """One line for each sentence: source, reference, translation."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], delimiter="\t", lineterminator="\n",
                            quoting=csv.QUOTE_NONE, escapechar="\\")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def dry_run(options: Options) -> int:
    """Prints the resolved config, and estimates of size, memory and time; writes and compiles nothing."""
    config = options.config
    task = translation.build(config).task
    print(json.dumps(to_dict(config), indent=2))
    print(f"folder\t{options.workdir or runs.default_folder(options.experiment, config)}")
    for name, value in (estimate(task, config) | task.facts).items():
        print(f"{name}\t{value}")
    return 0
