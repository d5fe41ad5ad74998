"""Carries out `sweep --search`: trials on the tuning seeds, then the best configs on fresh ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from attention_lab.config import digest, replace
from attention_lab.config.counts import counted
from attention_lab.config.values import show
from attention_lab.data.content import content_of
from attention_lab.storage.files import short_digest
from attention_lab.sweeps import fresh, launch
from attention_lab.sweeps.fresh import Finalist
from attention_lab.sweeps.queue import FRESH, Queue
from attention_lab.sweeps.search import Search
from attention_lab.sweeps.space import describe, parse_seeds
from attention_lab.sweeps.storage import storage_errors
from attention_lab.tasks import build
from attention_lab.training.estimate import estimate
from attention_lab.training.progress import progress
from experiments.flags import Options, say
from experiments.sweep_run import check_metric, parent, workers


def main(options: Options) -> int:
    """Runs the trials and the best configs, and prints both; status 1 if a run failed."""
    goal = goal_of(options)
    search = Search.of(goal)
    check_metric("maximize" if options.maximize else "minimize", search.metric,
                 replace(options.config, {"data.split": "dev"}))
    tuning = search.seeds or (options.config.seed,)
    fresh_seeds = [] if "seed" in search.space else fresh.seeds_of(options.fresh_seeds, tuning)
    if options.fresh_seeds and not fresh_seeds:
        raise ValueError("--fresh_seeds and --sweep=config.seed don't go together")
    if options.dry_run:
        return dry_run(options, len(tuning), len(fresh_seeds))
    folder, name = parent(options), short_digest([goal, digest(options.config)])
    journal = folder / f"{name}.journal"
    if content := content_of(options.config).name:
        goal["content"] = content
        journal = folder / f"{name}-{content}.journal"
        if not journal.exists() and (others := sorted(folder.glob(f"{name}*.journal"))):
            say(f"warning: {others[0]} is the same search on other files: this one begins anew")
        name = short_digest([goal, digest(options.config)])
    storage = options.storage or str(journal)
    with storage_errors(storage):
        queue = Queue(storage, name, digest(options.config), options.lease, goal)
        queue.fill_search(options.trials)
        steps = options.config.training.steps
        with progress(steps and steps * options.trials * len(tuning), str(folder)) as line:
            start = launch.starter(workers(options), storage, folder)
            launch.watch(queue, start, options.workers, line, say)
        trials = queue.trials()
    status = report_trials(options, trials, goal, len(tuning))
    finalists = fresh.best(trials, goal["sign"])
    if not (finalists and fresh_seeds):
        return status
    groups = fresh.groups_of(options.config, finalists, fresh_seeds)
    say(f"the best {len(finalists)} on seeds {', '.join(map(str, fresh_seeds))}, which chose none of them")
    outcomes = launch.run_groups(groups, options.config, folder, workers(options)._replace(storage=storage),
                                 build, say, part_of=name, study=FRESH)
    failed = [outcome for outcome in outcomes if outcome.result is None]
    for outcome in failed:
        say(f"{outcome.folder} failed: {outcome.error}")
    if failed:
        say(f"{len(failed)} of {len(outcomes)} runs on fresh seeds failed; to run them again: "
            f"{options.command}")
    report_best(fresh.scored(finalists, outcomes, goal["metric"]), goal)
    return 1 if failed else status


def goal_of(options: Options) -> dict[str, Any]:
    """The search as data, for the workers and for the name of its storage."""
    goal = {"sampler": options.search, "axes": list(options.sweep),
            "metric": options.maximize or options.minimize,
            "sign": 1.0 if options.maximize else -1.0, "seed": options.config.seed}
    if options.seeds:
        goal["seeds"] = [cell["seed"] for cell in parse_seeds(options.seeds)]
    if options.prune != "none":
        goal["prune"] = options.prune
    return goal


def dry_run(options: Options, tuning: int, fresh_seeds: int) -> int:
    """Prints how many runs there are at most, and the estimates of one; writes nothing."""
    runs = options.trials * tuning + min(fresh.BEST, options.trials) * fresh_seeds
    numbers = {"trials": options.trials, "seeds": tuning, "fresh_seeds": fresh_seeds, "runs_at_most": runs}
    for name, value in {**numbers, **estimate(build(options.config), options.config)}.items():
        print(f"{name}\t{show(value)}")
    return 0


def report_trials(options: Options, trials: Sequence[FrozenTrial], goal: Mapping[str, Any], seeds: int
                  ) -> int:
    """Prints a line for each trial: its config, how it ended, seeds that finished, and its mean score."""
    for trial in trials:
        result = trial.user_attrs.get("result")
        if result is None:
            continue
        spelled = " ".join(f"--config.{key}={text}" for key, text in trial.user_attrs["overrides"].items())
        # Journals of older versions hold the result of the one run.
        done = result.get("seeds", int(trial.state == TrialState.COMPLETE))
        score = [f"{goal['metric']}={result[goal['metric']]:.6g}"] if goal["metric"] in result else []
        print("\t".join([f"trial {trial.number}", spelled, result["status"],
                         f"{done} of {counted(seeds, 'seeds')}", counted(result.get("steps", 0), "steps"),
                         *score]))
    failed = [trial for trial in trials if "error" in trial.user_attrs]
    for trial in failed:
        say(f"trial {trial.number} failed: {trial.user_attrs['error']}")
    if failed:
        say(f"{len(failed)} of {options.trials} trials failed; to replace them: {options.command}")
    return 1 if failed else 0


def report_best(finalists: Sequence[Finalist], goal: Mapping[str, Any]) -> None:
    """Prints the best configs with their means on tuning and fresh seeds, and the best on the latter."""
    metric, tested = goal["metric"], [each for each in finalists if each.scores]
    print(f"config\ttuning_{metric}\tfresh_{metric}\tlow\thigh\tfresh_seeds\tfolder")
    for each in tested:
        low, high, _ = each.interval
        print(f"{describe(each.overrides)}\t{each.tuned:.6g}\t{each.mean:.6g}\t{low:.6g}\t{high:.6g}\t"
              f"{len(each.scores)}\t{each.folder}")
    if tested:
        best = max(tested, key=lambda each: goal["sign"] * each.mean)
        print(f"best on fresh seeds: {describe(best.overrides)}, mean {metric} {best.mean:.6g} over "
              f"{counted(len(best.scores), 'seeds')} ({best.tuned:.6g} on the tuning seeds; tuning means "
              "choose the configs and are therefore optimistic)")
