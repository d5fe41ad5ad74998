"""Which implementation computes a call of `multi_head`."""

from collections.abc import Iterable
from typing import Any

from attention_lab.attention.implementations import IMPLEMENTATIONS, Implementation
from attention_lab.attention.readouts import READOUTS
from attention_lab.attention.scores import SCORES, Score

LARGE = 256 * 256  # queries times keys, above which "auto" takes blocks; at 1,024 x 1,024 they are faster


def needs(return_weights: bool = False, **options: Any) -> tuple[str, ...]:
    """Names of the options of a call that are in use, as in `Implementation.computes`."""
    def unused(value):
        return value is None or value is False or (isinstance(value, tuple) and not value)
    return tuple(name for name, value in {"weights": return_weights, **options}.items() if not unused(value))


def automatic(T: int, S: int, needed: Iterable[str]) -> str:
    """The name that "auto" stands for, with T queries and S keys."""
    return "blockwise" if T * S > LARGE and "weights" not in needed else "reference"


def able(name: str, needed: Iterable[str]) -> str:
    """`name`, or "auto" where that implementation cannot compute what is needed."""
    return name if name == "auto" or set(needed) <= set(_look_up(name).computes) else "auto"


def checked(name: str, score: Score, needed: Iterable[str]) -> Implementation:
    """The implementation of this name; a ValueError where it is unknown or cannot compute this."""
    chosen = _look_up(name)
    if chosen.scores is not None and score not in [SCORES[other].function for other in chosen.scores]:
        given = getattr(score, "__name__", repr(score))
        raise ValueError(f"score is {given}; implementation {name!r} allows {', '.join(chosen.scores)}")
    for option in needed:
        if option not in chosen.computes:
            names = ", ".join(key for key, each in IMPLEMENTATIONS.items() if option in each.computes)
            raise ValueError(f"implementation {name!r} cannot compute {option}; allowed are {names}")
    return chosen


def check_readouts(readouts: Iterable[str], pairs: Any) -> None:
    """A ValueError for read-outs that are unknown, or "mass" without pairs or the other way round."""
    for name in readouts:
        if name not in READOUTS:
            raise ValueError(f"readouts has {name!r}; allowed are {', '.join(READOUTS)}")
    if any(READOUTS[name].pairs for name in readouts) != (pairs is not None):
        of_pairs = ", ".join(name for name, entry in READOUTS.items() if entry.pairs)
        raise ValueError(f"readouts of pairs ({of_pairs}) and pairs come together: give both or neither")


def _look_up(name):
    if name not in IMPLEMENTATIONS:
        raise ValueError(f"implementation is {name!r}; allowed are auto, {', '.join(IMPLEMENTATIONS)}")
    return IMPLEMENTATIONS[name]
