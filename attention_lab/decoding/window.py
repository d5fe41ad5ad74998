"""Reading on in a text that outgrows a model's context, over any start/step pair.

A window of C tokens is read token by token. Once it is full, its last C // 2 tokens are read anew as the
beginning of another. So every prediction is that of a full pass over the window, which holds the last
C // 2 + 1 to C tokens, and all of a text that has no more. A cache whose oldest keys are dropped is another
function: what the layers above keep of later tokens was computed with them.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array


def begin(start: Callable, tokens: Array, filled: Array) -> dict[str, Any]:
    """The carry of `step` after the first tokens of each row.

    Args:
      start: (tokens (B, S), room) -> the model's carry after them, with room for `room` tokens more; each
        leaf leads with B. It tells tokens from padding by itself.
      tokens: int32 (B, C), those of a row, then padding; C is at least 2. filled: (B,), how many they are.
    """
    return {"tokens": tokens, "filled": filled, "model": start(tokens, 0)}


def step(start: Callable, read: Callable, carry: dict[str, Any], token: Array
         ) -> tuple[Array, dict[str, Any]]:
    """Logits (B, N) of what follows a token (B,), and the carry with it.

    start: as of `begin`. read: (the model's carry, token (B,)) -> (logits (B, N), the model's carry).
    """
    full = carry["filled"] == carry["tokens"].shape[1]
    carry = jax.lax.cond(jnp.any(full), lambda: _halved(start, carry, full), lambda: carry)
    tokens = carry["tokens"].at[jnp.arange(len(token)), carry["filled"]].set(token)
    logits, model = read(carry["model"], token)
    return logits, {"tokens": tokens, "filled": carry["filled"] + 1, "model": model}


def _halved(start, carry, full):
    """The carry in which the full rows have kept the last half of their window."""
    C = carry["tokens"].shape[1]
    last, room = carry["tokens"][:, C - C // 2:], C - C // 2
    halved = {"tokens": jnp.pad(last, ((0, 0), (0, room))), "filled": jnp.full_like(carry["filled"], C // 2),
              "model": start(last, room)}
    return jax.tree.map(lambda new, old: jnp.where(jnp.expand_dims(full, range(1, old.ndim)), new, old),
                        halved, carry)
