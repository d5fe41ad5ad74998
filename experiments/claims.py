"""python -m experiments.claims: all verdicts, and whether their claims were declared before the results."""

import os
from pathlib import Path

from experiments import flags

ROOT = Path(__file__).parents[1]
PROGRAM = flags.Program("claims", "Shows all verdicts, and whether their claims were declared beforehand.", {
    "check": flags.Flag(False, "in place of the table: computes the hash of each study's claims again from "
                        "the commit before its runs; status 1, and a line on stderr, for what does not match "
                        "and for uncommitted changes of studies and of what judges them"),
    "format": flags.Flag("table", "table (120 columns wide) or markdown", choices=("table", "markdown")),
    "figure": flags.Flag("", "a new PNG: each claim a box in the colour of its verdict"),
    "studies": flags.Flag("", "parent of the studies' folders; empty: experiments/studies"),
}, config="none", device=False, lists=("check",))


def main(options: flags.Options) -> int:
    """Prints the ledger, or with --check a line for each study."""
    from attention_lab.figures import style
    from attention_lab.figures.verdicts import verdict_grid
    from attention_lab.studies import history, ledger, robust, tables
    from attention_lab.studies.declared import CLEAN, declared

    if options.figure and Path(options.figure).exists():
        raise ValueError(f"--figure={options.figure} exists: give a new file")
    if options.check and options.format != "table":
        raise ValueError(f"--format={options.format} is that of the ledger, which --check does not print")
    root = Path(options.studies or os.path.relpath(ROOT / "experiments" / "studies"))
    every = tables.read(root)
    if not every:
        raise ValueError(f"no folder below {root} has a {tables.VERDICTS}")
    declarations = declared(root, every, prove=options.check)
    if options.figure:
        short = {name: each.short for name, each in declarations.items()}
        style.save(verdict_grid(every, short), options.figure)
    if not options.check:
        kept = {name: robust.read(root / name) for name in every}
        shown = {"table": ledger.terminal, "markdown": ledger.markdown}[options.format]
        print(shown(every, declarations, kept), end="")
        return 0
    for name, each in declarations.items():
        print("\t".join([name, each.state, *each.reasons]))
    wrong = [f"{name}: {mismatch}" for name, each in declarations.items() for mismatch in each.mismatches]
    try:
        wrong += [f"{path} has uncommitted changes" for path in history.uncommitted(root, CLEAN)]
    except ValueError:
        flags.say(f"can't tell whether there are uncommitted changes: {root} is in no git checkout")
    for line in wrong:
        flags.say(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    flags.run(main, PROGRAM)
