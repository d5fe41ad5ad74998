"""python -m experiments.sweep --config=FILE.py [--sweep=config.KEY=A,B] [--seeds=0:4]: many runs."""

import sys

from experiments import flags

FLAGS = {
    "sweep": flags.Flag((), "a field and its values, as config.optimizer.learning_rate=1e-3,3e-3, or "
                        "log(low,high,count), linear(low,high,count), range(start,stop); given several "
                        "times, every combination is run; without it and --seeds, what the config "
                        "file's get_sweep() gives"),
    "seeds": flags.Flag("", "seeds of every cell: 0:8 is 0 to 7; 0,3,5 is a list"),
    "workdir": flags.Flag("", "the parent of the cells' folders; empty: runs/EXPERIMENT"),
    "max_cells": flags.Flag(1000, "more cells are refused"),
    "dry_run": flags.Flag(False, "prints the cells and programs, and what they take; writes nothing"),
}


def main(options: flags.Options) -> int:
    """Runs what is not finished, prints a table; status 1 where a cell failed."""
    from attention_lab.sweeps import space
    from attention_lab.sweeps.plan import plan
    axes = [space.parse_axis(text) for text in options.sweep]
    if options.seeds:
        axes.append(space.parse_seeds(options.seeds))
    cells = space.product(*axes)
    if not axes:
        # A sweep may stand beside its config.
        get_sweep = getattr(flags.load_module(options.file), "get_sweep", None)
        if get_sweep is None:
            raise ValueError(f"nothing is swept: give --sweep=config.KEY=VALUE,VALUE or --seeds=0:8, or "
                             f"write get_sweep() into {options.file.partition(':')[0]}")
        cells = get_sweep()
    groups = plan(options.config, cells, options.max_cells)
    from experiments import sweep_run
    return sweep_run.dry_run(options, groups) if options.dry_run else sweep_run.sweep(options, groups)


def say(line: str) -> None:
    """A line for the user, apart from results."""
    print(f"sweep: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    flags.run(main, "sweep", "Runs a config over fields and seeds; goes on where it was stopped.", FLAGS)
