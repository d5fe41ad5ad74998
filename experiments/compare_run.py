"""Carries out `compare` with parsed flags: declaration, comparison, further seeds, figure."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attention_lab.config.parse import nearest
from attention_lab.config.registries import score_names
from attention_lab.figures import contrasts, style
from attention_lab.storage import environment
from attention_lab.storage.files import read_json, write_json
from attention_lab.sweeps.cell import Shared
from attention_lab.sweeps.comparison import Comparison, compare
from attention_lab.sweeps.declared import Question, checked, declare, sentence
from attention_lab.sweeps.execution import execute, total_steps
from attention_lab.sweeps.plan import plan
from attention_lab.tasks import build
from attention_lab.training.progress import progress
from experiments.flags import Options, say

MOST = 16  # new seeds of one call


def main(options: Options) -> int:
    """Prints a line for each arm, then a sentence for each contrast; status 1 if one is undecided."""
    question = question_of(options)
    declaration = None
    if options.declare:
        if not Path(options.declare).exists():
            made = declare(question, options.seeds, options.words)
            if question.metric not in score_names():
                say(f"warning: {question.metric} is not one of the usual scores"
                    f"{nearest(question.metric, score_names())}")
            words = sentence(question)
            write_json(options.declare, made)
            print(f"declared in {options.declare}: {words}; seeds "
                  f"{', '.join(map(str, made['seeds']))}; hash {made['hash']}")
            return 0
        declaration = checked(read_json(options.declare), question, options.declare)
    result = compared(options, question, declaration)
    if options.add_seeds and result.contrasts[0].looks:
        raise ValueError(f"--add_seeds: these runs have looks planned, at "
                         f"{', '.join(map(str, result.contrasts[0].looks))} seeds, which further seeds would "
                         "break: go on by the same sweep, or declare a comparison of other seeds")
    if options.add_seeds and any(each.needed for each in result.contrasts):
        add_seeds(result, options)
        result = compared(options, question, declaration)
    report(result, options, declaration)
    return 0 if all(each.decided for each in result.contrasts) else 1


def question_of(options: Options) -> Question:
    """The question that the flags ask."""
    return Question(tuple(part.removeprefix("config.") for part in options.arms.split(",")), options.metric,
                    options.reference, options.direction, options.margin or None, tuple(options.where))


def compared(options: Options, question: Question, declaration: Mapping[str, Any] | None) -> Comparison:
    """The answer; of declared seeds alone where there is a declaration."""
    return compare(options.words, question.arms, question.metric, question.reference, question.direction,
                   question.margin, question.conditions, declaration and declaration["seeds"])


def report(result: Comparison, options: Options, declaration: Mapping[str, Any] | None) -> None:
    """Prints the arms and the contrasts, and writes the figure and the numbers."""
    for line in result.notices:
        say(line)
    print(f"arm\tseeds\tmean_{result.metric}\tlow\thigh")
    for arm in result.summary():
        print(f"{arm['arm']}\t{arm['seeds']}\t{arm['mean']:.6g}\t{arm['interval'][0]:.6g}\t"
              f"{arm['interval'][1]:.6g}")
    print(*result.sentences(declaration["hash"] if declaration else ""), sep="\n")
    if options.json:
        write_json(options.json, {
            "command": options.command, "declared": declaration, "metric": result.metric,
            "arms": result.summary(), "contrasts": [dataclasses.asdict(each) for each in result.contrasts]})
    if options.figure:
        drawn = contrasts.contrasts(
            result.metric, result.arms.scores, result.contrasts[0].reference,
            [{"arm": each.arm, "differences": each.differences, "mean": each.mean,
              "interval": each.interval[:2]} for each in result.contrasts], result.margin)
        style.save(drawn, options.figure)
        print(options.figure)


def add_seeds(result: Comparison, options: Options) -> None:
    """Trains further seeds of every arm, as many as the comparison needs and at most MOST."""
    environment.check_settings()
    runs = result.arms.runs
    count = max(each.needed - len(each.seeds) for each in result.contrasts if each.needed)
    if count > MOST:
        say(f"{count} more seeds are needed; {MOST} are trained now")
    first = 1 + max(seed for by_seed in runs.values() for seed in by_seed)
    seeds = range(first, first + min(count, MOST))
    run = next(iter(next(iter(runs.values())).values()))
    parent = run.folder.parent
    groups = plan(run.config, [{**values, "seed": seed} for values in result.arms.values.values()
                               for seed in seeds])
    say(f"training seeds {seeds[0]} to {seeds[-1]} of {len(runs)} arms in {parent}; seeds added after "
        "a look at the result make it exploratory")
    with progress(total_steps(groups, build), str(parent)) as line:
        outcomes = execute(groups, parent, Shared(build), options.command, line, say, "auto")
    for outcome in outcomes:
        if outcome.result is None:
            say(f"{outcome.folder} failed: {outcome.error}")
