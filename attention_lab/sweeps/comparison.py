"""Arms against a reference arm over paired seeds: effect, exact interval, verdict, seeds that decide."""

import contextlib
import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab.config import Config, get
from attention_lab.config.counts import counted
from attention_lab.config.parse import nearest, parse
from attention_lab.config.values import show
from attention_lab.statistics import holm, mean_interval, sign_flip, tost
from attention_lab.statistics.paired import Interval
from attention_lab.statistics.power import seeds_needed
from attention_lab.statistics.sequential import interval_over_looks, over_looks
from attention_lab.statistics.verdicts import ALPHA, LEAST
from attention_lab.sweeps import arms as runs_of
from attention_lab.sweeps import looks
from attention_lab.sweeps.arms import Arms
from attention_lab.sweeps.sentences import over_sentences

DIRECTIONS = ("", "greater", "less")
OPEN = ("undecided", "inconclusive")
CLAIMED = {"": "against", "greater": "is claimed to be higher than", "less": "is claimed to be lower than"}


@dataclasses.dataclass(frozen=True)
class Contrast:
    """An arm minus the reference arm, seed by seed.

    Fields:
      arm, reference: labels. seeds: those that both have. differences: one for each, in the metric's unit.
      mean: of the differences. interval: exact, of their centre.
      p: of the exact sign-flip test, adjusted for the number of contrasts (Holm).
      p_equal: of TOST within the margin, adjusted alike; None without a margin.
      verdict: "higher", "lower", "equal" (within the margin) or "undecided"; with a direction "supported",
        "refuted" or "inconclusive".
      sentences: interval where test sentences are drawn anew, too; None where predictions are not kept.
      needed: seeds, in all, that would decide it with a chance of 80 %, were the differences as they are so
        far; None where it is decided, where 1,000 would not do, or where looks are planned.
      looks: numbers of seeds at which a plan looks; p and interval are then valid whenever one stops.
      reached: how many of these looks.
    """

    arm: str
    reference: str
    seeds: tuple[int, ...]
    differences: tuple[float, ...]
    mean: float
    interval: Interval
    p: float
    p_equal: float | None
    verdict: str
    sentences: Interval | None
    needed: int | None
    looks: tuple[int, ...] = ()
    reached: int = 0

    @property
    def decided(self) -> bool:
        """Whether the seeds decide it."""
        return self.verdict not in OPEN

    def sentence(self, metric: str, margin: float | None = None, direction: str = "") -> str:
        """What holds, in words; metric, margin and direction as of `compare`."""
        said = {"higher": "is higher than", "lower": "is lower than",
                "equal": f"is within {margin or 0:g} of"}.get(self.verdict, CLAIMED[direction])
        numbers = [f"{self.mean:+.4g}"]
        if self.interval.level < 1:
            numbers.append(f"exact {100 * self.interval.level:.3g} % interval {self.interval.low:.4g} to "
                           f"{self.interval.high:.4g}")
        if self.sentences:
            numbers.append(f"with test sentences drawn anew {self.sentences.low:.4g} to "
                           f"{self.sentences.high:.4g}")
        numbers.append(f"p = {self.p:.2g}" + (
            "" if self.p_equal is None else f", that it is within {margin or 0:g} {self.p_equal:.2g}"))
        numbers.append(f"{len(self.seeds)} paired seeds")
        if self.looks:
            numbers.append(f"look {self.reached} of {len(self.looks)}, at {_listed(self.looks)} seeds")
        end = "" if self.verdict in ("higher", "lower", "equal") else f": {self.verdict}"
        if not self.decided and self.looks:
            end += "; all looks are taken" if self.reached == len(self.looks) else (
                f"; the next look is at {self.looks[self.reached]} seeds")
        elif not self.decided:
            end += f"; about {self.needed} seeds in all would decide it" if self.needed else (
                "; no number of seeds up to 1,000 would decide it")
        return f"{metric} of {self.arm} {said} that of {self.reference}: {'; '.join(numbers)}{end}"


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What `compare` gives.

    Fields:
      metric, direction, margin: as given. arms: the runs. contrasts: one for each arm but the reference.
      notices: lines about runs and seeds that were left out.
    """

    metric: str
    direction: str
    margin: float | None
    arms: Arms
    contrasts: list[Contrast]
    notices: list[str]

    def summary(self) -> list[dict[str, Any]]:
        """For each arm its label, number of seeds, mean, and 95 % t interval of the mean."""
        return [{"arm": label, "seeds": len(scores), "mean": statistics.fmean(scores.values()),
                 "interval": mean_interval(list(scores.values()))[:2]}
                for label, scores in self.arms.scores.items() if scores]

    def sentences(self, declared: str = "") -> list[str]:
        """What holds of each contrast, and whether it was asked before the runs; declared: the hash."""
        kinds = [f"declared, hash {declared}" if declared
                 else "looks planned before the runs" if each.looks else "exploratory"
                 for each in self.contrasts]
        return [f"{each.sentence(self.metric, self.margin, self.direction)} ({kind})"
                for each, kind in zip(self.contrasts, kinds)]


class Paired(NamedTuple):
    """Seeds that an arm shares with the reference: those that are compared, and those of each look."""

    seeds: list[int]
    looks: list[list[int]]


def compare(folders: Sequence[str | Path] | str | Path, arms: Sequence[str] | str, metric: str,
            reference: str = "", direction: str = "", margin: float | None = None,
            where: Mapping[str, str] | None = None, seeds: Sequence[int] | None = None) -> Comparison:
    """Compares arms over the seeds that they share.

    An arm is higher or lower than the reference if the exact paired sign-flip test rejects no difference, and
    equal if TOST shows that the difference lies inside the margin; p values of several arms are adjusted by
    Holm. Fewer than LEAST paired seeds decide nothing. Runs of a sweep with planned looks (`sweeps.looks`)
    are compared at these looks, which share the error rate.

    Args:
      folders: of runs, searched to any depth. arms: dotted keys that tell the arms apart.
      metric: a number of result.json, such as test_bleu.
      reference: the value (or values, separated by commas) of the arm with which others are compared; "": the
        arm with the default values, or else the first.
      direction: "greater" or "less": what is claimed of the arms; "": both sides are looked at.
      margin: an arm whose difference the test does not show, but TOST shows to be nearer to 0 than this, is
        equal to the reference; with a direction the claim is then refuted. where: as in `arms.read`.
      seeds: those that are compared, each to be finished in every arm; None: all that are shared.
    Raises:
      ValueError: as `arms.read`; fewer than two seeds that an arm shares with the reference; a margin that is
        not above 0, an unknown direction or reference.
    """
    check(direction, margin)
    folders = [folders] if isinstance(folders, str | Path) else folders
    read = runs_of.read(folders, [arms] if isinstance(arms, str) else arms, metric, where)
    base = reference_of(read, reference)
    notices, paired = list(read.notices), {}
    if seeds is not None:
        read = _of_seeds(read, seeds)
    plan = looks.plan_of(run for by_seed in read.runs.values() for run in by_seed.values())
    for label in read.values:
        if label == base:
            continue
        both = sorted(read.scores[label].keys() & read.scores[base].keys())
        alone = {seed: one for one, other in ((label, base), (base, label))
                 for seed in read.scores[one].keys() - read.scores[other].keys()}
        notices += [f"seed {seed} has {one} alone and is left out" for seed, one in sorted(alone.items())]
        if len(both) < 2:
            raise ValueError(f"{label} and {base} share {counted(len(both), 'seeds')} with {metric}; at "
                             "least 2 are needed")
        paired[label] = Paired(both, [both])
        if plan:
            finished = read.runs[label].keys() & read.runs[base].keys()
            at_looks = [[seed for seed in both if seed in look] for look in plan.seeds_at_looks(finished)]
            paired[label] = Paired(at_looks[-1] if at_looks and len(at_looks[-1]) > 1 else both, at_looks)
            if left := sorted(set(both) - set(paired[label].seeds)):
                notices.append(f"{label} is compared without seed{'s' * (len(left) > 1)} {_listed(left)}: "
                               f"the plan looks at {_listed(plan.looks)} seeds")
    return Comparison(metric, direction, margin, read,
                      _contrasts(read, base, paired, metric, direction, margin, plan), notices)


def check(direction: str, margin: float | None) -> None:
    """ValueError for an unknown direction, or a margin that is not above 0."""
    if direction not in DIRECTIONS:
        raise ValueError(f"--direction={direction}: allowed are greater and less"
                         f"{nearest(direction, DIRECTIONS)}")
    if margin is not None and not 0 < margin < float("inf"):
        raise ValueError(f"--margin={margin}: a number above 0 is needed")


def _of_seeds(read, seeds):
    """The arms with these seeds alone; ValueError where one is not finished."""
    for label, runs in read.runs.items():
        missing = [seed for seed in seeds if seed not in runs]
        if missing:
            raise ValueError(f"{label} has no finished run of the declared seeds "
                             f"{', '.join(map(str, missing))}")
    return read._replace(**{name: {label: {seed: x for seed, x in by_seed.items() if seed in seeds}
                                   for label, by_seed in getattr(read, name).items()}
                            for name in ("runs", "scores")})


def reference_of(read: Arms, given: str) -> str:
    """The label of the reference arm, by its values or by default; ValueError for values that no arm has."""
    if given:
        spelled = {label: ",".join(map(show, values.values())) for label, values in read.values.items()}
        parts = given.split(",") if len(read.keys) > 1 else [given]
        for label, values in read.values.items():
            # As a value, so that 1 and 1.0 are the same.
            with contextlib.suppress(ValueError):
                if {key: parse(key, part) for key, part in zip(read.keys, parts, strict=True)} == values:
                    return label
        labels = [*spelled.values()]
        raise ValueError(f"--reference={given} is no arm: there are {', '.join(labels)}"
                         f"{nearest(given, labels)}")
    default = Config()
    usual = [label for label, values in read.values.items()
             if all(get(default, key) == value for key, value in values.items())]
    return (usual or list(read.values))[0]


def _contrasts(read, base, paired, metric, direction, margin, plan):
    def differences(label, seeds):
        return [read.scores[label][seed] - read.scores[base][seed] for seed in seeds]

    planned, shares = (plan.looks, plan.shares) if plan else ((), (1.0,))
    compared = {label: differences(label, each.seeds) for label, each in paired.items()}
    at_looks = {label: [differences(label, seeds) for seeds in each.looks] for label, each in paired.items()}

    def adjusted(test):
        """The p values of a test, over looks and then over arms."""
        return dict(zip(paired, holm([
            over_looks([test(each) if len(each) > 1 else 1.0 for each in looked], shares)
            for looked in at_looks.values()])))

    p = adjusted(sign_flip)
    equal = {} if margin is None else adjusted(partial(tost, margin=margin))
    return [Contrast(
        label, base, tuple(paired[label].seeds), tuple(each), statistics.fmean(each),
        interval_over_looks(at_looks[label], shares, 1 - ALPHA), p[label], equal.get(label),
        verdict := _verdict(each, p[label], equal.get(label), direction),
        over_sentences([[read.runs[arm][seed] for seed in paired[label].seeds] for arm in (label, base)],
                       metric),
        None if plan or verdict not in OPEN else _needed(each, margin, len(compared)),
        planned, len(at_looks[label]))
        for label, each in compared.items()]


def _listed(numbers):
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}" if first else last


def _verdict(differences, p, p_equal, direction):
    mean = statistics.fmean(differences)
    if len(differences) < LEAST or (p >= ALPHA and (p_equal is None or p_equal >= ALPHA)):
        return "inconclusive" if direction else "undecided"
    if p >= ALPHA:
        return "refuted" if direction else "equal"
    if direction:
        return "supported" if (mean > 0) == (direction == "greater") else "refuted"
    return "higher" if mean > 0 else "lower"


def _needed(differences, margin, contrasts):
    """Seeds that would show the difference, or that it lies within the margin: the fewer."""
    mean, deviation, alpha = statistics.fmean(differences), statistics.stdev(differences), ALPHA / contrasts
    numbers = [seeds_needed(mean, deviation, LEAST, alpha=alpha)]
    if margin and abs(mean) < margin:
        numbers.append(seeds_needed(margin - abs(mean), deviation, LEAST, alpha=2 * alpha))
    numbers = [number for number in numbers if number]
    return max(min(numbers), len(differences) + 1) if numbers else None
