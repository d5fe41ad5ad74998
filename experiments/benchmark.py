"""python -m experiments.benchmark attention|start|together|configs|pytorch: timings, interleaved."""

import importlib

from attention_lab.storage import environment
from experiments import flags

# Module and function of each benchmark; the modules start jax or need PyTorch.
BENCHMARKS = {"attention": ("benchmark_attention", "main"), "start": ("benchmark_start", "main"),
              "together": ("benchmark_jax", "together"),
              "configs": ("benchmark_jax", "configs"), "pytorch": ("benchmark_pytorch", "main")}
FLAGS = {
    "runs": flags.Flag(8, "together: runs of the config, one seed each, that are trained together", low=2),
    "variants": flags.Flag("", "configs: variants timed beside the config itself, separated by commas"),
    "steps": flags.Flag(20, "configs and pytorch: training steps timed, interleaved", low=1),
    "lengths": flags.Flag("1024,4096,16384", "attention: queries and keys, separated by commas"),
    "rounds": flags.Flag(5, "attention and start: timings of each way, interleaved", low=1),
    "peers": flags.Flag(False, "attention: PyTorch's scaled_dot_product_attention as well"),
    "check": flags.Flag(False, "attention: errors against float64 instead of timings"),
    "json": flags.Flag("", "attention and start: a new file for the rows, the machine and the versions"),
}
PROGRAM = flags.Program("benchmark", "Times alternatives for the same work: attention, or training by a "
                        "config.", FLAGS, config="optional",
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
    try:
        benchmark = importlib.import_module(f"experiments.{module}")
    except ModuleNotFoundError as error:
        raise ValueError(f"{error.name} is not installed: pip install -e '.[pytorch]'") from error
    return getattr(benchmark, function)(options)


if __name__ == "__main__":
    flags.run(main, PROGRAM)
