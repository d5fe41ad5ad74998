"""python -m experiments.compare FOLDER --arms=config.KEY --metric=NAME: arms compared over paired seeds."""

from pathlib import Path

from experiments import flags

PROGRAM = flags.Program("compare", "Compares arms over seeds: effect, interval, verdict, seeds needed.", {
    "arms": flags.Flag("", "the fields that tell arms apart, such as config.attention.scale; several are "
                       "separated by commas", required=True),
    "metric": flags.Flag("", "a number of result.json, such as test_bleu", required=True),
    "reference": flags.Flag("", "value of the arm that others are compared with; empty: the default's, or "
                            "the first"),
    "direction": flags.Flag("", "greater or less: what is claimed of the arms; empty: both sides"),
    "margin": flags.Flag(0.0, "differences nearer to 0 than this count as equal; 0: none do", low=0.0),
    "where": flags.Flag((), "config.KEY=VALUE: only runs with this value; may be repeated"),
    "declare": flags.Flag("", "a file: if it is new, writes the comparison into it before runs are there; "
                          "later the same file judges"),
    "seeds": flags.Flag("", "with --declare: the seeds that will be compared, 0:10 is 0 to 9"),
    "add_seeds": flags.Flag(False, "trains the seeds that would decide the comparison, and compares again"),
    "figure": flags.Flag("", "a new PNG: scores of seeds, and differences with their intervals"),
    "json": flags.Flag("", "a new file with the numbers"),
}, config="none", words="FOLDER [FOLDER ...]")


def main(options: flags.Options) -> int:
    """Prints a line for each arm, then a sentence for each contrast; status 1 if one is undecided."""
    if not options.words:
        raise ValueError("name a folder of runs: python -m experiments.compare runs/translation --arms=... "
                         "--metric=...")
    for name in ("figure", "json"):
        if getattr(options, name) and Path(getattr(options, name)).exists():
            raise ValueError(f"--{name}={getattr(options, name)} exists: give a new file")
    if options.seeds and not options.declare:
        raise ValueError("--seeds goes with --declare=FILE: seeds are fixed before runs are there")
    if options.declare and options.add_seeds:
        raise ValueError("--add_seeds and --declare don't go together: declared seeds are fixed")
    from experiments import compare_run
    return compare_run.main(options)


if __name__ == "__main__":
    flags.run(main, PROGRAM)
