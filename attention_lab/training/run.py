"""One run from an open folder to its result: train, score, draw, and write the result last."""

import contextlib
import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attention_lab.config import split
from attention_lab.figures import curves, style
from attention_lab.storage.files import JsonLines, write_text
from attention_lab.storage.runs import Run
from attention_lab.training import loop
from attention_lab.training.parts import Parts
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
        return conclude(run, task, params, result, show, say)


def begin(run: Run, task: Task, say: Callable[[str], None] = print) -> None:
    """Writes what a run's folder must hold before the first step; ValueError: it was begun on other data."""
    check_data(run, task)
    if run.config.training.max_minutes is not None:
        say("training.max_minutes is set: a run that the clock ends can't be reproduced")
    run.note({"data": task.facts, "notices": task.notices})
    task.save(run.folder)


def conclude(run: Run, task: Task, params: Any, result: dict[str, Any],
             show: Callable = lambda *a, **k: None, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Scores a trained run, draws it and writes its result, last; what result.json holds.

    A part that fails keeps no other from being done: "failed" in the result says which scores are missing and
    why, "not_drawn" which pictures.

    Args:
      show, say: as of `loop.train`.
    Raises:
      OSError: the folder can't be written; the same command goes on from the last checkpoint.
    """
    config, folder, parts = run.config, run.folder, Parts(run.folder, say)
    if "failed" in result:
        parts.failed["failed"] = [result["failed"]]
    if result["status"] == "finished":
        hyper = split(config)[1]
        for name in dict.fromkeys(("dev", config.data.split)):
            show(result["steps"], doing=f"scoring {name}")
            with parts.part(f"scoring {name}"):
                scores = task.score(params, hyper, name, True)
                result |= scores.numbers
                if name == config.data.split:
                    write_predictions(folder / "predictions.tsv", scores.predictions)
        show(result["steps"], doing="drawing")
        with parts.part("drawing attention.png", picture=True):
            task.illustrate(params, hyper, folder)
    with parts.part("drawing curves.png", picture=True):
        draw_curve(folder, task.select, result["best_step"])
    run.finish(result | {key: "; ".join(lines) for key, lines in parts.failed.items()})
    return run.result


def draw_curve(folder: Path, select: tuple[str, float], best_step: int) -> None:
    """Draws curves.png from metrics.jsonl: the loss and the dev score that was followed to `best_step`."""
    name, sign = select
    lines = JsonLines(folder / "metrics.jsonl").read()
    losses = [(line["step"], line["loss"]) for line in lines if line.get("loss") is not None]
    scores = [(line["step"], line[name]) for line in lines if line.get(name) is not None]
    if losses:
        style.save(curves.training_curve(*zip(*losses), *(zip(*scores) if scores else ((), ())),
                                         score=name, sign=int(sign), best_step=best_step),
                   folder / "curves.png")


def check_data(run: Run, task: Task) -> None:
    """ValueError if a run that has trained already was begun on other data than the task has."""
    before = run.facts.get("data", {}) if (run.folder / "checkpoints").exists() else {}
    aside = "give another --workdir, or --rerun to move this one aside"
    if before.get("sha256", task.facts.get("sha256")) != task.facts.get("sha256"):
        raise ValueError(f"{run.folder} was trained on other data (its text has another sha256 than "
                         f"data.path or data.directory has now): {aside}")
    for key, now in task.facts.get("files", {}).items():
        if before.get("files", {}).get(key, now) != now:
            raise ValueError(f"{run.folder} was trained by other content of {key} than that file has now "
                             f"(its sha256 differs): {aside}")


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
