"""python -m experiments.benchmark attention|training|decoding|sampling|sweep|start|cost|page: timings."""

import importlib

from attention_lab.storage import environment
from experiments import flags

# Module and function of each benchmark; the modules start jax.
BENCHMARKS = {"attention": ("benchmark_attention", "main"), "training": ("benchmark_training", "training"),
              "sweep": ("benchmark_training", "sweep"), "start": ("benchmark_start", "main"),
              "decoding": ("benchmark_decoding", "main"), "sampling": ("benchmark_sampling", "main"),
              "cost": ("benchmark_cost", "main"), "page": ("benchmark_page", "main")}
WITHOUT_CONFIG = ("attention", "decoding", "cost", "page")
# The flags that each benchmark reads.
READS = {"attention": ("lengths", "precision", "rounds", "peers", "check", "json"),
         "training": ("variants", "steps", "peers", "json"), "sweep": ("runs", "json"),
         "start": ("rounds", "json"), "decoding": ("run", "sentences", "rounds", "peers", "json"),
         "sampling": ("rounds", "json"),
         "cost": ("rounds", "json"), "page": ()}
FLAGS = {
    "runs": flags.Flag(8, "sweep: runs of the config, one seed each, that are trained together", low=2),
    "variants": flags.Flag("", "training: variants timed beside the config itself, separated by commas"),
    "steps": flags.Flag(20, "training: steps timed, interleaved", low=1),
    "lengths": flags.Flag("64,256,1024,4096,16384", "attention: queries and keys, separated by commas"),
    "precision": flags.Flag("float32", "attention: type of queries, keys and values",
                            choices=("float32", "bfloat16")),
    "run": flags.Flag("", "decoding: folder of a finished translation run"),
    "sentences": flags.Flag(1000, "decoding: sentences of dev, at most", low=1),
    "rounds": flags.Flag(5, "timings of each way, interleaved", low=1),
    "peers": flags.Flag(False, "other libraries' programs for the same work as well"),
    "check": flags.Flag(False, "attention: errors against float64 instead of timings"),
    "json": flags.Flag("", "a new file for the rows, the machine and the versions"),
}
PROGRAM = flags.Program("benchmark", "Times alternatives: attention, training, decoding, sampling, sweeps, "
                        "starts.", FLAGS, config="optional", words="|".join(BENCHMARKS))


def main(options: flags.Options) -> int:
    """Prints a line with time and ratio for each alternative."""
    if len(options.words) != 1 or options.words[0] not in BENCHMARKS:
        raise ValueError(f"name one benchmark: {', '.join(BENCHMARKS)}")
    word = options.words[0]
    if options.config is None and word not in WITHOUT_CONFIG:
        raise ValueError(f"--config is required: benchmark {word} reads a config")
    if options.config is not None and word in WITHOUT_CONFIG:
        raise ValueError(f"--config={options.file} is given, but benchmark {word} reads no config")
    for name, flag in FLAGS.items():
        if name not in READS[word] and getattr(options, name) != flag.default:
            raise ValueError(f"--{name} is given, but benchmark {word} reads "
                             + (", ".join(f"--{other}" for other in READS[word]) or "no flag"))
    environment.check_settings()
    module, function = BENCHMARKS[word]
    return getattr(importlib.import_module(f"experiments.{module}"), function)(options)


if __name__ == "__main__":
    flags.run(main, PROGRAM)
