"""python -m experiments.benchmark together --config=FILE.py: ways to do the same, timed in one run."""

from experiments import flags

WORDS = "together"
FLAGS = {"runs": flags.Flag(8, "runs of the config, one seed each, that are trained together")}


def main(options: flags.Options) -> int:
    """Prints a line for each way: milliseconds a step of one run, and how many times as fast as the loop."""
    if options.words != ["together"]:
        raise ValueError(f"one benchmark is to be named; there is {WORDS}")
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


if __name__ == "__main__":
    flags.run(main, "benchmark", "Times ways to do the same, and prints their ratios.", FLAGS, words=WORDS)
