"""Greedy search: the likeliest token at every position, in one compiled loop."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from attention_lab.decoding import candidates


class _State(NamedTuple):
    position: Array  # (), tokens written so far
    carry: Any  # the model's, every leaf leads with B
    token: Array  # (B,), the last one written
    tokens: Array  # (B, max_length)
    log_p: Array  # (B,), of the tokens so far; -inf once no token is possible
    done: Array  # (B,), True once EOS is written


def greedy_search(start: Callable, step: Callable, batch_size: int, max_length: int,
                  *, bos: int, eos: int, pad: int, active: Array | None = None) -> tuple[Array, Array]:
    """Writes the likeliest token at each position until EOS or `max_length` tokens.

    Ties go to the smaller id. Arguments, results and errors are those of `beam_search`, without the axis of
    hypotheses; instead of a score the log p of the tokens (B,) is returned. A sentence whose logits are NaN
    gives PAD alone and -inf.
    """
    candidates.check(bos, eos, pad, batch_size=batch_size, max_length=max_length)
    rows = jnp.arange(batch_size)
    active = jnp.ones((batch_size,), bool) if active is None else active

    def unfinished(state: _State) -> Array:
        return (state.position < max_length) & ~jnp.all(state.done)

    def write(state: _State) -> _State:
        logits, carry = step(state.carry, state.token)
        allowed, normaliser = candidates.allowed_logits(logits, (bos, pad))
        token = jnp.argmax(allowed, axis=-1).astype(jnp.int32)
        log_p = state.log_p + candidates.log_probability(allowed[rows, token], normaliser)
        log_p = jnp.where(state.done, state.log_p, log_p)
        token = jnp.where(state.done, pad, token)
        done = state.done | (token == eos) | (log_p == -jnp.inf)
        return _State(state.position + 1, carry, token,
                      state.tokens.at[:, state.position].set(token), log_p, done)

    final = lax.while_loop(unfinished, write, _State(
        position=jnp.int32(0), carry=start(),
        token=jnp.full((batch_size,), bos, jnp.int32),
        tokens=jnp.full((batch_size, max_length), pad, jnp.int32),
        log_p=jnp.where(active, 0.0, -jnp.inf),
        done=~active))
    return jnp.where(final.log_p[:, None] == -jnp.inf, pad, final.tokens), final.log_p
