"""python -m experiments.benchmark together|configs|pytorch --config=FILE.py: timings, interleaved."""

from attention_lab.storage import environment
from experiments import flags

WORDS = "together|configs|pytorch"
PROGRAM = flags.Program("benchmark", "Times alternatives for the same work, or variants of a config.", {
    "runs": flags.Flag(8, "together: runs of the config, one seed each, that are trained together", low=2),
    "variants": flags.Flag("", "configs: variants timed beside the config itself, separated by commas"),
    "steps": flags.Flag(20, "configs and pytorch: training steps timed, interleaved", low=1),
}, words=WORDS)


def main(options: flags.Options) -> int:
    """Prints a line with time and ratio for each alternative."""
    if len(options.words) != 1 or options.words[0] not in WORDS.split("|"):
        raise ValueError(f"name one benchmark: {', '.join(WORDS.split('|'))}")
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
