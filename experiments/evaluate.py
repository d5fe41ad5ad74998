"""python -m experiments.evaluate --run=DIR [--config.data.split=dev]: scores a finished run on data."""

from experiments import flags

FLAGS = {"run": flags.Flag("", "folder of a finished run", required=True)}


def main(options: flags.Options) -> int:
    """Prints the scores of a split, a line each; writes nothing."""
    from attention_lab import overrides, runs
    from attention_lab.config import split
    from attention_lab.tasks import finished, translation
    config = overrides.apply(runs.load_run(options.run).config, options.given)
    run = finished.load(options.run)
    built = translation.build(config, options.run)
    scores = built.task.score(run.params, split(config)[1], config.data.split, True)
    for name, value in scores.numbers.items():
        print(f"{name}\t{value}")
    return 0


if __name__ == "__main__":
    flags.run(main, "evaluate", "Scores a finished run on a split of its own or of other data.", FLAGS,
              config="overrides")
