"""What `benchmark` times: ways to train several runs together, and training steps of configs, by turns."""

import itertools
import statistics
import time

import jax

from attention_lab.config import parse as overrides
from attention_lab.config import replace, split
from attention_lab.config.load import load
from attention_lab.sweeps.together import measure
from attention_lab.tasks import build
from attention_lab.training import loop
from attention_lab.training.programs import programs
from attention_lab.training.state import parameter_count
from experiments.flags import Options


def together(options: Options) -> int:
    """Several runs: milliseconds a step of one run, and how many times as fast as the loop."""
    configs = [replace(options.config, {"seed": options.config.seed + one}) for one in range(options.runs)]
    task = build(configs[0])
    found = measure(task, configs, programs(task, split(configs[0])[0], loop.total_steps(configs[0], task)))
    print("way\tmilliseconds_a_step\ttimes_the_loop")
    for way, milliseconds in found.items():
        print(f"{way}\t{milliseconds:.3g}\t{found['loop'] / milliseconds:.3g}")
    return 0


def configs(options: Options) -> int:
    """Training steps of a config and of variants of it: median target tokens a second, and weights."""
    if not options.variants:
        raise ValueError("--variants is needed: --variants=NAME[,NAME...], variants of the config")
    beside = [f"{options.file}{',' if ':' in options.file else ':'}{name}"
              for name in options.variants.split(",")]
    wanted = {options.file: options.config} | {
        spelled: overrides.apply(load(spelled), options.given) for spelled in beside}
    runs = [_rates(config, options.steps) for config in wanted.values()]
    weights = [next(run) for run in runs]
    found = [statistics.median(rates) for rates in zip(*zip(*runs))]
    print("config\ttokens_a_second\ttimes_the_first\tweights")
    for spelled, rate, count in zip(wanted, found, weights):
        print(f"{spelled}\t{rate:.0f}\t{rate / found[0]:.3g}\t{count:.0f}")
    return 0


def _rates(config, steps):
    """Weights of the model once every shape is compiled, then after each step its target tokens a second."""
    task, (structure, hyper) = build(config), split(config)
    ours = programs(task, structure, loop.total_steps(config, task))
    state = ours.start(hyper)
    batches = list(itertools.islice(task.batches(config.seed, 0), steps))
    for batch in {batch["source"].shape: batch for batch in batches}.values():
        state, _ = ours.update(state, batch, hyper)
    jax.block_until_ready(state)
    yield parameter_count(state.params)
    for batch in batches:
        began = time.perf_counter()
        state, _ = ours.update(state, batch, hyper)
        jax.block_until_ready(state)
        yield task.tokens(batch) / (time.perf_counter() - began)
