"""Which implementation computes what is asked for."""

from attention_lab.attention.implementations import IMPLEMENTATIONS
from attention_lab.attention.readouts import READOUTS
from attention_lab.attention.scores import SCORES

LARGE = 256 * 256  # queries times keys, from which on blocks are faster than to hold all weights


def automatic(T, S, wanted):
    """The name that "auto" stands for, with T queries and S keys."""
    return "blockwise" if T * S > LARGE and not wanted["weights"] else "reference"


def checked(name, score, wanted, readouts, pairs):
    """The implementation of this name; a ValueError where it is unknown or cannot compute what is wanted."""
    if name not in IMPLEMENTATIONS:
        raise ValueError(f"implementation is {name!r}; allowed are auto, {', '.join(IMPLEMENTATIONS)}")
    for readout in readouts:
        if readout not in READOUTS:
            raise ValueError(f"readouts has {readout!r}; allowed are {', '.join(READOUTS)}")
    if ("mass" in readouts) != (pairs is not None):
        raise ValueError("read-out 'mass' adds up the weights of pairs: give both or neither")
    chosen = IMPLEMENTATIONS[name]
    if chosen.scores is not None and score not in [SCORES[other].function for other in chosen.scores]:
        given = getattr(score, "__name__", repr(score))
        raise ValueError(f"score is {given}; implementation {name!r} allows {', '.join(chosen.scores)}")
    for what in (key for key, value in wanted.items() if value and key not in chosen.computes):
        names = ", ".join(key for key, each in IMPLEMENTATIONS.items() if what in each.computes)
        raise ValueError(f"implementation {name!r} cannot compute {what}; allowed are {names}")
    return chosen
