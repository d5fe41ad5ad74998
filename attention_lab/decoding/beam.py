"""Batched beam search over any start/step pair, in one compiled loop or in several.

The search, for each sentence separately, with a beam of k:

* k live hypotheses, all of the same length, are extended by every token. The extensions are ranked by log p;
  ties go to the earlier hypothesis, then to the smaller id.
* An extension by EOS that ranks among the first k is finished: it moves to a buffer of the k best by
  score = log p / length^length_penalty (length counts EOS). One that ranks lower is dropped.
* The k best other extensions live on.
* A sentence stops when k hypotheses have finished, or when none can live on, even if a live one might still
  reach a better score: so a beam of 1 is greedy search under every length penalty, and scores compare with
  those of fairseq (Ott et al. 2019), which stops there too.
* Hypotheses that `max_length` cuts rank after all that finished, whatever their score: a loop of likely
  tokens that never ends can have a high mean log p.

With a beam as wide as the number of possible hypotheses nothing is dropped and the search is exact.

`begin`, `advance` and `best` are the search in parts, as in greedy.py.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from attention_lab.decoding import candidates


class State(NamedTuple):
    """A search on its way. Fields: each leads with B, but for position."""

    position: Array  # (), tokens written so far
    carry: Any  # the model's
    live_tokens: Array  # (B, beam, max_length), best first
    live_log_p: Array  # (B, beam), -inf where there is no hypothesis
    tokens: Array  # (B, beam, max_length) of finished hypotheses, best first
    scores: Array  # (B, beam), -inf where there is no hypothesis
    done: Array  # (B,), True once nothing may change any more


def beam_search(start: Callable, step: Callable, batch_size: int, beam: int, max_length: int,
                length_penalty: Any, *, bos: int, eos: int, pad: int, active: Array | None = None,
                follow: Callable | None = None) -> tuple[Array, Array]:
    """Finds the `beam` best token sequences of each sentence under log p / length^length_penalty.

    Call it inside `jax.jit`. PAD and BOS are never written, but keep their share of the probability. The loop
    ends as soon as every sentence has.

    Args:
      start: () -> carry, a pytree whose every leaf leads with B = batch_size.
      step: (carry, token (B * beam,)) -> (logits (B * beam, N), carry), a sentence's hypotheses side by side;
        the first token is BOS.
      beam: hypotheses kept for each sentence; 1 is greedy search.
      max_length: tokens written at most, EOS included.
      length_penalty: exponent, at least 0; may be traced. 0 prefers short ones, 1 takes the mean.
      active: (B,), False for a row that only fills the batch: it gets nothing and is not waited for. None:
        all are sentences.
      follow: (carry, parent (B, beam)) -> carry in which each hypothesis has the past of its parent, where
        `start` gives the carry of all hypotheses. None: leaves are repeated here, and lead with B * beam in
        `step`; each is copied from hypothesis to hypothesis, but for one that `step` returns as it got it
        (keys and values of the source).
    Returns:
      tokens (B, beam, max_length) int32, best first, without BOS, with EOS unless cut, then PAD; scores
      (B, beam) float32. Where there are fewer hypotheses, PAD alone and -inf.
    Raises:
      ValueError: a size below 1, a negative penalty, equal marks, a carry not leading with B.
    """
    candidates.check(bos, eos, pad, batch_size=batch_size, beam=beam, max_length=max_length)
    if not isinstance(length_penalty, jax.core.Tracer) and not length_penalty >= 0:
        raise ValueError(f"length_penalty={length_penalty} must be at least 0")
    carry = start()
    for leaf in jax.tree.leaves(carry):
        if leaf.shape[:1] != (batch_size,):
            raise ValueError(f"start gave a leaf of shape {leaf.shape}; every leaf must lead with "
                             f"batch_size={batch_size}")
    state = begin(carry if follow else repeated(carry, beam), batch_size, beam, max_length, pad=pad,
                  active=active)
    state = advance(state, step, length_penalty, bos=bos, eos=eos, pad=pad, follow=follow)
    return best(state, length_penalty, pad)


def begin(carry: Any, batch_size: int, beam: int, max_length: int, *, pad: int, active: Array | None = None
          ) -> State:
    """The state before the first token, from a carry of all hypotheses."""
    active = jnp.ones((batch_size,), bool) if active is None else active
    nothing = jnp.full((batch_size, beam, max_length), pad, jnp.int32)
    absent = jnp.full((batch_size, beam), -jnp.inf, jnp.float32)
    # One empty hypothesis, not k equal ones.
    live_log_p = absent.at[:, 0].set(jnp.where(active, 0.0, -jnp.inf))
    return State(jnp.int32(0), carry, nothing, live_log_p, nothing, absent, ~active)


def advance(state: State, step: Callable, length_penalty: Any, *, bos: int, eos: int, pad: int,
            follow: Callable | None = None, stop: int | None = None, few: int = 0) -> State:
    """Extends hypotheses to `stop` tokens (None: max_length), or until at most `few` sentences go on."""
    beam, stop = state.scores.shape[1], state.tokens.shape[2] if stop is None else stop

    def unfinished(state: State) -> Array:
        return (state.position < stop) & (jnp.sum(~state.done) > few)

    def extend(state: State) -> State:
        last = state.live_tokens[:, :, jnp.maximum(state.position - 1, 0)]
        last = jnp.where(state.position == 0, bos, last)
        logits, carry = step(state.carry, last.reshape(-1))
        parent, token, log_p = _best_extensions(logits, state.live_log_p, (bos, pad), beam)
        extended = _pick(state.live_tokens, parent).at[:, :, state.position].set(token)

        # Among 2 k extensions at most k end, one for each hypothesis; so k are left to live on.
        ends = token == eos
        finished = jnp.where(ends[:, :beam], _score(log_p[:, :beam], state.position + 1, length_penalty),
                             -jnp.inf)
        scores, best = lax.top_k(jnp.concatenate([state.scores, finished], axis=1), beam)
        tokens = _pick(jnp.concatenate([state.tokens, extended[:, :beam]], axis=1), best)
        scores = jnp.where(state.done[:, None], state.scores, scores)
        tokens = jnp.where(state.done[:, None, None], state.tokens, tokens)

        live_log_p, best = lax.top_k(jnp.where(ends, -jnp.inf, log_p), beam)
        parent = jnp.take_along_axis(parent, best, axis=1)
        done = (state.done | jnp.all(scores > -jnp.inf, axis=1)
                | jnp.all(live_log_p == -jnp.inf, axis=1))
        carry = follow(carry, parent) if follow else _follow(state.carry, carry, parent)
        return State(state.position + 1, carry, _pick(extended, best), live_log_p, tokens, scores, done)

    return lax.while_loop(unfinished, extend, state)


def best(state: State, length_penalty: Any, pad: int) -> tuple[Array, Array]:
    """Tokens (B, beam, max_length) and scores (B, beam): finished, then cut, then absent ones."""
    beam, max_length = state.tokens.shape[1:]
    # Both halves are sorted.
    cut = _score(state.live_log_p, max_length, length_penalty)
    scores = jnp.concatenate([state.scores, cut], axis=1)
    rank = jnp.where(scores == -jnp.inf, 2, jnp.repeat(jnp.arange(2), beam)[None])
    order = jnp.argsort(rank, axis=1, stable=True)[:, :beam]
    scores = jnp.take_along_axis(scores, order, axis=1)
    tokens = _pick(jnp.concatenate([state.tokens, state.live_tokens], axis=1), order)
    return jnp.where(scores[:, :, None] == -jnp.inf, pad, tokens), scores


def repeated(carry: Any, beam: int) -> Any:
    """A carry of sentences as that of their hypotheses, side by side."""
    return jax.tree.map(lambda leaf: jnp.repeat(leaf, beam, axis=0), carry)


def _score(log_p, length, length_penalty):
    return log_p / jnp.asarray(length, jnp.float32) ** length_penalty


def _best_extensions(logits: Array, live_log_p: Array, banned: tuple[int, ...], beam: int
                     ) -> tuple[Array, Array, Array]:
    """The 2 k likeliest extensions of each sentence: hypothesis, token, log p; each (B, 2 k).

    Each hypothesis offers its k + 1 best, which is all that can count: k that stay alive, and EOS. They are
    ranked by logit, before log p is added, as rounding could make two different ones equal.
    """
    offered, token = candidates.top(candidates.allowed_logits(logits, banned),
                                    min(beam + 1, logits.shape[-1]))
    log_p = candidates.log_probability(offered, logits)
    log_p = live_log_p[:, :, None] + log_p.reshape(*live_log_p.shape, -1)
    each = log_p.shape[-1]
    flat = log_p.reshape(live_log_p.shape[0], -1)
    log_p, best = lax.top_k(flat, 2 * beam)
    token = jnp.take_along_axis(token.reshape(flat.shape), best, axis=1)
    return best // each, token, log_p


def _pick(hypotheses: Array, index: Array) -> Array:
    """Hypotheses (B, n, ...) at index (B, m)."""
    return jnp.take_along_axis(hypotheses, index[:, :, None], axis=1)


def _follow(before: Any, after: Any, parent: Array) -> Any:
    """Gives each hypothesis its parent's carry: leaves (B * beam, ...), parent (B, beam)."""
    batch_size, beam = parent.shape
    rows = (jnp.arange(batch_size)[:, None] * beam + parent).reshape(-1)

    def follow(old: Array, new: Array) -> Array:
        # Never written, so still the same for all hypotheses of a sentence.
        return new if new is old else jnp.take(new, rows, axis=0, mode="clip")

    return jax.tree.map(follow, before, after)
