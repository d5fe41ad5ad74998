"""Timings of `benchmark`: ways to train several runs together, and training steps of configs."""

import itertools
import statistics
import time

import jax

from attention_lab.config import parse as overrides
from attention_lab.config import replace, split
from attention_lab.config.load import load
from attention_lab.sweeps.grouped import measure
from attention_lab.tasks import build
from attention_lab.training import loop
from attention_lab.training.programs import programs
from attention_lab.training.state import parameter_count
from experiments.flags import Options


def together(options: Options) -> int:
    """Prints milliseconds per step of one of several runs, and the speed-up over the loop."""
    configs = [replace(options.config, {"seed": options.config.seed + i}) for i in range(options.runs)]
    task = build(configs[0])
    times = measure(task, configs, programs(task, split(configs[0])[0], loop.total_steps(configs[0], task)))
    print("way\tmilliseconds_a_step\ttimes_the_loop")
    for way, milliseconds in times.items():
        print(f"{way}\t{milliseconds:.3g}\t{times['loop'] / milliseconds:.3g}")
    return 0


def configs(options: Options) -> int:
    """Prints median target tokens per second, and parameters, of a config and of its variants."""
    if not options.variants:
        raise ValueError("--variants is needed: --variants=NAME[,NAME...], variants of the config")
    files = [f"{options.file}{',' if ':' in options.file else ':'}{name}"
             for name in options.variants.split(",")]
    timed = {options.file: options.config} | {
        file: overrides.apply(load(file), options.given) for file in files}
    runs = [_rates(config, options.steps) for config in timed.values()]
    counts = [next(run) for run in runs]
    medians = [statistics.median(rates) for rates in zip(*zip(*runs))]
    print("config\ttokens_a_second\ttimes_the_first\tweights")
    for file, rate, count in zip(timed, medians, counts):
        print(f"{file}\t{rate:.0f}\t{rate / medians[0]:.3g}\t{count:.0f}")
    return 0


def _rates(config, steps):
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
