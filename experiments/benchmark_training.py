"""`benchmark training` and `benchmark sweep`: training steps of configs, and of several runs together."""

import itertools
import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from attention_lab.analysis.timing import quartiles
from attention_lab.config import Config
from attention_lab.config import parse as overrides
from attention_lab.config import replace, split
from attention_lab.config.load import load
from attention_lab.storage.later import Later
from attention_lab.sweeps.grouped import measure
from attention_lab.tasks import build
from attention_lab.training import loop
from attention_lab.training.profile import product_rate
from attention_lab.training.programs import programs
from attention_lab.training.state import parameter_count
from experiments import machine
from experiments.flags import Options, say
from experiments.peers import available

pytorch = Later("experiments.benchmark_pytorch")

Cases = dict[tuple[str, str], Config]  # by file and precision


def training(options: Options) -> int:
    """Prints target tokens per second of a config and its variants, by turns, or each beside its peer.

    With --peers in float32 too, where the config has another precision.
    """
    machine.check_new(options.json)
    configs = {options.file: options.config}
    for name in filter(None, options.variants.split(",")):
        file = f"{options.file}{',' if ':' in options.file else ':'}{name}"
        configs[file] = overrides.apply(load(file), options.given)
    peers = options.peers and available("torch")
    precisions = ["float32"] if peers else []
    cases = {(file, precision): replace(config, {"training.precision": precision})
             for file, config in configs.items()
             for precision in dict.fromkeys([config.training.precision, *precisions])}
    rates = {"jax": product_rate()} | ({"torch": pytorch.product_rate()} if peers else {})
    rows = by_pair(cases, options.steps) if peers else side_by_side(cases, options.steps)
    print("config\tprecision\tway\ttokens_a_second\tquartiles\ttimes\tweights")
    for row in rows:
        low, median, high = row["tokens_a_second"]
        print(f"{row['case']}\t{row['precision']}\t{row['way']}\t{median:.0f}\t{low:.0f}-{high:.0f}\t"
              f"{row['times']:.3g}\t{row['weights']}")
    facts = machine.facts(rates) | ({"torch": pytorch.facts()} if peers else {})
    machine.write(options.json, options.command, facts, rows)
    return 0


def side_by_side(cases: Cases, steps: int) -> list[dict[str, Any]]:
    """A row for each config, in times the speed of the first; their steps alternate."""
    runs = [steps_of(config, steps) for config in cases.values()]
    weights = [next(run) for run in runs]
    rates = list(zip(*zip(*runs)))
    return [_row(case, "jax", rates[i], weights[i], rates[0]) for i, case in enumerate(cases)]


def by_pair(cases: Cases, steps: int) -> list[dict[str, Any]]:
    """Two rows for each config, ours in times the speed of PyTorch; their steps alternate."""
    rows = []
    for case, config in cases.items():
        pair = pytorch.compare(config, steps)
        say(f"{case[0]}, {case[1]}: the first losses differ by {pair.difference:.1e} nats")
        rows += [_row(case, "jax", pair.ours, pair.weights, pair.theirs),
                 _row(case, "pytorch", pair.theirs, pair.weights, pair.theirs)]
    return rows


def _row(case, way, rates, weights, others):
    return {"case": case[0], "precision": case[1], "way": way, "tokens_a_second": quartiles(rates),
            "times": float(np.median(rates) / np.median(others)), "weights": weights}


def steps_of(config: Config, steps: int) -> Iterator[float]:
    """Yields the number of parameters once all shapes are compiled, then target tokens per second by step."""
    task, (structure, hyper) = build(config), split(config)
    compiled = programs(task, structure, loop.total_steps(config, task))
    state = compiled.start(hyper)
    batches = list(itertools.islice(task.batches(config.seed, 0), steps))
    for batch in {batch["source"].shape: batch for batch in batches}.values():
        state, _ = compiled.update(state, batch, hyper)
    jax.block_until_ready(state)
    yield parameter_count(state.params)
    for batch in batches:
        began = time.perf_counter()
        state, _ = compiled.update(state, batch, hyper)
        jax.block_until_ready(state)
        yield task.tokens(batch) / (time.perf_counter() - began)


def sweep(options: Options) -> int:
    """Prints milliseconds per step of one of several runs by each way to train them, and the speed-up."""
    machine.check_new(options.json)
    rates = {"jax": product_rate()}
    configs = [replace(options.config, {"seed": options.config.seed + i}) for i in range(options.runs)]
    task = build(configs[0])
    times = measure(task, configs, programs(task, split(configs[0])[0], loop.total_steps(configs[0], task)))
    case = f"{options.runs} runs of {options.file}"
    rows = [{"case": case, "way": way, "milliseconds_a_step": milliseconds,
             "times": times["loop"] / milliseconds} for way, milliseconds in times.items()]
    print("way\tmilliseconds_a_step\ttimes_the_loop")
    for row in rows:
        print(f"{row['way']}\t{row['milliseconds_a_step']:.3g}\t{row['times']:.3g}")
    machine.write(options.json, options.command, machine.facts(rates), rows)
    return 0
