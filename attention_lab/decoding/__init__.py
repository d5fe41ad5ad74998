"""Sequence search over any start/step pair: greedy and beam search, in one compiled loop or in parts."""

from attention_lab.decoding.beam import beam_search
from attention_lab.decoding.greedy import greedy_search

__all__ = ["beam_search", "greedy_search"]
