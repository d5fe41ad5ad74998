"""Which implementation computes a call of `multi_head`."""

import importlib.util
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attention_lab.attention.implementations import IMPLEMENTATIONS, Implementation
from attention_lab.attention.masks import Mask, kind
from attention_lab.attention.readouts import READOUTS
from attention_lab.attention.scores import SCORES, Score

DEVICES = {"cuda": "NVIDIA GPUs of compute capability 8.0 or later", "tpu": "TPUs"}
LARGE = 256 * 256  # queries times keys, above which "auto" takes blocks; at 1,024 x 1,024 they are faster


def needs(return_weights: bool = False, **options: Any) -> tuple[str, ...]:
    """Names of the options of a call that are in use, as in `Implementation.computes`."""
    def unused(value):
        return value is None or value is False or (isinstance(value, tuple) and not value)
    return tuple(name for name, value in {"weights": return_weights, **options}.items() if not unused(value))


class Call(NamedTuple):
    """What is known of a call of `multi_head` when a program is compiled.

    Fields: T queries and S keys; dtype of the query; mask; score; needed, as of `needs`; size, the larger of
    K and V, 0 where it does not matter.
    """

    T: int
    S: int
    dtype: Any
    mask: Mask | None
    score: Score
    needed: tuple[str, ...]
    size: int = 0


def here() -> str:
    """The device as in `Implementation.runs_on`: "cuda" (compute capability 8.0 or later), "tpu" or other."""
    if jax.default_backend() != "gpu":
        return jax.default_backend()
    device = jax.local_devices()[0]
    return "cuda" if "cuda" in device.client.platform_version and (
        float(device.compute_capability) >= 8) else "gpu"


def chosen(name: str, call: Call) -> str:
    """The implementation that computes a call: `name`, or what "auto" stands for."""
    return automatic(call) if name == "auto" else name


def automatic(call: Call) -> str:
    """The name that "auto" stands for: the device's own kernel where it computes the call."""
    large = call.T * call.S > LARGE
    for name, always in (("cudnn", True), ("splash", False)):
        if (always or large) and not why_not(name, call):
            return name
    return "blockwise" if large and "weights" not in call.needed else "reference"


def able(name: str, needed: Iterable[str]) -> str:
    """`name`, or "auto" where that implementation cannot compute what is needed."""
    return name if name == "auto" or set(needed) <= set(_look_up(name).computes) else "auto"


def checked(name: str, call: Call) -> Implementation:
    """The implementation of this name; a ValueError where it is unknown or cannot compute this."""
    implementation = _look_up(name)
    if problem := why_not(name, call):
        raise ValueError(problem)
    return implementation


def why_not(name: str, call: Call) -> str:
    """Why an implementation cannot compute a call on this device, "" where it can; ValueError if unknown."""
    entry = _look_up(name)
    if entry.scores is not None and call.score not in [SCORES[other].function for other in entry.scores]:
        given = getattr(call.score, "__name__", repr(call.score))
        return f"score is {given}; implementation {name!r} allows {', '.join(entry.scores)}"
    for option in call.needed:
        if option not in entry.computes:
            names = ", ".join(key for key, each in IMPLEMENTATIONS.items() if option in each.computes)
            return f"implementation {name!r} cannot compute {option}; allowed are {names}"
    if entry.runs_on not in ("", here()):
        return f"implementation {name!r} runs on {DEVICES[entry.runs_on]} alone; the device here is {here()}"
    if entry.library and not importlib.util.find_spec(entry.library):
        return (f"implementation {name!r} needs the library {entry.library}, which is not installed: "
                f"pip install -e '.[{entry.library}]'")
    if entry.dtypes is not None and jnp.dtype(call.dtype).name not in entry.dtypes:
        return f"q is {jnp.dtype(call.dtype).name}; implementation {name!r} allows {', '.join(entry.dtypes)}"
    if entry.largest is not None and call.size > (largest := entry.largest()):
        return f"a query, key or value has {call.size} numbers; implementation {name!r} allows {largest} here"
    if entry.masks is not None and kind(call.mask) not in entry.masks:
        return (f"mask is of the kind {kind(call.mask)!r}; implementation {name!r} allows "
                f"{', '.join(entry.masks)}")
    return ""


def check_readouts(readouts: Iterable[str], pairs: Any) -> None:
    """A ValueError for read-outs that are unknown, or "mass" without pairs or the other way round."""
    if isinstance(readouts, str):
        raise ValueError(f"readouts is {readouts!r}; allowed is a sequence of names, such as [{readouts!r}]")
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
