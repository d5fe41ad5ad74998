"""python -m experiments.benchmark together|configs|pytorch --config=FILE.py: what is timed by turns."""

from experiments import flags

WORDS = "together|configs|pytorch"
PROGRAM = flags.Program("benchmark", "Times ways to do the same, or variants of a config, by turns.", {
    "runs": flags.Flag(8, "together: runs of the config, one seed each, that are trained together"),
    "variants": flags.Flag("", "configs: variants that are timed beside the config itself, commas between "
                           "them"),
    "steps": flags.Flag(20, "configs and pytorch: training steps that are timed, by turns"),
}, words=WORDS)


def main(options: flags.Options) -> int:
    """Prints a line for each way to do the same, and ratios."""
    known = {"together": together, "configs": configs, "pytorch": pytorch}
    if len(options.words) != 1 or options.words[0] not in known:
        raise ValueError(f"one benchmark is to be named: {', '.join(known)}")
    from attention_lab.storage import environment
    environment.check_settings()
    return known[options.words[0]](options)


def together(options: flags.Options) -> int:
    """Several runs: milliseconds a step of one run, and how many times as fast as the loop."""
    if options.runs < 2:
        raise ValueError(f"--runs={options.runs}: at least 2 are needed")
    from attention_lab.config import replace, split
    from attention_lab.sweeps.together import measure
    from attention_lab.tasks import build
    from attention_lab.training import loop
    from attention_lab.training.programs import programs
    configs = [replace(options.config, {"seed": options.config.seed + one}) for one in range(options.runs)]
    task = build(configs[0])
    found = measure(task, configs, programs(task, split(configs[0])[0], loop.total_steps(configs[0], task)))
    print("way\tmilliseconds_a_step\ttimes_the_loop")
    for way, milliseconds in found.items():
        print(f"{way}\t{milliseconds:.3g}\t{found['loop'] / milliseconds:.3g}")
    return 0


def configs(options: flags.Options) -> int:
    """Training steps of a config and of variants of it: median target tokens a second, and weights."""
    _check_steps(options)
    if not options.variants:
        raise ValueError("--variants is needed: --variants=NAME[,NAME...], variants of the config")
    import statistics

    from attention_lab.config import parse as overrides
    from attention_lab.config.load import load
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
    import itertools
    import time

    import jax

    from attention_lab.config import split
    from attention_lab.tasks import build
    from attention_lab.training import loop
    from attention_lab.training.programs import programs
    from attention_lab.training.state import parameter_count
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


def pytorch(options: flags.Options) -> int:
    """One LSTM with attention here and in PyTorch, both without dropout: median target tokens a second."""
    _check_steps(options)
    try:
        from experiments.pytorch import compare
    except ModuleNotFoundError as error:
        raise ValueError(f"{error.name} is not installed: pip install -e '.[pytorch]'") from error
    ours, theirs, difference = compare(options.config, options.steps)
    print("way\ttokens_a_second\ttimes_pytorch")
    print(f"jax\t{ours:.0f}\t{ours / theirs:.3g}\npytorch\t{theirs:.0f}\t1")
    print(f"first loss apart by {difference:.1e} nats")
    return 0


def _check_steps(options):
    if options.steps < 1:
        raise ValueError(f"--steps={options.steps}: at least 1 is needed")


if __name__ == "__main__":
    flags.run(main, PROGRAM)
