"""python -m experiments.benchmark together|pytorch --config=FILE.py: ways to do the same, timed by turns."""

from experiments import flags

WORDS = "together|pytorch"
FLAGS = {"runs": flags.Flag(8, "together: runs of the config, one seed each, that are trained together"),
         "steps": flags.Flag(20, "pytorch: training steps that are timed, by turns")}


def main(options: flags.Options) -> int:
    """Prints a line for each way to do the same, and ratios."""
    if options.words not in (["together"], ["pytorch"]):
        raise ValueError(f"one benchmark is to be named: {WORDS.replace('|', ' or ')}")
    return {"together": together, "pytorch": pytorch}[options.words[0]](options)


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


def pytorch(options: flags.Options) -> int:
    """One LSTM with attention here and in PyTorch, both without dropout: target tokens a second."""
    if options.steps < 1:
        raise ValueError(f"--steps={options.steps}: at least 1 is needed")
    try:
        from experiments.pytorch import compare
    except ModuleNotFoundError as error:
        raise ValueError(f"{error.name} is not installed: pip install -e '.[pytorch]'") from error
    ours, theirs, difference = compare(options.config, options.steps)
    print("way\ttokens_a_second\ttimes_pytorch")
    print(f"jax\t{ours:.0f}\t{ours / theirs:.3g}\npytorch\t{theirs:.0f}\t1")
    print(f"first loss apart by {difference:.1e} nats")
    return 0


if __name__ == "__main__":
    flags.run(main, "benchmark", "Times ways to do the same, and prints their ratios.", FLAGS, words=WORDS)
