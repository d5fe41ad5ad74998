"""What `sweep` does once its flags are read: plan, run, table."""

from pathlib import Path

from attention_lab.checks import show
from attention_lab.sweeps.execution import Shared, execute, steps_of
from attention_lab.sweeps.plan import Group
from attention_lab.sweeps.space import describe
from attention_lab.tasks import build
from attention_lab.training.estimate import estimate
from attention_lab.training.progress import progress
from experiments.flags import Options
from experiments.sweep import say


def parent(options: Options) -> Path:
    """The folder of the cells' folders: `train` finds the same runs there."""
    return Path(options.workdir or Path("runs") / options.experiment)


def sweep(options: Options, groups: list[Group]) -> int:
    """Runs the cells, prints a line for each, and tells how to repeat those that failed."""
    steps = [steps_of(group, build) for group in groups]
    with progress(None if None in steps else sum(steps), str(parent(options))) as line:
        outcomes = execute(groups, parent(options), Shared(build), options.command, line, say)
    for outcome in outcomes:
        result = outcome.result or {"status": "failed"}
        numbers = [f"{name}={value:.6g}" for name, value in result.items()
                   if name in ("dev_bleu", "test_bleu", "train_seconds")]
        print("\t".join([str(outcome.folder), describe(outcome.cell.overrides), result["status"], *numbers]))
    failed = [outcome for outcome in outcomes if outcome.result is None]
    for outcome in failed:
        say(f"{describe(outcome.cell.overrides)} failed: {outcome.error}")
    if failed:
        say(f"{len(failed)} of {len(outcomes)} cells failed; to run them again: {options.command}")
    return 1 if failed else 0


def dry_run(options: Options, groups: list[Group]) -> int:
    """Prints cells and programs with estimates; writes and compiles nothing."""
    minutes = 0.0
    for number, group in enumerate(groups):
        numbers = estimate(build(group.structure), group.structure)
        minutes += (numbers["minutes"] or 0.0) * len(group.cells)
        print("\t".join([f"program {number}", f"{len(group.cells)} cells"]
                        + [f"{name}={show(value)}" for name, value in numbers.items()]))
        for cell in group.cells:
            print("\t".join([str(cell.folder(parent(options))), describe(cell.overrides)]))
    cells = sum(len(group.cells) for group in groups)
    print(f"cells\t{cells}\nprograms\t{len(groups)}\nminutes\t{minutes:.2g}")
    return 0
