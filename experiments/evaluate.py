"""python -m experiments.evaluate --run=DIR [--config.data.split=dev] [--lengths=1-10,11-20]: scores a run."""

from attention_lab.config import parse as overrides
from attention_lab.config import task_of
from attention_lab.config.sources import of_task
from attention_lab.storage import runs
from experiments import flags

# Fields that may differ from the run's: the sentences, and the search for translations. Sizes may not, as
# splits are cut from one stream: other sizes would score sentences that were trained on.
KEYS = ("data.source", "data.directory", "data.path", "data.text", "data.split", "data.corpus_seed",
        "data.lexicon_size", "data.min_words", "data.max_words", "data.word", "data.least_distance",
        "data.most_distance", "data.distractors", "decoding.beam", "decoding.length_penalty",
        "decoding.max_length")
PROGRAM = flags.Program("evaluate", "Scores a finished run on a split of its own or of other data.", {
    "run": flags.Flag("", "folder of a finished run", required=True),
    "lengths": flags.Flag((), "bins of source lengths to score as well, such as 1-10,11-20, in words between "
                          "spaces, a full stop included"),
}, config="overrides", keys=KEYS)


def main(options: flags.Options) -> int:
    """Prints the scores of a split, one per line; writes nothing."""
    from attention_lab.tasks.load import load
    from attention_lab.tasks.registry import family
    own = runs.load_run(options.run).config
    config, evaluate = overrides.apply(own, options.given), family(own).evaluate
    if evaluate is None:
        raise ValueError(f"{options.run} does not translate or classify: its data.source is "
                         f"{own.data.source}")
    if task_of(config) != task_of(own):
        raise ValueError(f"data.source={config.data.source}: {options.run} was trained for {task_of(own)}; "
                         f"{', '.join(of_task(task_of(own)))} are allowed")
    trained = load(options.run, config, flags.say)
    for name, value in evaluate(trained, [key for key, _ in options.given], options.lengths, flags.say):
        print(f"{name}\t{value}")
    return 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
