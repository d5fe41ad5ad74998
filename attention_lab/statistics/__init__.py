"""Tests, intervals and verdicts on what paired seeds measured; numpy and scipy, no jax."""

from attention_lab.statistics.bootstrap import bca, percentile, two_level
from attention_lab.statistics.equivalence import tost
from attention_lab.statistics.families import holm
from attention_lab.statistics.paired import (
    Interval,
    interquartile_mean,
    sign_flip,
    sign_flip_interval,
    t_interval,
)
from attention_lab.statistics.verdicts import Claim, Verdict, judge

__all__ = ["Claim", "Interval", "Verdict", "bca", "holm", "interquartile_mean", "judge", "percentile",
           "sign_flip", "sign_flip_interval", "t_interval", "tost", "two_level"]
