"""python -m experiments.sweep --config=FILE.py [--sweep=config.KEY=A,B] [--seeds=0:4]: many runs."""

from attention_lab.storage import environment
from attention_lab.sweeps.plan import WAYS
from experiments import flags

PROGRAM = flags.Program("sweep", "Runs a config over fields and seeds; goes on where it was stopped.", {
    "sweep": flags.Flag((), "a field and its values, as config.optimizer.learning_rate=1e-3,3e-3, or "
                        "log(low,high,count), linear(low,high,count), range(start,stop); given several "
                        "times, every combination is run; without it and --seeds, what the config "
                        "file's get_sweep() gives; a search takes log(low,high) and linear(low,high) too"),
    "seeds": flags.Flag("", "seeds of every cell: 0:8 is 0 to 7; 0,3,5 is a list"),
    "workdir": flags.Flag("", "the parent of the cells' folders; empty: runs/EXPERIMENT"),
    "max_cells": flags.Flag(1000, "more cells are refused", low=1),
    "dry_run": flags.Flag(False, "prints the cells and programs, and what they take; writes nothing"),
    "how": flags.Flag("auto", "loop runs a cell after the other; map and vmap run those that differ in "
                      "numbers alone in one program, spread over the devices here; measure times them and "
                      "takes the fastest; auto is loop on a CPU and measure elsewhere", choices=WAYS),
    "workers": flags.Flag(1, "processes that share the work; on one machine each gets its share of the "
                          "cores, so that numbers differ in the last digits from those of one worker",
                          low=1),
    "storage": flags.Flag("", "where the queue of several workers is kept: a file, or a database such as "
                          "postgresql://user@host/name; empty: a file in the workdir"),
    "join": flags.Flag(False, "takes work from the sweep in --storage, on this host or any other, until "
                       "none is left; --sweep need not be repeated"),
    "search": flags.Flag("", "tpe or random: proposes cells inside --sweep's ranges instead of all"),
    "trials": flags.Flag(0, "cells of a search", low=0),
    "maximize": flags.Flag("", "the dev score of result.json that a search raises, such as dev_bleu"),
    "minimize": flags.Flag("", "the dev score that it lowers"),
    "launcher": flags.Flag("process", "process starts workers here; slurm submits them by submitit; local "
                           "runs what slurm would, here", choices=("process", "slurm", "local")),
    "launcher_options": flags.Flag("", "for slurm, as timeout_min=600,slurm_partition=gpu,gpus_per_node=1"),
    "lease": flags.Flag(60.0, "seconds of silence after which another worker takes a cell over", above=0.0),
})


def main(options: flags.Options) -> int:
    """Runs what is not finished, prints a table; status 1 where a cell failed."""
    check(options)
    from experiments import sweep_run
    environment.check_settings()
    return sweep_run.main(options)


def check(options: flags.Options) -> None:
    """ValueError for flags that don't go together."""
    several = [name for name in ("workers", "storage", "search", "join", "launcher")
               if getattr(options, name) != PROGRAM.flags[name].default]
    if options.how not in ("auto", "loop") and several:
        raise ValueError(f"--how={options.how} and --{several[0]} don't go together: workers take one "
                         "cell at a time")
    if options.join and not options.storage:
        raise ValueError("--join needs --storage=URL, the place of the sweep to take work from")
    goals = [name for name in ("maximize", "minimize") if getattr(options, name)]
    if options.search:
        if len(goals) != 1 or options.trials < 1 or not options.sweep:
            raise ValueError("--search needs --trials=N, --sweep=config.KEY=log(low,high), and one of "
                             "--maximize=dev_... and --minimize=dev_...")
        if options.seeds:
            raise ValueError("--search and --seeds don't go together: sweep the best cell over seeds after "
                             "it")
    elif goals or options.trials:
        raise ValueError(f"--{goals[0] if goals else 'trials'} is given without --search: add --search=tpe")


if __name__ == "__main__":
    flags.run(main, PROGRAM)
