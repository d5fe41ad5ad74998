"""python -m experiments.benchmark together|configs|pytorch --config=FILE.py: what is timed by turns."""

from attention_lab.storage import environment
from experiments import flags

WORDS = "together|configs|pytorch"
PROGRAM = flags.Program("benchmark", "Times ways to do the same, or variants of a config, by turns.", {
    "runs": flags.Flag(8, "together: runs of the config, one seed each, that are trained together", low=2),
    "variants": flags.Flag("", "configs: variants that are timed beside the config itself, commas between "
                           "them"),
    "steps": flags.Flag(20, "configs and pytorch: training steps that are timed, by turns", low=1),
}, words=WORDS)


def main(options: flags.Options) -> int:
    """Prints a line for each way to do the same, and ratios."""
    if len(options.words) != 1 or options.words[0] not in WORDS.split("|"):
        raise ValueError(f"one benchmark is to be named: {', '.join(WORDS.split('|'))}")
    environment.check_settings()
    if options.words[0] == "pytorch":
        try:
            from experiments import benchmark_pytorch
        except ModuleNotFoundError as error:
            raise ValueError(f"{error.name} is not installed: pip install -e '.[pytorch]'") from error
        return benchmark_pytorch.main(options)
    from experiments import benchmark_jax
    return {"together": benchmark_jax.together, "configs": benchmark_jax.configs}[options.words[0]](options)


if __name__ == "__main__":
    flags.run(main, PROGRAM)
