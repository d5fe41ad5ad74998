"""python -m experiments.sweep --config=FILE.py [--sweep=config.KEY=A,B] [--seeds=0:4]: many runs."""

from attention_lab.storage import environment
from attention_lab.sweeps.plan import WAYS
from experiments import flags

PROGRAM = flags.Program("sweep", "Runs a config over fields and seeds; resumes where it was stopped.", {
    "sweep": flags.Flag((), "a field and its values: config.optimizer.learning_rate=1e-3,3e-3, or "
                        "log(low,high,count), linear(low,high,count), range(start,stop); repeated, it gives "
                        "every combination; default without --seeds: get_sweep() of the config file; a "
                        "search also takes log(low,high) and linear(low,high)"),
    "seeds": flags.Flag("", "seeds of every cell: 0:8 is 0 to 7; 0,3,5 is a list; 8..16 is 8, and up to 16 "
                        "until --decide is decided; of a search the tuning seeds"),
    "decide": flags.Flag("", "with --seeds=8..16: the number of result.json by which arms are compared after "
                         "8, 12 and 16 seeds, such as test_bleu"),
    "reference": flags.Flag("", "with --decide: value of the arm that others are compared with; empty: the "
                            "default's, or the first"),
    "margin": flags.Flag(0.0, "with --decide: differences nearer to 0 than this count as equal", low=0.0),
    "per_seed": flags.Flag(False, "a line of the table for each cell, instead of one for each arm with means "
                           "over its seeds"),
    "workdir": flags.Flag("", "the parent of the cells' folders; empty: runs/EXPERIMENT"),
    "max_cells": flags.Flag(1000, "refuses more cells than this", low=1),
    "dry_run": flags.Flag(False, "prints cells, programs and estimates; writes nothing"),
    "how": flags.Flag("auto", "loop runs cells one after another; map and vmap run cells that differ in "
                      "numbers alone as one program, spread over this machine's devices; measure times them "
                      "and takes the fastest; auto is loop on a CPU and measure elsewhere", choices=WAYS),
    "workers": flags.Flag(1, "processes that share the work, and on one machine its cores; numbers differ in "
                          "the last digits from those of one worker", low=1),
    "storage": flags.Flag("", "where the workers' queue is kept: a file, or a database such as "
                          "postgresql://user@host/name; empty: a file in the workdir"),
    "join": flags.Flag(False, "takes cells of the sweep in --storage, on this host or another, until none is "
                       "left; --sweep need not be repeated"),
    "search": flags.Flag("", "tpe or random: proposes configs inside --sweep's ranges instead of all, and "
                         "runs the best three on fresh seeds"),
    "trials": flags.Flag(0, "configs of a search", low=0),
    "maximize": flags.Flag("", "the dev score of result.json whose mean over --seeds a search maximizes, "
                           "such as dev_bleu"),
    "minimize": flags.Flag("", "the dev score that it minimizes"),
    "prune": flags.Flag("none", "ends bad trials after fewer seeds or steps: median those below the median "
                        "of earlier ones, percentile those below their best quarter; halving keeps the "
                        "better half after a quarter and after a half of a trial"),
    "fresh_seeds": flags.Flag("", "seeds on which the best three configs of a search are run; empty: as many "
                              "as the tuning seeds, following them"),
    "launcher": flags.Flag("process", "process starts workers here; slurm submits them with submitit; local "
                           "runs the Slurm jobs here", choices=("process", "slurm", "local")),
    "launcher_options": flags.Flag("", "for slurm, as timeout_min=600,slurm_partition=gpu,gpus_per_node=1"),
    "distributed": flags.Flag(False, "refused: a sweep goes to several hosts by --storage and --join"),
    "lease": flags.Flag(60.0, "seconds of silence after which another worker takes over a cell", above=0.0),
}, lists=("dry_run",))


def main(options: flags.Options) -> int:
    """Runs unfinished cells and prints a table; status 1 if a cell failed."""
    check(options)
    from experiments import looks_run, search_run, sweep_run
    environment.check_settings()
    if options.join:
        return sweep_run.join(options)
    return (search_run if options.search else looks_run if options.decide else sweep_run).main(options)


def check(options: flags.Options) -> None:
    """ValueError for incompatible flags."""
    if options.distributed:
        raise ValueError("--distributed trains one run: a sweep's cells go to several hosts by --storage and "
                         "--join")
    several = [name for name in ("workers", "storage", "search", "join", "launcher")
               if getattr(options, name) != PROGRAM.flags[name].default]
    if options.how not in ("auto", "loop") and several:
        raise ValueError(f"--how={options.how} and --{several[0]} don't go together: workers take one "
                         "cell at a time")
    if options.join and not options.storage:
        raise ValueError("--join needs --storage=URL, the storage of the sweep to join")
    if (".." in options.seeds) != bool(options.decide) and not options.join:
        raise ValueError("--seeds=8..16 and --decide=METRIC go together: after 8 seeds it is decided whether "
                         "16 are needed")
    for name in ("reference", "margin"):
        if getattr(options, name) and not options.decide:
            raise ValueError(f"--{name} is given without --decide=METRIC")
    if options.decide and not options.sweep and not options.join:
        raise ValueError("--decide compares arms: add --sweep=config.KEY=VALUE,VALUE")
    goals = [name for name in ("maximize", "minimize") if getattr(options, name)]
    if options.search:
        if options.decide:
            raise ValueError("--search and --decide don't go together: a search scores by means on dev")
        if len(goals) != 1 or options.trials < 1 or not options.sweep:
            raise ValueError("--search needs --trials=N, --sweep=config.KEY=log(low,high), and one of "
                             "--maximize=dev_... and --minimize=dev_...")
        return
    for name in (*goals, "trials", "prune", "fresh_seeds"):
        if getattr(options, name) != PROGRAM.flags[name].default:
            raise ValueError(f"--{name} is given without --search: add --search=tpe")


if __name__ == "__main__":
    flags.run(main, PROGRAM)
