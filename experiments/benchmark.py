"""python -m experiments.benchmark attention|decoding|together|configs|pytorch: timings, interleaved."""

import importlib

from attention_lab.storage import environment
from experiments import flags

# Module and function of each benchmark; the modules start jax or need PyTorch.
BENCHMARKS = {"attention": ("benchmark_attention", "main"), "decoding": ("benchmark_decoding", "main"),
              "together": ("benchmark_jax", "together"), "configs": ("benchmark_jax", "configs"),
              "pytorch": ("benchmark_pytorch", "main")}
FLAGS = {
    "runs": flags.Flag(8, "together: runs of the config, one seed each, that are trained together", low=2),
    "variants": flags.Flag("", "configs: variants timed beside the config itself, separated by commas"),
    "steps": flags.Flag(20, "configs and pytorch: training steps timed, interleaved", low=1),
    "lengths": flags.Flag("1024,4096,16384", "attention: queries and keys, separated by commas"),
    "run": flags.Flag("", "decoding: folder of a finished translation run"),
    "sentences": flags.Flag(1000, "decoding: sentences of dev, at most", low=1),
    "rounds": flags.Flag(5, "attention and decoding: timings of each way, interleaved", low=1),
    "peers": flags.Flag(False, "attention: PyTorch's scaled_dot_product_attention as well; decoding: "
                        "CTranslate2 with the same weights"),
    "check": flags.Flag(False, "attention: errors against float64 instead of timings"),
    "json": flags.Flag("", "attention and decoding: a new file for the rows, the machine and the versions"),
}
PROGRAM = flags.Program("benchmark", "Times alternatives for the same work: attention, decoding, or "
                        "training by a config.", FLAGS, config="optional",
                        words="|".join(BENCHMARKS))


def main(options: flags.Options) -> int:
    """Prints a line with time and ratio for each alternative."""
    if len(options.words) != 1 or options.words[0] not in BENCHMARKS:
        raise ValueError(f"name one benchmark: {', '.join(BENCHMARKS)}")
    word = options.words[0]
    if options.config is None and word not in ("attention", "decoding"):
        raise ValueError(f"--config is required: {word} trains by a config")
    environment.check_settings()
    module, function = BENCHMARKS[word]
    try:
        benchmark = importlib.import_module(f"experiments.{module}")
    except ModuleNotFoundError as error:
        raise ValueError(f"{error.name} is not installed: pip install -e '.[pytorch]'") from error
    return getattr(benchmark, function)(options)


if __name__ == "__main__":
    flags.run(main, PROGRAM)
