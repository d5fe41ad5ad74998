"""Carries out `sweep --seeds=8..16 --decide=METRIC`: more seeds, until arms are decided at a planned look."""

from collections.abc import Sequence
from pathlib import Path

from attention_lab.config import get
from attention_lab.config.values import show
from attention_lab.sweeps import looks
from attention_lab.sweeps.arms import Arms
from attention_lab.sweeps.cell import Outcome, Shared
from attention_lab.sweeps.comparison import Comparison, check, compare, reference_of
from attention_lab.sweeps.launch import name_of
from attention_lab.sweeps.looks import Plan
from attention_lab.sweeps.plan import Group, plan
from attention_lab.tasks import build
from experiments.flags import Options, say
from experiments.sweep_run import (
    cells,
    check_metric,
    check_results,
    dry_run,
    parent,
    report,
    run,
    warn_of_changes,
)


def main(options: Options) -> int:
    """Runs seeds up to the look that decides, prints arms and contrasts; status 1 if a cell failed."""
    groups = plan(options.config, cells(options), options.max_cells)
    planned = planned_of(options, groups)
    if options.dry_run:
        return dry_run(options, groups)
    folder, name = parent(options), name_of(groups)
    check_results(groups, folder)
    warn_of_changes(groups, folder)
    path = looks.keep(planned, folder)
    say(f"looks at {', '.join(map(str, planned.looks))} seeds, planned in {path}")
    outcomes: list[Outcome] = []
    shared, before = Shared(build), 0
    for look in planned.looks:
        outcomes += run(between(groups, before, look), options, folder, shared, name)
        if any(outcome.result is None for outcome in outcomes):
            return report(outcomes, options.command, options.per_seed)
        result = compared(outcomes, planned)
        undecided = [each.arm for each in result.contrasts if not each.decided]
        say(f"look at {look} seeds: " + (f"undecided: {'; '.join(undecided)}" if undecided else "decided"))
        if not undecided:
            break
        before = look
    status = report(outcomes, options.command, options.per_seed)
    for line in result.notices:
        say(line)
    print(*result.sentences(), sep="\n")
    return status


def planned_of(options: Options, groups: Sequence[Group]) -> Plan:
    """The plan that the flags ask for; ValueError where it can't be carried out."""
    margin = options.margin or None
    check("", margin)
    planned = looks.planned(groups, options.seeds, options.decide, options.reference, margin)
    every = [cell for group in groups for cell in group.cells]
    keys = looks.arm_keys(every)
    values = {", ".join(f"{key}={show(get(cell.config, key))}" for key in keys): {
        key: get(cell.config, key) for key in keys} for cell in every}
    reference_of(Arms(keys, values, {}, {}, []), options.reference)
    check_metric("decide", options.decide, options.config)
    return planned


def between(groups: Sequence[Group], first: int, end: int) -> list[Group]:
    """The cells with seeds from `first` on and before `end`."""
    parts = [group._replace(cells=tuple(cell for cell in group.cells if first <= cell.config.seed < end))
             for group in groups]
    return [part for part in parts if part.cells]


def compared(outcomes: Sequence[Outcome], planned: Plan) -> Comparison:
    """The arms over the seeds so far, as `compare` has them later."""
    folders: list[Path] = [outcome.folder for outcome in outcomes]
    keys = looks.arm_keys([outcome.cell for outcome in outcomes])
    return compare(folders, keys, planned.metric, planned.reference, margin=planned.margin)
