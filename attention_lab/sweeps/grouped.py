"""Trains the cells of a group in one program, by a given or measured method."""

import contextlib
import math
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import jax

from attention_lab.config import Config, split
from attention_lab.storage import runs
from attention_lab.storage.device_errors import out_of_memory
from attention_lab.storage.errors import one_line
from attention_lab.storage.files import read_json
from attention_lab.sweeps.cell import Outcome, Shared, failed_outcome, how_history, offset_progress
from attention_lab.sweeps.plan import Cell, Group
from attention_lab.training import checkpoint, loop
from attention_lab.training import together as training
from attention_lab.training.devices import shard
from attention_lab.training.programs import Programs
from attention_lab.training.run import begin, conclude
from attention_lab.training.task import Task

AT_ONCE = 8  # runs of one program on each device
TIMED = 3  # chunks of steps that are timed


def run_group(group: Group, parent: str | Path, shared: Shared, command: str, show: Callable,
              say: Callable[[str], None], how: str) -> tuple[dict[Cell, Outcome], dict[str, Any]]:
    """Trains cells of a group together, by `how`: "map", "vmap", or "measure" for the fastest way.

    Returns:
      the outcomes of the cells trained here, and what run.json of the others is to hold of the measurement.
      Others are left for the loop: cells that are finished, alone at their step, or can't be opened or
      trained; all where the duration is in minutes, and all where the loop is fastest.
    """
    if group.structure.training.max_minutes:
        say("training.max_minutes is set: each cell is run alone")
        return {}, {}
    try:
        sets = _sets([cell for cell in group.cells if not (cell.folder(parent) / "result.json").exists()],
                     parent, AT_ONCE * jax.local_device_count())
        if not sets:
            return {}, {}
        config = sets[0].cells[0].config
        task, programs = shared.of(config)
        way, times = _how_begun(sets, parent) if how == "measure" else how, {}
        if not way:
            largest = max(sets, key=lambda members: len(members.cells))
            times = measure(task, [cell.config for cell in largest.cells], programs)
            way = min(times, key=times.get)
            say("milliseconds a step of one run: " + ", ".join(
                f"{name} {value:.3g}" for name, value in times.items()) + f"; {way} it is")
        facts = {"milliseconds_a_step": times} if times else {}
        if way == "loop":
            return {}, facts
        if way == "map" and (why := training.why_map_rounds(group.structure)):
            say(f"what --how=map trains may differ from the same run alone by rounding: {why}")
        program = training.together(task, split(config)[0], loop.total_steps(config, task), way)
    except Exception:
        return {}, {}  # the loop reports each cell's error
    outcomes, done = {}, 0
    for members in sets:
        outcomes |= _train(members, parent, shared, command, task, programs, program, facts,
                           offset_progress(show, done), say)
        done = sum(outcome.steps for outcome in outcomes.values())
    return outcomes, facts


class _Set(NamedTuple):
    """Fields: cells, trained together; step, from which they continue."""

    cells: list[Cell]
    step: int


def _sets(cells: Sequence[Cell], parent: str | Path, most: int) -> list[_Set]:
    """Sets of nearly equal size, so that few programs are compiled, each of cells at the same step."""
    steps = {cell: checkpoint.steps(cell.folder(parent) / "checkpoints") for cell in cells}
    # Runs that were stopped together need not have saved at all the same steps, only at some.
    shared = set.intersection(*map(set, steps.values())) if steps else set()
    by_step: dict[int, list[Cell]] = {}
    for cell, saved in steps.items():
        by_step.setdefault(max(shared or saved, default=0), []).append(cell)
    sets = []
    for step, members in by_step.items():
        size = math.ceil(len(members) / math.ceil(len(members) / most))
        sets += [_Set(members[i:i + size], step) for i in range(0, len(members), size)]
    return [members for members in sets if len(members.cells) > 1]


def _how_begun(sets: list[_Set], parent: str | Path) -> str:
    """`how` of the runs that are continued, which is not measured again; "" if all are new."""
    for members in sets:
        for cell in members.cells:
            path = cell.folder(parent) / "run.json"
            if members.step and path.exists():
                return read_json(path).get("how", "loop").rpartition(" ")[2]
    return ""


def _train(members: _Set, parent, shared, command, task, programs, program, facts, show, say
           ) -> dict[Cell, Outcome]:
    """The outcomes of the cells of a set that could be trained together."""
    facts = {"runs_together": len(members.cells), "run_devices": program.mesh.size, **facts}
    outcomes: dict[Cell, Outcome] = {}
    with contextlib.ExitStack() as stack:
        opened: dict[Cell, runs.Run] = {}
        for cell in members.cells:
            try:
                run = stack.enter_context(contextlib.closing(
                    runs.open_run(cell.folder(parent), cell.config, command, content=cell.content)))
                shared.warn(run, say)
                begin(run, task, lambda line: None)
                opened[cell] = run
            except Exception:
                pass  # the loop reports the error
        if len(opened) < 2:
            return {}
        try:
            for run in opened.values():
                run.note(facts | {"how": how_history(run, program.how)})
            trained = loop.train_together(
                task, [run.config for run in opened.values()], [run.folder for run in opened.values()],
                programs, program, show, say, members.step)
        except Exception as error:
            why = one_line(error)
            say(f"{len(opened)} cells can't be trained together, so each is run alone: {why}")
            return {}
        steps = sum(result["steps"] for _, result in trained)

        def show_all(step, **numbers):
            show(steps, **numbers)

        for (cell, run), (params, result) in zip(opened.items(), trained):
            try:
                conclude(run, task, params, result, show_all, say)
                outcomes[cell] = Outcome(cell, run.folder, run.result)
            except Exception as error:
                outcomes[cell] = failed_outcome(cell, run.folder, error)
    return outcomes


def measure(task: Task, configs: Sequence[Config], programs: Programs) -> dict[str, float]:
    """Milliseconds per step of one run for each `how`: medians of TIMED chunks, after compilation.

    A `how` that runs out of the device's memory is left out.

    Raises:
      ValueError: accumulation or devices that don't fit the batches.
    """
    structure, _ = split(configs[0])
    loop.check_rows(task, structure.training.accumulate, programs.mesh.size)
    steps, hypers = loop.total_steps(configs[0], task), [split(config)[1] for config in configs]
    rows = _of_one_shape(zip(*(task.batches(config.seed, 0) for config in configs)), loop.CHUNK)

    def looped():
        state = programs.start(hypers[0])
        while True:
            for row in rows:
                state, logged = programs.update(state, shard(row[0], programs.mesh), hypers[0])
            jax.block_until_ready(logged)
            yield

    def in_one_program(way):
        program = training.together(task, structure, steps, way)
        states = program.stacked([programs.start(hyper) for hyper in hypers])
        hyper = program.stacked(hypers)
        while True:
            states, logged = program.update(states, program.batches(rows), hyper)
            jax.block_until_ready(logged)
            yield

    milliseconds = {}
    for way in ("loop", *training.WAYS):
        chunks, seconds = looped() if way == "loop" else in_one_program(way), []
        try:
            next(chunks)
            for _ in range(TIMED):
                begun = time.monotonic()
                next(chunks)
                seconds.append(time.monotonic() - begun)
        except jax.errors.JaxRuntimeError as error:
            if way == "loop" or not out_of_memory(error):
                raise
            continue
        count = loop.CHUNK * (1 if way == "loop" else len(configs))
        milliseconds[way] = round(1000.0 * statistics.median(seconds) / count, 4)
    return milliseconds


def _of_one_shape(rows, count):
    """The first `count` rows that have the shapes of the first one."""
    first = next(rows)
    return [first] + list(islice((row for row in rows if loop.shapes(row) == loop.shapes(first)), count - 1))
