"""python -m experiments.train --config=FILE.py[:variant]: trains one run, or resumes it."""

from experiments import flags

PROGRAM = flags.Program("train", "Trains one run or resumes it; does nothing to a finished one.", {
    "workdir": flags.Flag("", "the run's folder; empty: runs/EXPERIMENT/HASH"),
    "dry_run": flags.Flag(False, "prints the config and estimates; writes nothing"),
    "rerun": flags.Flag(False, "moves an existing run in the folder aside and starts again"),
    "profile": flags.Flag("", "times a few steps before training, and writes their trace into this folder; "
                          "given without a folder, into profile in the run's", bare="{run}/profile"),
}, lists=("dry_run",))


def main(options: flags.Options) -> int:
    """Trains, scores, draws; status 1 if the run diverged, or if one of its scores failed."""
    from experiments import train_run
    return train_run.dry_run(options) if options.dry_run else train_run.train(options)


if __name__ == "__main__":
    flags.run(main, PROGRAM)
