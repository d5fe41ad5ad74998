"""python -m experiments.reproduce STUDY ...: measures what is missing, judges, draws."""

import contextlib
from pathlib import Path

from experiments import flags

WORDS = "STUDY [STUDY ...]"
PROGRAM = flags.Program("reproduce", "Measures what a study lacks, gives its verdicts, draws its figure.", {
    "preset": flags.Flag("cpu", "smoke (seconds, kept only where --results is given), cpu or accelerator"),
    "all": flags.Flag(False, "every study, and claims.png and claims.md over all of them"),
    "list": flags.Flag(False, "names the studies and their questions; measures nothing"),
    "redraw": flags.Flag(False, "judges and draws from the tables that are there; measures nothing"),
    "workers": flags.Flag(1, "processes that train a study's runs, each on its share of the cores; numbers "
                          "then differ in the last digits from those of one worker", low=1),
    "data": flags.Flag("", "the folder of real corpora, such as multi30k/, for the studies that read them; "
                       "empty: the environment variable ATTENTION_LAB_DATA"),
    "results": flags.Flag("", "the folder of the studies' folders; empty: experiments/results"),
}, config="none", words=WORDS)


def main(options: flags.Options) -> int:
    """Reproduces the named studies; prints a table of verdicts for each."""
    from experiments import reproduction, studies, summary
    from experiments.short_compilation import short_compilation
    if options.list:
        for name in studies.NAMES:
            print(f"{name}\t{studies.load(name).question}")
        return 0
    names = list(studies.NAMES) if options.all else options.words
    if not names:
        raise ValueError(f"no study is named: give {WORDS}, --all or --list; there are "
                         f"{', '.join(studies.NAMES)}")
    chosen = [studies.load(name) for name in dict.fromkeys(names)]
    for study in chosen:
        if options.preset not in study.presets:
            raise ValueError(f"--preset={options.preset}: allowed are {', '.join(study.presets)}")
    brief = options.preset == "smoke" and not options.redraw
    with short_compilation() if brief else contextlib.nullcontext():
        for study in chosen:
            reproduction.reproduce(study, options)
    if options.all and (options.preset != "smoke" or options.results):
        summary.summarise(Path(options.results or reproduction.RESULTS), names)
    return 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
