"""Tests, intervals and verdicts for measurements paired by seed; numpy and scipy, no jax."""

from attention_lab.statistics.bootstrap import one_level, two_level
from attention_lab.statistics.paired import Interval, holm, mean_interval, sign_flip, sign_flip_interval, tost
from attention_lab.statistics.verdicts import Claim, Verdict, judge

__all__ = ["Claim", "Interval", "Verdict", "holm", "judge", "mean_interval", "one_level",
           "sign_flip", "sign_flip_interval", "tost", "two_level"]
