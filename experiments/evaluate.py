"""python -m experiments.evaluate --run=DIR [--config.data.split=dev] [--lengths=1-10,11-20]: scores a run."""

from attention_lab.config import parse as overrides
from attention_lab.config import task_of
from attention_lab.storage import runs
from experiments import flags

# What may differ from the run: which sentences, and how translations are searched for. Sizes may not:
# splits are cut from one stream, so that other sizes would score sentences that were trained on.
KEYS = ("data.source", "data.directory", "data.path", "data.text", "data.split", "data.corpus_seed",
        "data.lexicon_size", "data.min_words", "data.max_words", "data.word", "data.least_distance",
        "data.most_distance", "data.distractors", "decoding.beam", "decoding.length_penalty",
        "decoding.max_length")
PROGRAM = flags.Program("evaluate", "Scores a finished run on a split of its own or of other data.", {
    "run": flags.Flag("", "folder of a finished run", required=True),
    "lengths": flags.Flag((), "bins of source words to be scored apart as well, such as 1-10,11-20; words "
                          "are what blanks part, a full stop among them"),
}, config="overrides", keys=KEYS)


def main(options: flags.Options) -> int:
    """Prints the scores of a split, a line each; writes nothing."""
    from experiments import evaluate_classes, evaluate_translations
    held = runs.load_run(options.run).config
    config, changed = overrides.apply(held, options.given), [key for key, _ in options.given]
    if task_of(held) != "classification":
        return evaluate_translations.translations(options.run, held, config, changed, options.lengths)
    if options.lengths:
        raise ValueError(f"--lengths={','.join(options.lengths)}: {options.run} classifies; translations are "
                         "scored by length")
    return evaluate_classes.classes(options.run, config, changed, flags.say)


if __name__ == "__main__":
    flags.run(main, PROGRAM)
