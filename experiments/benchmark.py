"""python -m experiments.benchmark attention|training|start|sweep: timings, interleaved."""

import importlib

from attention_lab.storage import environment
from experiments import flags

# Module and function of each benchmark; the modules start jax.
BENCHMARKS = {"attention": ("benchmark_attention", "main"), "training": ("benchmark_training", "training"),
              "start": ("benchmark_start", "main"), "sweep": ("benchmark_training", "sweep")}
FLAGS = {
    "runs": flags.Flag(8, "sweep: runs of the config, one seed each, that are trained together", low=2),
    "variants": flags.Flag("", "training: variants timed beside the config itself, separated by commas"),
    "steps": flags.Flag(20, "training: steps timed, interleaved", low=1),
    "lengths": flags.Flag("1024,4096,16384", "attention: queries and keys, separated by commas"),
    "rounds": flags.Flag(5, "attention and start: timings of each way, interleaved", low=1),
    "peers": flags.Flag(False, "attention and training: PyTorch as well"),
    "check": flags.Flag(False, "attention: errors against float64 instead of timings"),
    "json": flags.Flag("", "a new file for the rows, the machine and the versions"),
}
PROGRAM = flags.Program("benchmark", "Times alternatives for the same work: attention, training, starts, "
                        "sweeps.", FLAGS, config="optional",
                        words="|".join(BENCHMARKS))


def main(options: flags.Options) -> int:
    """Prints a line with time and ratio for each alternative."""
    if len(options.words) != 1 or options.words[0] not in BENCHMARKS:
        raise ValueError(f"name one benchmark: {', '.join(BENCHMARKS)}")
    word = options.words[0]
    if options.config is None and word != "attention":
        raise ValueError(f"--config is required: {word} trains by a config")
    environment.check_settings()
    module, function = BENCHMARKS[word]
    return getattr(importlib.import_module(f"experiments.{module}"), function)(options)


if __name__ == "__main__":
    flags.run(main, PROGRAM)
