"""Sequence search over any start/step pair: greedy and beam search, each one compiled loop."""

from attention_lab.decoding.beam import beam_search
from attention_lab.decoding.greedy import greedy_search

__all__ = ["beam_search", "greedy_search"]
