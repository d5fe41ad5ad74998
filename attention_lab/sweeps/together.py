"""The cells of a group trained by one program, the way of it given or measured; each in its own folder."""

import contextlib
import math
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import jax

from attention_lab import runs
from attention_lab.config import Config, split
from attention_lab.sweeps.cell import Outcome, Shared
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
              say: Callable[[str], None], how: str) -> dict[Cell, Outcome]:
    """What became of the cells that were trained together by "map", "vmap" or what is measured to be best.

    Others are left for the loop: finished ones, one that stands alone at its step, all where minutes rule,
    and all where the loop is fastest.
    """
    outcomes: dict[Cell, Outcome] = {}
    with contextlib.ExitStack() as stack:
        opened: dict[Cell, runs.Run] = {}
        for cell in group.cells:
            if (cell.folder(parent) / "result.json").exists() or group.structure.training.max_minutes:
                continue
            try:
                opened[cell] = stack.enter_context(contextlib.closing(
                    runs.open_run(cell.folder(parent), cell.config, command)))
            except (ValueError, OSError):
                continue  # the loop says what is wrong with it
        sets = _sets(opened, AT_ONCE * jax.local_device_count())
        if not sets:
            return {}
        config = sets[0][0].config
        task, programs = shared.of(config)
        steps = loop.total_steps(config, task)
        way, measured = how, {}
        if way == "measure":
            measured = measure(task, [cell.config for cell in max(sets, key=len)], programs)
            way = min(measured, key=measured.get)
            say("milliseconds a step of one run: " + ", ".join(
                f"{name} {value:.3g}" for name, value in measured.items()) + f"; {way} it is")
        facts = {"how": way} | ({"milliseconds_a_step": measured} if measured else {})
        if way == "loop":
            for run in opened.values():
                run.note(facts)
            return {}
        program = training.together(task, split(config)[0], steps, way)
        done = 0
        for cells in sets:
            facts |= {"runs_together": len(cells), "run_devices": program.mesh.size}
            outcomes |= _train({cell: opened[cell] for cell in cells}, task, programs, program, facts,
                               lambda step, done=done: show(done + step), say)
            done += len(cells) * (steps or 0)
    return outcomes


def _sets(opened: dict[Cell, runs.Run], most: int) -> list[list[Cell]]:
    """Cells that stand at one step, in sets of nearly equal size, so that few programs are compiled."""
    by_step: dict[int, list[Cell]] = {}
    for cell, run in opened.items():
        at = max(checkpoint.steps(run.folder / "checkpoints"), default=0)
        by_step.setdefault(at, []).append(cell)
    sets = []
    for cells in by_step.values():
        size = math.ceil(len(cells) / math.ceil(len(cells) / most))
        sets += [cells[place:place + size] for place in range(0, len(cells), size)]
    return [cells for cells in sets if len(cells) > 1]


def _train(opened, task, programs, program, facts, show, say) -> dict[Cell, Outcome]:
    try:
        for run in opened.values():
            begin(run, task, say)
            run.note(facts)
        found = loop.train_together(task, [run.config for run in opened.values()],
                                    [run.folder for run in opened.values()], programs, program, show, say)
    except (ValueError, OSError) as error:
        why = " ".join(str(error).split())
        say(f"{len(opened)} cells can't be trained together, so each is alone: {why}")
        return {}
    outcomes = {}
    for (cell, run), (params, result) in zip(opened.items(), found):
        try:
            conclude(run, task, params, result)
            outcomes[cell] = Outcome(cell, run.folder, run.result)
        except (ValueError, OSError) as error:
            outcomes[cell] = Outcome(cell, run.folder, None, " ".join(str(error).split()))
    return outcomes


def measure(task: Task, configs: Sequence[Config], programs: Programs) -> dict[str, float]:
    """Milliseconds that a step of one run takes by each way: medians of TIMED chunks, after compilation."""
    structure, _ = split(configs[0])
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
        next(chunks)
        for _ in range(TIMED):
            begun = time.monotonic()
            next(chunks)
            times.append(time.monotonic() - begun)
        of = loop.CHUNK * (1 if way == "loop" else len(configs))
        found[way] = round(1000.0 * statistics.median(times) / of, 4)
    return found


def _of_one_shape(rows, count):
    first = next(rows)
    return [first] + list(islice((row for row in rows if loop.shapes(row) == loop.shapes(first)), count - 1))
