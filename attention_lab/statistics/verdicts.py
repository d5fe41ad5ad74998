"""Claims declared before anything is run, and the three verdicts on them."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from attention_lab.statistics.equivalence import tost
from attention_lab.statistics.families import holm
from attention_lab.statistics.paired import Interval, sign_flip, sign_flip_interval

DIRECTIONS = ("greater", "less", "equal")
LEAST = 6  # paired seeds below which the exact test can't reach p < 0.05


@dataclasses.dataclass(frozen=True)
class Claim:
    """One statement about a paired difference, fixed before it is measured.

    Fields:
      name: short and unique in its study. statement: the sentence that is tested.
      metric: what is measured. contrast: (arm, other arm); differences are the first less the second.
      direction: "greater", "less" or "equal".
      margin: differences inside plus or minus it count as none; needed for "equal".
      published: the value in the literature, where there is one.
      primary: whether it belongs to the family that Holm corrects; others are exploratory.
    """

    name: str
    statement: str
    metric: str
    contrast: tuple[str, str]
    direction: str
    margin: float | None = None
    published: str = ""
    primary: bool = True

    def __post_init__(self):
        if self.direction not in DIRECTIONS:
            raise ValueError(f"{self.name}: direction={self.direction!r}; allowed are "
                             f"{', '.join(DIRECTIONS)}")
        if self.direction == "equal" and self.margin is None:
            raise ValueError(f"{self.name}: direction='equal' needs a margin")
        if self.margin is not None and not self.margin > 0:
            raise ValueError(f"{self.name}: margin={self.margin}; a number above 0 is needed")


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Fields: claim; verdict, "supported", "refuted" or "inconclusive"; effect, the mean difference;
    interval, exact, of its centre; seeds; p, adjusted for the family; reason, a sentence."""

    claim: Claim
    verdict: str
    effect: float
    interval: Interval
    seeds: int
    p: float
    reason: str


def judge(claims: Sequence[Claim], differences: Mapping[str, Sequence[float]],
          alpha: float = 0.05) -> list[Verdict]:
    """A verdict on each claim of one study.

    "greater" and "less": supported if the exact sign-flip test rejects and the mean is on the claimed
    side; refuted if it rejects on the other side, or if TOST shows the difference to be inside the
    margin. "equal": supported by TOST; refuted if the exact interval lies outside the margin. All else
    is inconclusive. p values of primary claims are adjusted by Holm, together.

    Args:
      claims: of one study.
      differences: by a claim's name, one for each seed.
    Raises:
      ValueError: a claim without differences, or differences that are no numbers.
    """
    missing = [claim.name for claim in claims if claim.name not in differences]
    if missing:
        raise ValueError(f"no differences for the claims {', '.join(missing)}")
    raw = {claim.name: _p(claim, differences[claim.name]) for claim in claims}
    primary = [claim.name for claim in claims if claim.primary]
    adjusted = raw | dict(zip(primary, holm([raw[name] for name in primary])))
    return [_verdict(claim, np.asarray(differences[claim.name], np.float64), adjusted[claim.name], alpha)
            for claim in claims]


def _p(claim, values):
    return tost(values, claim.margin) if claim.direction == "equal" else sign_flip(values)


def _verdict(claim, values, p, alpha):
    effect, interval = float(values.mean()), sign_flip_interval(values, 1.0 - alpha)
    verdict, reason = "inconclusive", f"p = {p:.2g} leaves it open"
    if claim.direction == "equal":
        if p < alpha and len(values) >= LEAST:
            verdict, reason = "supported", f"inside plus or minus {claim.margin:g} (TOST p = {p:.2g})"
        elif interval.low > claim.margin or interval.high < -claim.margin:
            verdict, reason = "refuted", f"the interval lies outside plus or minus {claim.margin:g}"
    elif p < alpha:
        right = (effect > 0) == (claim.direction == "greater")
        verdict = "supported" if right else "refuted"
        reason = f"sign-flip p = {p:.2g}, on the {'claimed' if right else 'other'} side"
    elif claim.margin is not None and tost(values, claim.margin) < alpha:
        verdict, reason = "refuted", f"the difference is inside plus or minus {claim.margin:g}"
    if verdict == "inconclusive" and len(values) < LEAST:
        reason = f"{len(values)} seeds can't decide it; at least {LEAST} are needed"
    return Verdict(claim, verdict, effect, interval, len(values), p, reason)


def spelled(effect: float, low: float, high: float, seeds: int) -> str:
    """An effect and its interval as they are printed; where seeds are too few there is none.

    >>> spelled(1.5, 1.0, 2.25, 8), spelled(18.0, -math.inf, math.inf, 3)
    ('1.5 (1 to 2.25)', '18 (no interval: 3 seeds)')
    """
    between = f"{low:.3g} to {high:.3g}" if math.isfinite(low) else f"no interval: {seeds} seeds"
    return f"{effect:.3g} ({between})"
