"""Claims declared before anything is run, and the three verdicts on them."""

import dataclasses
import math
from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from attention_lab.statistics.equivalence import tost
from attention_lab.statistics.families import holm
from attention_lab.statistics.paired import Interval, sign_flip, sign_flip_interval

DIRECTIONS = ("greater", "less", "equal")
LEAST = 6  # paired seeds below which the exact test can't reach p < 0.05


@dataclasses.dataclass(frozen=True)
class Claim:
    """One statement about a number that every seed measures, fixed before it is measured.

    Value, threshold, margin and a published number are in one unit.

    Fields:
      name: short and unique in its study. statement: the sentence that is tested.
      value: what is compared with the threshold, as data (`attention_lab.studies.values`).
      direction: "greater" or "less" than the threshold, or "equal" to it up to the margin.
      threshold: 0 for a difference that is claimed to be there.
      margin: values nearer to the threshold than this count as equal to it; needed for "equal".
      published: what the literature has: a number, two ends of a range, or words; "" for nothing.
      primary: whether it belongs to the family that Holm corrects; others are exploratory.
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
    """What the seeds say of a claim.

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


def judge(claims: Sequence[Claim], values: Mapping[str, Sequence[float]],
          alpha: float = 0.05) -> list[Verdict]:
    """A verdict on each claim of one study.

    "greater" and "less": supported if the exact sign-flip test rejects the threshold and the mean is on
    the claimed side; refuted if it rejects with the mean on the other side, or if TOST shows the value to
    be within the margin of the threshold. "equal": supported by TOST; refuted if the exact interval lies
    outside the margin. All else is inconclusive. p values of primary claims are adjusted by Holm, together.

    Args:
      claims: of one study.
      values: by a claim's name, one for each seed, in the claim's unit.
    Raises:
      ValueError: a claim without values, or values that are no numbers.
    """
    missing = [claim.name for claim in claims if claim.name not in values]
    if missing:
        raise ValueError(f"no values for the claims {', '.join(missing)}")
    raw = {claim.name: _p(claim, values[claim.name]) for claim in claims}
    primary = [claim.name for claim in claims if claim.primary]
    adjusted = raw | dict(zip(primary, holm([raw[name] for name in primary])))
    return [_verdict(claim, np.asarray(values[claim.name], np.float64), adjusted[claim.name], alpha)
            for claim in claims]


def _p(claim, values):
    if claim.direction == "equal":
        return tost(np.asarray(values, np.float64) - claim.threshold, claim.margin)
    return sign_flip(values, claim.threshold)


def _verdict(claim, values, p, alpha):
    value, interval = float(values.mean()), sign_flip_interval(values, 1.0 - alpha)
    beyond = values - claim.threshold
    verdict, reason = "inconclusive", f"p = {p:.2g} leaves it open"
    within = f"within {claim.margin:g} of {claim.threshold:g}" if claim.margin else ""
    if claim.direction == "equal":
        if p < alpha and len(values) >= LEAST:
            verdict, reason = "supported", f"{within} (TOST p = {p:.2g})"
        elif (interval.low - claim.threshold > claim.margin
              or interval.high - claim.threshold < -claim.margin):
            verdict, reason = "refuted", f"no value of the interval lies {within}"
    elif p < alpha:
        right = (beyond.mean() > 0) == (claim.direction == "greater")
        verdict = "supported" if right else "refuted"
        reason = f"sign-flip p = {p:.2g}, on the {'claimed' if right else 'other'} side"
    elif claim.margin is not None and tost(beyond, claim.margin) < alpha:
        verdict, reason = "refuted", f"the value is {within}"
    if verdict == "inconclusive" and len(values) < LEAST:
        reason = f"{len(values)} seeds can't decide it; at least {LEAST} are needed"
    return Verdict(claim, verdict, value, interval, len(values), p, reason)
