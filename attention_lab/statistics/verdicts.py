"""Claims declared before the runs, and verdicts on them: supported, refuted or inconclusive."""

import dataclasses
import math
from collections.abc import Hashable, Mapping, Sequence

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


def judge(claims: Sequence[Claim], values: Mapping[str, Sequence[float]]) -> list[Verdict]:
    """A verdict on each claim of one study.

    "greater" and "less": supported if the exact sign-flip test rejects the threshold and the mean is on
    the claimed side; refuted if it rejects with the mean on the other side, or if TOST shows the value to
    be within the margin of the threshold. "equal": supported by TOST; refuted if the exact interval lies
    outside the margin. All else is inconclusive. p values of primary claims are adjusted by Holm, together.

    Args:
      values: {name of the claim: a value for each seed}.
    Raises:
      ValueError: a claim without values, or values that are no numbers.
    """
    missing = [claim.name for claim in claims if claim.name not in values]
    if missing:
        raise ValueError(f"no values for the claims {', '.join(missing)}")
    arrays = {claim.name: np.asarray(values[claim.name], np.float64) for claim in claims}
    p = {claim.name: _p(claim, arrays[claim.name]) for claim in claims}
    primary = [claim.name for claim in claims if claim.primary]
    p |= dict(zip(primary, holm([p[name] for name in primary])))
    return [_verdict(claim, arrays[claim.name], p[claim.name]) for claim in claims]


def _p(claim, values):
    if claim.direction == "equal":
        return tost(values - claim.threshold, claim.margin)
    return sign_flip(values, claim.threshold)


def _verdict(claim, values, p):
    value, interval = float(values.mean()), sign_flip_interval(values, 1.0 - ALPHA)
    differences = values - claim.threshold
    verdict, reason = "inconclusive", f"p = {p:.2g} leaves it open"
    within = f"within {claim.margin:g} of {claim.threshold:g}" if claim.margin else ""
    if claim.direction == "equal":
        if p < ALPHA and len(values) >= LEAST:
            verdict, reason = "supported", f"{within} (TOST p = {p:.2g})"
        elif (interval.low - claim.threshold > claim.margin
              or interval.high - claim.threshold < -claim.margin):
            verdict, reason = "refuted", f"no value of the interval lies {within}"
    elif p < ALPHA:
        claimed = (differences.mean() > 0) == (claim.direction == "greater")
        verdict = "supported" if claimed else "refuted"
        reason = f"sign-flip p = {p:.2g}, on the {'claimed' if claimed else 'other'} side"
    elif claim.margin is not None and tost(differences, claim.margin) < ALPHA:
        verdict, reason = "refuted", f"the value is {within}"
    if verdict == "inconclusive" and len(values) < LEAST:
        reason = f"{len(values)} seeds can't decide it; at least {LEAST} are needed"
    return Verdict(claim, verdict, value, interval, len(values), p, reason)
