"""python -m experiments.train --config=FILE.py[:variant]: trains one run, or goes on with it."""

from experiments import flags

PROGRAM = flags.Program("train", "Trains one run or goes on with it; does nothing to a finished one.", {
    "workdir": flags.Flag("", "the run's folder; empty: runs/EXPERIMENT/HASH"),
    "dry_run": flags.Flag(False, "prints what would be done; writes nothing"),
    "rerun": flags.Flag(False, "moves a run that is in the folder aside and starts anew"),
})


def main(options: flags.Options) -> int:
    """Trains, scores, draws; status 0, or 1 where the run diverged."""
    from experiments import train_run
    return train_run.dry_run(options) if options.dry_run else train_run.train(options)


if __name__ == "__main__":
    flags.run(main, PROGRAM)
