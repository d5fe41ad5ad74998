"""Steps until something is reached, by runs of which some end before: Kaplan-Meier and the log-rank test."""

from collections.abc import Sequence

import numpy as np
from scipy import stats


def share_reached(steps: Sequence[float], reached: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    """The share of runs that have reached it by each step, 1 - S(t) of Kaplan & Meier 1958.

    Args:
      steps: at which a run reached it, or ended without.
      reached: False of runs that ended without (censored).
    Returns:
      the steps at which the share rises, (n,), and the shares from there on, (n,).
    Raises:
      ValueError: no run, or unequal numbers.

    >>> steps, share = share_reached([2, 3, 3, 5], [True, True, False, True])
    >>> steps.tolist(), share.tolist()
    ([2.0, 3.0, 5.0], [0.25, 0.5, 1.0])
    """
    left = stats.ecdf(_censored(steps, reached)).sf
    events = np.isin(left.quantiles, np.asarray(steps, float)[np.asarray(reached, bool)])
    return left.quantiles[events], 1.0 - left.probabilities[events]


def log_rank(steps: Sequence[float], reached: Sequence[bool], other_steps: Sequence[float],
             other_reached: Sequence[bool]) -> float:
    """Two-sided p that two groups of runs reach it alike (Mantel 1966); 1 where no run reaches it.

    Asymptotic, and blind to pairs. Arguments and errors as of `share_reached`.
    """
    groups = _censored(steps, reached), _censored(other_steps, other_reached)
    if not any(reached) and not any(other_reached):
        return 1.0
    return float(stats.logrank(*groups).pvalue)


def _censored(steps, reached):
    steps, reached = np.asarray(steps, float), np.asarray(reached, bool)
    if not len(steps) or steps.shape != reached.shape:
        raise ValueError(f"{len(steps)} steps and {len(reached)} marks: as many of both, one or more, are "
                         "needed")
    return stats.CensoredData(uncensored=steps[reached], right=steps[~reached])
