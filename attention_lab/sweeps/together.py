"""The cells of a group trained by one program, the way of it given or measured; each in its own folder."""

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
from attention_lab.storage.files import read_json
from attention_lab.sweeps.cell import Outcome, Shared, way_noted
from attention_lab.sweeps.plan import Cell, Group
from attention_lab.training import checkpoint, loop
from attention_lab.training import together as training
from attention_lab.training.devices import shard
from attention_lab.training.programs import Programs
from attention_lab.training.run import begin, conclude
from attention_lab.training.task import Task

AT_ONCE = 8  # runs of one program on each device
TIMED = 3  # times that a chunk of steps is timed


def run_group(group: Group, parent: str | Path, shared: Shared, command: str, show: Callable,
              say: Callable[[str], None], how: str) -> tuple[dict[Cell, Outcome], dict[str, Any]]:
    """What became of the cells that were trained together by "map", "vmap" or what is measured to be best,
    and what the run.json of the others is to hold of the measurement.

    Others are left for the loop: finished ones, one that stands alone at its step, those that can't be
    opened or trained, all where minutes rule, and all where the loop is fastest.
    """
    if group.structure.training.max_minutes:
        say("training.max_minutes is set: each cell is run alone")
        return {}, {}
    sets = _sets([cell for cell in group.cells if not (cell.folder(parent) / "result.json").exists()], parent,
                 AT_ONCE * jax.local_device_count())
    if not sets:
        return {}, {}
    try:
        config = sets[0].cells[0].config
        task, programs = shared.of(config)
        way, measured = _begun_by(sets, parent) if how == "measure" else how, {}
        if not way:
            largest = max(sets, key=lambda one: len(one.cells))
            measured = measure(task, [cell.config for cell in largest.cells], programs)
            way = min(measured, key=measured.get)
            say("milliseconds a step of one run: " + ", ".join(
                f"{name} {value:.3g}" for name, value in measured.items()) + f"; {way} it is")
        times = {"milliseconds_a_step": measured} if measured else {}
        if way == "loop":
            return {}, times
        if way == "map" and (why := training.why_map_rounds(group.structure)):
            say(f"what --how=map trains may differ from the same run alone by rounding: {why}")
        program = training.together(task, split(config)[0], loop.total_steps(config, task), way)
    except (ValueError, OSError):
        return {}, {}  # the loop says of each cell what is wrong
    outcomes, done = {}, 0
    for one in sets:
        facts = {"runs_together": len(one.cells), "run_devices": program.mesh.size, **times}
        outcomes |= _train(one, parent, shared, command, task, programs, program, facts,
                           lambda step, done=done, **known: show(done + step, **known), say)
        done += sum(outcomes[cell].result["steps"] for cell in one.cells
                    if cell in outcomes and outcomes[cell].result)
    return outcomes, times


class _Set(NamedTuple):
    """Fields: cells that are trained together; at, the step they go on from."""

    cells: list[Cell]
    at: int


def _sets(cells: Sequence[Cell], parent: str | Path, most: int) -> list[_Set]:
    """Sets of nearly equal size, so that few programs are compiled, of cells that stand at one step."""
    steps = {cell: checkpoint.steps(cell.folder(parent) / "checkpoints") for cell in cells}
    # Runs that were stopped together have not all saved at the same steps, but at some.
    shared = set.intersection(*map(set, steps.values())) if steps else set()
    by_step: dict[int, list[Cell]] = {}
    for cell, saved in steps.items():
        by_step.setdefault(max(shared or saved, default=0), []).append(cell)
    sets = []
    for at, those in by_step.items():
        size = math.ceil(len(those) / math.ceil(len(those) / most))
        sets += [_Set(those[place:place + size], at) for place in range(0, len(those), size)]
    return [one for one in sets if len(one.cells) > 1]


def _begun_by(sets: list[_Set], parent: str | Path) -> str:
    """The way by which runs that go on were begun, which is not measured again; "" where all are new."""
    for one in sets:
        for cell in one.cells:
            if one.at and (cell.folder(parent) / "run.json").exists():
                return read_json(cell.folder(parent) / "run.json").get("how", "loop").rpartition(" ")[2]
    return ""


def _train(one: _Set, parent, shared, command, task, programs, program, facts, show, say
           ) -> dict[Cell, Outcome]:
    outcomes: dict[Cell, Outcome] = {}
    with contextlib.ExitStack() as stack:
        opened: dict[Cell, runs.Run] = {}
        for cell in one.cells:
            try:
                opened[cell] = stack.enter_context(contextlib.closing(
                    runs.open_run(cell.folder(parent), cell.config, command)))
                shared.warn(opened[cell], say)
                begin(opened[cell], task, lambda line: None)
            except (ValueError, OSError):
                opened.pop(cell, None)  # the loop says what is wrong with it
        if len(opened) < 2:
            return {}
        try:
            for run in opened.values():
                run.note(facts | {"how": way_noted(run, program.how)})
            found = loop.train_together(
                task, [run.config for run in opened.values()], [run.folder for run in opened.values()],
                programs, program, show, say, one.at)
        except (ValueError, OSError, jax.errors.JaxRuntimeError) as error:
            if isinstance(error, jax.errors.JaxRuntimeError) and not _out_of_memory(error):
                raise
            why = " ".join(str(error).split())
            say(f"{len(opened)} cells can't be trained together, so each is run alone: {why}")
            return {}
        for (cell, run), (params, result) in zip(opened.items(), found):
            try:
                conclude(run, task, params, result)
                outcomes[cell] = Outcome(cell, run.folder, run.result)
            except (ValueError, OSError) as error:
                outcomes[cell] = Outcome(cell, run.folder, None, " ".join(str(error).split()))
    return outcomes


def _out_of_memory(error: Exception) -> bool:
    return "RESOURCE_EXHAUSTED" in str(error)


def measure(task: Task, configs: Sequence[Config], programs: Programs) -> dict[str, float]:
    """Milliseconds that a step of one run takes by each way: medians of TIMED chunks, after compilation.

    A way for which the device's memory is too small is left out.

    Raises:
      ValueError: accumulation or devices that don't fit the batches.
    """
    structure, _ = split(configs[0])
    loop.check_rows(task, structure.training.accumulate, programs.mesh.size)
    steps, hypers = loop.total_steps(configs[0], task), [split(config)[1] for config in configs]
    rows = _of_one_shape(zip(*(task.batches(config.seed, 0) for config in configs)), loop.CHUNK)

    def alone():
        state = programs.start(hypers[0])
        while True:
            for row in rows:
                state, logged = programs.update(state, shard(row[0], programs.mesh), hypers[0])
            jax.block_until_ready(logged)
            yield

    def beside(way):
        program = training.together(task, structure, steps, way)
        states = program.stacked([programs.start(hyper) for hyper in hypers])
        hyper = program.stacked(hypers)
        while True:
            states, logged = program.update(states, program.batches(rows), hyper)
            jax.block_until_ready(logged)
            yield

    found = {}
    for way in ("loop", *training.WAYS):
        chunks, times = alone() if way == "loop" else beside(way), []
        try:
            next(chunks)
            for _ in range(TIMED):
                begun = time.monotonic()
                next(chunks)
                times.append(time.monotonic() - begun)
        except jax.errors.JaxRuntimeError as error:
            if way == "loop" or not _out_of_memory(error):
                raise
            continue
        of = loop.CHUNK * (1 if way == "loop" else len(configs))
        found[way] = round(1000.0 * statistics.median(times) / of, 4)
    return found


def _of_one_shape(rows, count):
    first = next(rows)
    return [first] + list(islice((row for row in rows if loop.shapes(row) == loop.shapes(first)), count - 1))
