"""`benchmark cost`: time of a training step against length, batch, sizes of the model, runs and devices."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from scipy import stats

from attention_lab.analysis.timing import interleaved, quartiles
from attention_lab.config import Config, replace, split
from attention_lab.config.load import load
from attention_lab.storage import xla
from attention_lab.tasks import build
from attention_lab.training import loop, profile, together
from attention_lab.training.devices import shard
from attention_lab.training.programs import programs
from experiments import machine
from experiments.flags import Options

STEPS = 2  # of one timing
LARGEST = 3  # values of an axis, from its largest on, to which an exponent is fitted
SENTENCES, TOKENS, WIDTH, HEADS, LAYERS = 16, 64, 128, 4, 2
BASE = {"data.train_size": 256, "data.dev_size": 8, "data.test_size": 8, "attention.implementation": "auto",
        "training.devices": 1, "model.num_layers": LAYERS, "model.num_heads": HEADS, "model.width": WIDTH,
        "model.hidden": 4 * WIDTH, "data.distance": TOKENS // 2, "data.answers": TOKENS // 2,
        "training.batch_tokens": SENTENCES * TOKENS}

# Axis -> (values, the config fields that a value changes).
AXES: dict[str, tuple[tuple[int, ...], Callable[[int], dict[str, Any]]]] = {
    "tokens of a sentence": ((64, 128, 256, 512, 1024), lambda n: {
        "data.distance": n // 2, "data.answers": n // 2, "training.batch_tokens": 4 * n}),
    "sentences": ((8, 16, 32, 64, 128), lambda n: {"training.batch_tokens": n * TOKENS}),
    "width": ((64, 128, 256, 512, 1024), lambda n: {"model.width": n, "model.hidden": 4 * n}),
    "layers": ((1, 2, 4, 8, 16), lambda n: {"model.num_layers": n}),
    "heads": ((1, 2, 4, 8, 16), lambda n: {"model.num_heads": n}),
    "runs in one program": ((1, 2, 4, 8), lambda n: {}),
    "devices": ((1, 2, 4), lambda n: {"training.devices": n, "training.batch_tokens": 64 * TOKENS}),
}


def step(config: Config, runs: int = 1) -> Callable[[], None]:
    """A function that trains STEPS steps of a config, or of several runs of it in one program."""
    task, (structure, hyper) = build(config), split(config)
    total = loop.total_steps(config, task)
    compiled = programs(task, structure, total)
    batches = list(itertools.islice(task.batches(config.seed, 0), STEPS))
    if runs == 1:
        state = compiled.start(hyper)

        def train():
            nonlocal state
            for batch in batches:
                state, _ = compiled.update(state, shard(batch, compiled.mesh), hyper)
            jax.block_until_ready(state)
        return train
    program = together.together(task, structure, total, "map", devices=1)
    states = program.stacked([compiled.start(hyper)] * runs)
    hypers = program.stacked([hyper] * runs)

    def train_all():
        nonlocal states
        states, _ = program.update(states, program.batches([[batch] * runs for batch in batches]), hypers)
        jax.block_until_ready(states)
    return train_all


def exponent(values: list[int], seconds: list[list[float]]) -> tuple[float, float, float]:
    """The exponent of a power law, seconds ~ value^exponent: (low, mean, high).

    The law is fitted in each round to the LARGEST largest values, where what every step costs matters least;
    low and high are a 95 % t interval over rounds.

    seconds: for each value, one number for each of at least two rounds.
    """
    rows = np.log(np.array(seconds[-LARGEST:]))
    slopes = np.polyfit(np.log(values[-LARGEST:]), rows, 1)[0]
    mean, half = slopes.mean(), stats.t.ppf(0.975, len(slopes) - 1) * stats.sem(slopes)
    return float(mean - half), float(mean), float(mean + half)


def measured(base: Config, axes: Mapping[str, tuple], rounds: int) -> list[dict[str, Any]]:
    """A row for each value of each axis; the values of an axis are timed in turn."""
    rows = []
    for axis, (values, fields) in axes.items():
        values = [n for n in values if axis != "devices" or n <= jax.device_count()]
        ways = {n: step(replace(base, fields(n)), n if axis == "runs in one program" else 1) for n in values}
        seconds = interleaved({str(n): lambda train=train: train for n, train in ways.items()},
                              lambda number: (), rounds)
        fitted = exponent(values, list(seconds.values())) if min(len(values), rounds) > 1 else None
        rows += [{"case": axis, "way": str(n), "step_ms": [1e3 * x / STEPS for x in quartiles(times)],
                  "exponent": fitted} for n, times in seconds.items()]
    return rows


def main(options: Options) -> int:
    """Prints a line for each value of each axis."""
    machine.check_new(options.json)
    xla.add(["--xla_force_host_platform_device_count=4"])  # devices of a CPU; without effect elsewhere
    facts = machine.facts({"jax": profile.product_rate()})
    base = replace(load("configs/echo.py"), BASE)
    print(f"# {machine.heading(facts)}")
    print("axis\tvalue\tstep_ms\tquartiles\texponent\tinterval")
    rows = []
    for axis in AXES.items():
        for row in measured(base, dict([axis]), options.rounds):
            rows.append(row)
            low, median, high = row["step_ms"]
            fit = row["exponent"]
            print(f"{row['case']}\t{row['way']}\t{median:.3g}\t{low:.3g}-{high:.3g}\t"
                  + (f"{fit[1]:.2f}\t{fit[0]:.2f} to {fit[2]:.2f}" if fit else "\t"), flush=True)
    machine.write(options.json, options.command, facts, rows)
    return 0
