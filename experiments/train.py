"""python -m experiments.train --config=FILE.py[:variant]: trains one run, or resumes it."""

from experiments import flags, hosts

PROGRAM = flags.Program("train", "Trains one run or resumes it; does nothing to a finished one.", {
    "workdir": flags.Flag("", "the run's folder; empty: runs/EXPERIMENT/HASH"),
    "dry_run": flags.Flag(False, "prints the config and estimates; writes nothing"),
    "rerun": flags.Flag(False, "moves an existing run in the folder aside and starts again"),
    "profile": flags.Flag("", "times a few steps before training, and writes their trace into this folder; "
                          "given without a folder, into profile in the run's", bare="{run}/profile"),
    "distributed": flags.Flag(False, "trains the run on the devices of several processes, each started by "
                              "this command: JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID, "
                              "Slurm or a TPU pod say which there are"),
    "wait": flags.Flag(300.0, "seconds in which all processes of --distributed have to be there", above=0.0),
}, lists=("dry_run",))


def main(options: flags.Options) -> int:
    """Trains, scores, draws; status 1 if the run diverged, or if one of its scores failed."""
    for name in ("dry_run", "profile"):
        if options.distributed and getattr(options, name):
            raise ValueError(f"--distributed and --{name} don't go together: estimates and profiles are of "
                             "one process")
    if options.distributed and not hosts.supervised():
        return hosts.supervise(options.command)
    from experiments import train_run
    if options.distributed:
        from attention_lab.training.group import lost
        return hosts.work(lambda joined: train_run.train_in_group(options, joined), lost)
    return train_run.dry_run(options) if options.dry_run else train_run.train(options)


if __name__ == "__main__":
    flags.run(main, PROGRAM)
