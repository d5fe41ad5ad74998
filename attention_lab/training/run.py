"""One run from an open folder to its result: train, score, draw, and write the result last."""

import contextlib
import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attention_lab.config import split
from attention_lab.figures import curves, style
from attention_lab.storage.content import Content, changed
from attention_lab.storage.files import JsonLines, write_text
from attention_lab.storage.runs import Run
from attention_lab.training import loop
from attention_lab.training.programs import Programs
from attention_lab.training.progress import progress
from attention_lab.training.task import Task


def carry_out(run: Run, task: Task, programs: Programs | None = None, show: Callable | None = None,
              say: Callable[[str], None] = print) -> dict[str, Any]:
    """Trains and scores an open, unfinished run, and writes everything into its folder.

    Args:
      task: of its config, or of another config with the same Structure.
      programs, show, say: as of `loop.train`; without `show` a progress line is made.
    Returns:
      what result.json holds.
    Raises:
      ValueError: the run was begun on other data.
    """
    config, folder = run.config, run.folder
    begin(run, task, say)
    line = contextlib.nullcontext(show) if show else progress(
        loop.total_steps(config, task), str(folder), max_minutes=config.training.max_minutes)
    with line as show:
        params, result = loop.train(task, config, folder, show, say, programs)
    return conclude(run, task, params, result)


def begin(run: Run, task: Task, say: Callable[[str], None] = print) -> None:
    """Writes what a run's folder must hold before the first step; ValueError: it was begun on other data."""
    check_data(run, task)
    if run.config.training.max_minutes is not None:
        say("training.max_minutes is set: a run that the clock ends can't be reproduced")
    run.note({"data": task.facts, "notices": task.notices})
    task.save(run.folder)


def conclude(run: Run, task: Task, params: Any, result: dict[str, Any]) -> dict[str, Any]:
    """Scores a trained run, draws it and writes its result, last; what result.json holds."""
    config, folder = run.config, run.folder
    if result["status"] == "finished":
        hyper = split(config)[1]
        for name in dict.fromkeys(("dev", config.data.split)):
            scores = task.score(params, hyper, name, True)
            result |= scores.numbers
        write_predictions(folder / "predictions.tsv", scores.predictions)
        task.illustrate(params, hyper, folder)
    draw_curve(folder, task.select)
    run.finish(result)
    return run.result


def draw_curve(folder: Path, select: tuple[str, float]) -> None:
    """Draws curves.png from metrics.jsonl: the loss and the dev score that was followed."""
    name, sign = select
    lines = JsonLines(folder / "metrics.jsonl").read()
    losses = [(line["step"], line["loss"]) for line in lines if line.get("loss") is not None]
    scores = [(line["step"], line[name]) for line in lines if line.get(name) is not None]
    if losses:
        style.save(curves.training_curve(*zip(*losses), *(zip(*scores) if scores else ((), ())),
                                         score=name, sign=int(sign)), folder / "curves.png")


def check_data(run: Run, task: Task) -> None:
    """ValueError if a run that has trained already was begun on other data than the task has.

    Also where files have changed between opening the run, which names it by their content, and reading them.
    """
    before = run.facts.get("data", {}) if (run.folder / "checkpoints").exists() else {}
    now = Content(task.facts.get("sha256", ""), task.facts.get("files", {}))
    if trained_on := changed(before, now, run.config):
        raise ValueError(f"{run.folder} {trained_on}: give another --workdir, or --rerun to move this one "
                         "aside")
    opened = {"sha256": run.content.sha256} if run.content.sha256 else {}
    if changed(opened | {"files": run.content.files}, now, run.config):
        raise ValueError(f"{run.folder}: the data was changed while it was read: repeat the command")


def write_predictions(path: Path, rows: list[dict[str, str]]) -> None:
    """A table with a line for each example; nothing for a task that has none."""
    if not rows:
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], delimiter="\t", lineterminator="\n",
                            quoting=csv.QUOTE_NONE, escapechar="\\")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
