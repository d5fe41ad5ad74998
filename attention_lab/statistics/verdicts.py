"""Claims declared before the runs, and verdicts on them: supported, refuted or inconclusive."""

import dataclasses
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from attention_lab.statistics.paired import Interval, holm, sign_flip, sign_flip_interval, tost

DIRECTIONS = ("greater", "less", "equal")
LEAST = 6  # paired seeds; with fewer the exact test can't reach p < ALPHA
ALPHA = 0.05  # of a verdict, after the correction of Holm


@dataclasses.dataclass(frozen=True)
class Claim:
    """A statement about a value that is measured for each seed, fixed before the measurement.

    Value, threshold, margin and a published number are in one unit.

    Fields:
      name: short and unique in its study. statement: the sentence that is tested.
      value: the quantity compared with the threshold, as data (`attention_lab.studies.values`).
      direction: "greater" or "less" than the threshold, or "equal" to it up to the margin.
      threshold: 0 for a difference that is claimed to be there.
      margin: values nearer to the threshold than this count as equal to it; needed for "equal".
      published: from the literature: a number, the two ends of a range, or words; "" for nothing.
      primary: whether Holm's correction covers it; others are exploratory.
    """

    name: str
    statement: str
    value: Hashable
    direction: str
    threshold: float = 0.0
    margin: float | None = None
    published: float | tuple[float, float] | str = ""
    primary: bool = True

    def __post_init__(self):
        if self.direction not in DIRECTIONS:
            raise ValueError(f"{self.name}: direction={self.direction!r}; allowed are "
                             f"{', '.join(DIRECTIONS)}")
        if self.direction == "equal" and self.margin is None:
            raise ValueError(f"{self.name}: direction='equal' needs a margin")
        if self.margin is not None and not self.margin > 0:
            raise ValueError(f"{self.name}: margin={self.margin}; a number above 0 is needed")
        if not math.isfinite(self.threshold):
            raise ValueError(f"{self.name}: threshold={self.threshold}; a finite number is needed")


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The verdict on a claim, and the numbers behind it.

    Fields:
      claim. verdict: "supported", "refuted" or "inconclusive".
      value: mean over seeds. interval: exact, of its centre; both in the claim's unit.
      seeds: how many. p: adjusted for the family. reason: a sentence.
    """

    claim: Claim
    verdict: str
    value: float
    interval: Interval
    seeds: int
    p: float
    reason: str


class _Test(NamedTuple):
    """Fields: p; verdict, given if it rejects; finding, in words."""

    p: float
    verdict: str
    finding: str


def judge(claims: Sequence[Claim], values: Mapping[str, Sequence[float]]) -> list[Verdict]:
    """A verdict on each claim of one study.

    "greater" and "less": supported if the two-sided exact sign-flip test rejects the threshold and the mean
    is on the claimed side, refuted if it is on the other side; second, refuted if TOST shows the value to be
    within the margin of the threshold. "equal": supported by TOST; second, refuted if the mean lies beyond
    the margin and the sign-flip test rejects the margin's nearer end.

    The first tests of all primary claims are adjusted by Holm, together, and so are the second tests, which
    count where the first leaves a claim open: a wrong verdict by any of the first, and a wrong refutation by
    any of the second, have a chance of at most ALPHA each. Fewer than LEAST seeds leave a claim open.

    Args:
      values: {name of the claim: a value for each seed}.
    Raises:
      ValueError: a claim without values, or values that are no numbers.
    """
    missing = [claim.name for claim in claims if claim.name not in values]
    if missing:
        raise ValueError(f"no values for the claims {', '.join(missing)}")
    arrays = {claim.name: np.asarray(values[claim.name], np.float64) for claim in claims}
    first, second = ([_tests(claim, arrays[claim.name])[step] for claim in claims] for step in (0, 1))
    pairs = zip(_adjusted(claims, first), _adjusted(claims, second))
    decisive = [a if a.p < ALPHA else min(a, b, key=lambda test: test.p) for a, b in pairs]
    return [_verdict(claim, arrays[claim.name], test) for claim, test in zip(claims, decisive)]


def _tests(claim, values):
    """The first and the second test of a claim; a second one that does not apply has p = 1."""
    differences = values - claim.threshold
    mean, margin = float(differences.mean()), claim.margin
    within = f"within {margin:g} of {claim.threshold:g}" if margin else ""
    if claim.direction == "equal":
        outside = sign_flip(differences, math.copysign(margin, mean)) if abs(mean) > margin else 1.0
        return (_Test(tost(differences, margin), "supported", f"{within}, TOST"),
                _Test(outside, "refuted", f"not {within}, sign-flip"))
    claimed = (mean > 0) == (claim.direction == "greater")
    first = _Test(sign_flip(differences), "supported" if claimed else "refuted",
                  f"on the {'claimed' if claimed else 'other'} side, sign-flip")
    return first, _Test(tost(differences, margin) if margin else 1.0, "refuted", f"{within}, TOST")


def _adjusted(claims: Sequence[Claim], tests: Sequence[_Test]) -> list[_Test]:
    """A test of each claim, those of primary claims with p adjusted by Holm, together."""
    adjusted = iter(holm([test.p for claim, test in zip(claims, tests) if claim.primary]))
    return [test._replace(p=next(adjusted)) if claim.primary else test for claim, test in zip(claims, tests)]


def _verdict(claim: Claim, values: np.ndarray, test: _Test) -> Verdict:
    verdict, p, reason = "inconclusive", test.p, f"p = {test.p:.2g} leaves it open"
    if len(values) < LEAST:
        reason = f"{len(values)} seeds can't decide it; at least {LEAST} are needed"
    elif p < ALPHA:
        verdict, reason = test.verdict, f"{test.finding} p = {p:.2g}"
    return Verdict(claim, verdict, float(values.mean()), sign_flip_interval(values, 1.0 - ALPHA), len(values),
                   p, reason)
