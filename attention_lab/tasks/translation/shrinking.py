"""Translations of a batch that shrinks: sentences that go on are moved to smaller batches, with more room.

The first program decodes until a quarter of the sentences is left or the room for their targets is full,
the next one goes on with those. So most of the work is done in full batches with short pasts, whatever the
longest translation is, and a few programs serve all batches: smaller ones are padded to one length of sources
and have room for the longest translation.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.data.batching import ROW_MULTIPLE, fewer_rows
from attention_lab.data.vocabulary import BOS, EOS, PAD
from attention_lab.decoding import beam, greedy
from attention_lab.models import Model

ROOM = 16  # room for targets comes in multiples of it


def decode(model: Model, params: Any, source: np.ndarray, hyper: Any, length_penalty: float, hypotheses: int,
           limit: int, longest: int) -> np.ndarray:
    """The best token ids (B, limit) for source ids (B, S).

    Args:
      hypotheses: kept of each sentence, 1 is greedy. limit: tokens written at most.
      longest: length of sources to which smaller batches are padded, at least S.
    """
    fixed = dict(model=model, hypotheses=hypotheses, limit=limit)
    given = dict(hyper=hyper, length_penalty=jnp.float32(length_penalty))
    tokens = np.full((len(source), limit), PAD, np.int32)
    began = begin(params, source, room=first_room(*source.shape, limit), **fixed, **given)
    waiting = [(*began, np.arange(len(source)))]
    while waiting:
        state, best, rows = waiting.pop()
        done, size = np.asarray(state.done), fewer_rows(len(state.done))
        ended = (done if state.position < limit else np.ones_like(done)) & (rows >= 0)
        tokens[rows[ended]] = np.asarray(best)[ended]
        left = np.flatnonzero(~ended & (rows >= 0))
        if len(left):
            wide = shapes(params, hyper, size, longest, **fixed)
        for part in np.split(left, range(size, len(left), size)) if len(left) else ():
            filled = np.pad(part, (0, size - len(part)), mode="edge")
            moved = jax.tree.map(partial(move, filled, len(done)), state, wide)
            here = np.where(np.arange(size) < len(part), rows[filled], -1)
            moved = moved._replace(done=here < 0)
            waiting.append((*go_on(params, moved, **fixed, **given), here))
    return tokens


def first_room(rows: int, length: int, limit: int) -> int:
    """Tokens for which the first batch has room; the smallest batch has room for all, and is the last."""
    return limit if rows == ROW_MULTIPLE else min(limit, -(-length * 3 // 2 // ROOM) * ROOM)


def move(rows: np.ndarray, count: int, leaf: Any, wide: jax.ShapeDtypeStruct) -> np.ndarray:
    """Some rows of a leaf of the state of `count` sentences, with zeros behind up to the shape of `wide`."""
    leaf = np.asarray(leaf)
    if not leaf.ndim:
        return leaf
    leaf = leaf.reshape(count, -1, *leaf.shape[1:])[rows].reshape(-1, *leaf.shape[1:])
    return np.pad(leaf, [(0, more - size) for size, more in zip(leaf.shape, wide.shape)])


@partial(jax.jit, static_argnames=("model", "hypotheses", "limit", "room"))
def first_state(model, params, source, hyper, hypotheses, limit, room):
    """The state before the first token of sources (B, S), with room for so many."""
    rows, active = source.shape[0], jnp.any(source != PAD, axis=1)
    carry = model.start(params, source, hyper, room, hypotheses)
    if hypotheses == 1:
        return greedy.begin(carry, rows, limit, bos=BOS, pad=PAD, active=active)
    carry = carry if model.follow else beam.repeated(carry, hypotheses)
    return beam.begin(carry, rows, hypotheses, limit, pad=PAD, active=active)


@partial(jax.jit, static_argnames=("model", "hypotheses", "limit", "room"))
def begin(params, source, hyper, length_penalty, *, model, hypotheses, limit, room):
    """The search up to `room` tokens, or until few sentences go on: its state, the best tokens (B, limit)."""
    state = first_state(model, params, source, hyper, hypotheses, limit, room)
    return advanced(params, state, hyper, length_penalty, model, hypotheses, room)


@partial(jax.jit, static_argnames=("model", "hypotheses", "limit"), donate_argnames="state")
def go_on(params, state, hyper, length_penalty, *, model, hypotheses, limit):
    """What `begin` gives, from a state with room for all tokens."""
    return advanced(params, state, hyper, length_penalty, model, hypotheses, limit)


def advanced(params, state, hyper, length_penalty, model, hypotheses, stop):
    """The state once it has `stop` tokens or few sentences go on, and the best tokens."""
    def step(carry, token):
        return model.step(params, carry, token, hyper)

    rows = state.done.shape[0]
    few = fewer_rows(rows) if rows > ROW_MULTIPLE else 0
    marks = dict(bos=BOS, eos=EOS, pad=PAD, stop=stop, few=few)
    if hypotheses == 1:
        state = greedy.advance(state, step, **marks)
        return state, greedy.best(state, PAD)[0]
    state = beam.advance(state, step, length_penalty, follow=model.follow, **marks)
    return state, beam.best(state, length_penalty, PAD)[0][:, 0]


def shapes(params, hyper, rows, length, *, model, hypotheses, limit):
    """Shapes of the state of so many sources of this length, with room for all tokens."""
    source = jax.ShapeDtypeStruct((rows, length), jnp.int32)
    return first_state.eval_shape(model, params, source, hyper, hypotheses, limit, limit)
