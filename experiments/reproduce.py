"""python -m experiments.reproduce STUDY ...: measures missing cells, judges the claims, draws."""

import contextlib
import os
from pathlib import Path

from experiments import flags

ROOT = Path(__file__).parents[1]
WORDS = "STUDY [STUDY ...]"
PROGRAM = flags.Program("reproduce", "Measures missing cells of a study, judges, and draws its figure.", {
    "preset": flags.Flag("cpu", "smoke (seconds, kept only with --results), cpu or accelerator"),
    "all": flags.Flag(False, "every study"),
    "list": flags.Flag(False, "lists the studies and their questions; measures nothing"),
    "redraw": flags.Flag(False, "judges and draws from the existing tables; measures nothing"),
    "robust": flags.Flag(False, "measures the final runs again, too, with half, twice and four times the "
                         "steps and at each learning rate of the grid: what the verdicts survive"),
    "accept_changed_claims": flags.Flag(False, "continues where a study's claims or recipe differ from those "
                                        "declared before its runs; every table then says so"),
    "workers": flags.Flag(1, "processes that train a study's runs, each on its share of the cores; numbers "
                          "then differ in the last digits from those of one worker", low=1),
    "data": flags.Flag("", "parent of the real corpora, such as multi30k/; empty: the environment variable "
                       "ATTENTION_LAB_DATA"),
    "studies": flags.Flag("", "parent of the studies' folders; empty: experiments/studies"),
    "results": flags.Flag("", "parent of the folders for results; empty: the studies' own folders"),
}, config="none", words=WORDS, lists=("list",))


def main(options: flags.Options) -> int:
    """Reproduces the named studies; prints a table of verdicts for each."""
    from attention_lab.config.values import show
    from attention_lab.studies.load import load, names
    from attention_lab.studies.reproduce import reproduce
    from attention_lab.sweeps import launch
    from attention_lab.tasks import build
    from experiments.short_compilation import short_compilation
    from experiments.sweep_run import join_command

    def by_workers(file, config, given, groups, runs, workers):
        command = join_command(file, [(key, show(value)) for key, value in given.items()])
        launch.run_groups(groups, config, runs, launch.Workers(command, workers), build, flags.say)

    default = Path(os.path.relpath(ROOT / "experiments" / "studies"))
    folder = Path(options.studies) if options.studies else default
    if options.list:
        for name in names(folder):
            print(f"{name}\t{load(name, folder).question}")
        return 0
    chosen = names(folder) if options.all else options.words
    if not chosen:
        raise ValueError(f"no study is given: give {WORDS}, --all or --list; there are "
                         f"{', '.join(names(folder))}")
    studies = [load(name, folder) for name in dict.fromkeys(chosen)]
    for study in studies:
        study.settings(options.preset)
    brief = options.preset == "smoke" and not options.redraw
    kept = options.preset != "smoke" or bool(options.results)
    root = Path(options.results) if options.results else folder
    with short_compilation() if brief else contextlib.nullcontext():
        for study in studies:
            reproduce(study, root if kept else None, options.preset, redraw=options.redraw,
                      vary=options.robust, accept_changed_claims=options.accept_changed_claims,
                      data=options.data or os.environ.get("ATTENTION_LAB_DATA", ""),
                      command=options.command, workers=options.workers, by_workers=by_workers,
                      documents=[ROOT / "README.md"] if root == default else [])
    return 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
