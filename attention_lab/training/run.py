"""Carries out one run in an open folder: train, score, draw, and write the result last."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attention_lab.config import PATHS, digest, split
from attention_lab.storage import checksums, predictions
from attention_lab.storage.content import Content, changed
from attention_lab.storage.files import JsonLines
from attention_lab.storage.later import Later
from attention_lab.storage.runs import Run
from attention_lab.training import loop
from attention_lab.training.failures import Failures
from attention_lab.training.group import ALONE, Group
from attention_lab.training.programs import Programs
from attention_lab.training.progress import progress
from attention_lab.training.task import Task

curves, style = Later("attention_lab.figures.curves"), Later("attention_lab.figures.style")


def carry_out(run: Run, task: Task, programs: Programs | None = None, show: Callable | None = None,
              say: Callable[[str], None] = print, group: Group = ALONE) -> dict[str, Any]:
    """Trains and scores an open, unfinished run, and writes everything into its folder.

    Args:
      task: of its config, or of another config with the same Structure.
      programs, show, say, group: as of `loop.train`; without `show` a progress line is made. Only the first
        process of a group scores and writes; the others wait for it.
    Returns:
      what result.json holds.
    Raises:
      ValueError: the run was begun on other data.
    """
    config, folder = run.config, run.folder
    group.agreed(lambda: begin(run, task, say) if group.first else None)
    line = contextlib.nullcontext(show) if show else progress(
        loop.total_steps(config, task), str(folder), max_minutes=config.training.max_minutes)
    with line as show:
        params, result = loop.train(task, config, folder, show, say, programs, group)
        return group.share(conclude(run, task, params, result, show, say) if group.first else None)


def begin(run: Run, task: Task, say: Callable[[str], None] = print) -> None:
    """Writes what the folder needs before the first step; ValueError: the run was begun on other data."""
    check_data(run, task)
    if run.config.training.max_minutes is not None:
        say("training.max_minutes is set: a run that the clock ends can't be reproduced")
    # What is on record stays as it is: another version of the tokenizer's library may write other bytes.
    if not ((run.folder / "checkpoints").exists() and checksums.FILES in run.facts):
        task.save(run.folder)
    run.note({"data": task.facts, "notices": task.notices, "config": digest(run.config, PATHS),
              **checksums.record(run.folder, run.facts, checksums.MODEL)})


def conclude(run: Run, task: Task, params: Any, result: dict[str, Any],
             show: Callable = lambda *a, **k: None, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Scores and draws a trained run, writes result.json last, and returns its content.

    A score or picture that fails does not prevent the others: "failed" in the result says which scores are
    missing and why, "not_drawn" which pictures.

    Args:
      show, say: as of `loop.train`.
    Raises:
      OSError: the folder can't be written; the same command resumes from the last checkpoint.
    """
    config, folder, failures = run.config, run.folder, Failures(run.folder, say)
    if "failed" in result:
        failures.lines["failed"] = [result["failed"]]
    if result["status"] == "finished":
        hyper = split(config)[1]
        for name in dict.fromkeys(("dev", config.data.split)):
            show(result["steps"], doing=f"scoring {name}")
            with failures.recorded(f"scoring {name}"):
                scores = task.score(params, hyper, name, True)
                result |= scores.numbers
                if name == config.data.split:
                    replaced = predictions.write(folder / checksums.PREDICTIONS, scores.predictions)
                    run.note(checksums.record(folder, run.facts, [checksums.PREDICTIONS]))
                    result |= {"predictions_with_replaced_breaks": replaced} if replaced else {}
        show(result["steps"], doing="drawing")
        with failures.recorded("drawing attention.png and view.html", picture=True):
            task.illustrate(params, hyper, folder)
    with failures.recorded("drawing curves.png", picture=True):
        draw_curve(folder, task.select, result["best_step"])
    run.finish(result | {key: "; ".join(lines) for key, lines in failures.lines.items()})
    return run.result


def draw_curve(folder: Path, select: tuple[str, float], best_step: int) -> None:
    """Draws curves.png from metrics.jsonl: the loss and the dev score that selects `best_step`."""
    name, sign = select
    lines = JsonLines(folder / "metrics.jsonl").read()
    losses = [(line["step"], line["loss"]) for line in lines if line.get("loss") is not None]
    scores = [(line["step"], line[name]) for line in lines if line.get(name) is not None]
    if losses:
        style.save(curves.training_curve(*zip(*losses), *(zip(*scores) if scores else ((), ())),
                                         score=name, sign=int(sign), best_step=best_step),
                   folder / "curves.png")


def check_data(run: Run, task: Task) -> None:
    """ValueError if a run that has checkpoints was trained on data that differs from the task's.

    Also if files changed between opening the run, which is named by their content, and reading them.
    """
    before = run.facts.get("data", {}) if (run.folder / "checkpoints").exists() else {}
    now = Content(task.facts.get("sha256", ""), task.facts.get("files", {}), run.content.packed)
    if trained_on := changed(before, now, run.config):
        raise ValueError(f"{run.folder} {trained_on}: give another --workdir, or --rerun to move this one "
                         "aside")
    opened = {"sha256": run.content.sha256} if run.content.sha256 else {}
    if changed(opened | {"files": run.content.files}, now, run.config):
        raise ValueError(f"{run.folder}: the data was changed while it was read: repeat the command")
