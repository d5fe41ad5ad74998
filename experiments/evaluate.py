"""python -m experiments.evaluate --run=DIR [--config.data.split=dev] [--lengths=1-10,11-20]: scores a run."""

from attention_lab.config import parse as overrides
from attention_lab.storage import runs
from experiments import flags

# Fields that may differ from the run's: the sentences, and the search for translations. Sizes may not, as
# splits are cut from one stream: other sizes would score sentences that were trained on. A guide must be the
# run's, which may have been moved.
KEYS = ("data.source", "data.directory", "data.path", "data.text", "data.split", "data.corpus_seed",
        "data.lexicon_size", "data.min_words", "data.max_words", "data.word", "data.least_distance",
        "data.most_distance", "data.distractors", "decoding.beam", "decoding.length_penalty",
        "decoding.max_length", "attention.guide")
PROGRAM = flags.Program("evaluate", "Scores a finished run on a split of its own or of other data.", {
    "run": flags.Flag("", "folder of a finished run", required=True),
    "lengths": flags.Flag((), "bins of source lengths to score as well, such as 1-10,11-20, in words between "
                          "spaces, a full stop included"),
    "with_trained": flags.Flag(False, "of other data scores the sentences that the run was trained on, too; "
                               "a language model scores a text whole in any case"),
}, config="overrides", keys=KEYS)


def main(options: flags.Options) -> int:
    """Prints the scores of a split, one per line; writes nothing."""
    from attention_lab.evaluation import lengths
    from attention_lab.tasks.evaluate import evaluate
    from attention_lab.tasks.load import load
    bins = lengths.bins(",".join(options.lengths)) if options.lengths else []
    config = overrides.apply(runs.load_run(options.run).config, options.given)
    trained, changed = load(options.run, config, flags.say), [key for key, _ in options.given]
    for name, value in evaluate(trained, changed, bins, flags.say, options.with_trained):
        print(f"{name}\t{value}")
    return 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
