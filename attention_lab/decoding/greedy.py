"""Greedy search: the likeliest token at every position, in one compiled loop or in several.

`begin`, `advance` and `best` are the search in parts: between two calls of `advance` some rows of a state may
be taken out, so that a batch shrinks as its sentences end. `greedy_search` is all of them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from attention_lab.decoding import candidates


class State(NamedTuple):
    """A search on its way. Fields: each leads with B, but for position."""

    position: Array  # (), tokens written so far
    carry: Any  # the model's, every leaf leads with B
    token: Array  # (B,), the last one written
    tokens: Array  # (B, max_length)
    log_p: Array  # (B,), of the tokens so far
    broken: Array  # (B,), True where no token was possible, or there is no sentence
    done: Array  # (B,), True once EOS is written, or broken


def greedy_search(start: Callable, step: Callable, batch_size: int, max_length: int,
                  *, bos: int, eos: int, pad: int, active: Array | None = None) -> tuple[Array, Array]:
    """Writes the likeliest token at each position until EOS or `max_length` tokens.

    Ties go to the smaller id. Arguments, results and errors are those of `beam_search`, without the axis of
    hypotheses; instead of a score the log p of the tokens (B,) is returned. A sentence whose logits are NaN
    gives PAD alone and -inf.
    """
    candidates.check(bos, eos, pad, batch_size=batch_size, max_length=max_length)
    state = begin(start(), batch_size, max_length, bos=bos, pad=pad, active=active)
    return best(advance(state, step, bos=bos, eos=eos, pad=pad), pad)


def begin(carry: Any, batch_size: int, max_length: int, *, bos: int, pad: int, active: Array | None = None
          ) -> State:
    """The state before the first token."""
    active = jnp.ones((batch_size,), bool) if active is None else active
    return State(position=jnp.int32(0), carry=carry, token=jnp.full((batch_size,), bos, jnp.int32),
                 tokens=jnp.full((batch_size, max_length), pad, jnp.int32),
                 log_p=jnp.zeros((batch_size,), jnp.float32), broken=~active, done=~active)


def advance(state: State, step: Callable, *, bos: int, eos: int, pad: int, stop: int | None = None,
            few: int = 0) -> State:
    """Writes tokens until there are `stop` of them (None: max_length), or at most `few` sentences go on."""
    stop = state.tokens.shape[1] if stop is None else stop

    def unfinished(state: State) -> Array:
        return (state.position < stop) & (jnp.sum(~state.done) > few)

    def write(state: State) -> State:
        logits, carry = step(state.carry, state.token)
        logit, token = candidates.top(candidates.allowed_logits(logits, (bos, pad)), 1)
        logit, token = logit[:, 0], token[:, 0]
        # NaN and inf anywhere make this no number: what log p says too, which a caller may not want.
        broken = ~state.done & ~jnp.isfinite(jnp.max(logits, axis=1) - logit)
        log_p = state.log_p + candidates.log_probability(logit, logits)
        log_p = jnp.where(state.done, state.log_p, log_p)
        token = jnp.where(state.done | broken, pad, token)
        return State(state.position + 1, carry, token, state.tokens.at[:, state.position].set(token), log_p,
                     state.broken | broken, state.done | (token == eos) | broken)

    return lax.while_loop(unfinished, write, state)


def best(state: State, pad: int) -> tuple[Array, Array]:
    """Tokens (B, max_length) and their log p (B,)."""
    return (jnp.where(state.broken[:, None], pad, state.tokens),
            jnp.where(state.broken, -jnp.inf, state.log_p))
