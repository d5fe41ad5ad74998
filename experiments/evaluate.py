"""python -m experiments.evaluate --run=DIR [--config.data.split=dev]: scores a finished run on data."""

from experiments import flags

FLAGS = {"run": flags.Flag("", "folder of a finished run", required=True)}
# What may differ from the run: which sentences, and how translations are searched for.
ALLOWED = ("data.source", "data.directory", "data.path", "data.text", "data.split", "data.corpus_seed",
           "data.train_size", "data.dev_size", "data.test_size", "data.lexicon_size", "data.min_words",
           "data.max_words", "decoding.beam", "decoding.length_penalty", "decoding.max_length")


def main(options: flags.Options) -> int:
    """Prints the scores of a split, a line each; writes nothing."""
    for key, _ in options.given:
        if key not in ALLOWED:
            raise ValueError(f"--config.{key} is settled by the run: allowed are {', '.join(ALLOWED)}")
    from attention_lab import overrides, runs
    from attention_lab.data import tsv
    from attention_lab.tasks import corpora, finished, translation
    held = runs.load_run(options.run).config
    config = overrides.apply(held, options.given)
    run = finished.load(options.run, config)
    data = config.data
    if data.source == "tsv" and data.path != held.data.path:
        pairs = tsv.read(data.path)  # another file holds nothing out: all of it is scored
    else:
        pairs = corpora.load(data, (data.split,))[data.split]
    print(f"pairs\t{len(pairs)}")
    scores = translation.scores(run.translator, run.params, pairs, data.split)
    for name, value in scores.numbers.items():
        print(f"{name}\t{value}")
    return 0


if __name__ == "__main__":
    flags.run(main, "evaluate", "Scores a finished run on a split of its own or of other data.", FLAGS,
              config="overrides")
