"""Batched beam search over any start/step pair, in one compiled loop.

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
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from attention_lab.decoding import candidates


class _State(NamedTuple):
    position: Array  # (), tokens written so far
    carry: Any  # the model's, every leaf leads with B * beam, a sentence's hypotheses side by side
    live_tokens: Array  # (B, beam, max_length), best first
    live_log_p: Array  # (B, beam), -inf where there is no hypothesis
    tokens: Array  # (B, beam, max_length) of finished hypotheses, best first
    scores: Array  # (B, beam), -inf where there is no hypothesis
    done: Array  # (B,), True once nothing may change any more


def beam_search(start: Callable, step: Callable, batch_size: int, beam: int, max_length: int,
                length_penalty: Any, *, bos: int, eos: int, pad: int, active: Array | None = None
                ) -> tuple[Array, Array]:
    """Finds the `beam` best token sequences of each sentence under log p / length^length_penalty.

    Call it inside `jax.jit`. PAD and BOS are never written, but keep their share of the probability. The loop
    ends as soon as every sentence has. A carry leaf that `step` returns as it got it (keys and values of the
    source) is not copied from hypothesis to hypothesis.

    Args:
      start: () -> carry, a pytree whose every leaf leads with B = batch_size; it is repeated here, a
        sentence's hypotheses side by side.
      step: (carry, token (B * beam,)) -> (logits (B * beam, N), carry); the first token is BOS.
      beam: hypotheses kept for each sentence; 1 is greedy search.
      max_length: tokens written at most, EOS included.
      length_penalty: exponent, at least 0; may be traced. 0 prefers short ones, 1 takes the mean.
      active: (B,), False for a row that only fills the batch: it gets nothing and is not waited for. None:
        all are sentences.
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

    def score(log_p: Array, length: Array) -> Array:
        return log_p / jnp.asarray(length, jnp.float32) ** length_penalty

    def unfinished(state: _State) -> Array:
        return (state.position < max_length) & ~jnp.all(state.done)

    def extend(state: _State) -> _State:
        last = state.live_tokens[:, :, jnp.maximum(state.position - 1, 0)]
        last = jnp.where(state.position == 0, bos, last)
        logits, carry = step(state.carry, last.reshape(-1))
        parent, token, log_p = _best_extensions(logits, state.live_log_p, (bos, pad), beam)
        extended = _pick(state.live_tokens, parent).at[:, :, state.position].set(token)

        # Among 2 k extensions at most k end, one for each hypothesis; so k are left to live on.
        ends = token == eos
        finished = jnp.where(ends[:, :beam], score(log_p[:, :beam], state.position + 1), -jnp.inf)
        scores, best = lax.top_k(jnp.concatenate([state.scores, finished], axis=1), beam)
        tokens = _pick(jnp.concatenate([state.tokens, extended[:, :beam]], axis=1), best)
        scores = jnp.where(state.done[:, None], state.scores, scores)
        tokens = jnp.where(state.done[:, None, None], state.tokens, tokens)

        live_log_p, best = lax.top_k(jnp.where(ends, -jnp.inf, log_p), beam)
        parent = jnp.take_along_axis(parent, best, axis=1)
        done = (state.done | jnp.all(scores > -jnp.inf, axis=1)
                | jnp.all(live_log_p == -jnp.inf, axis=1))
        return _State(state.position + 1, _follow(state.carry, carry, parent),
                      _pick(extended, best), live_log_p, tokens, scores, done)

    active = jnp.ones((batch_size,), bool) if active is None else active
    nothing = jnp.full((batch_size, beam, max_length), pad, jnp.int32)
    absent = jnp.full((batch_size, beam), -jnp.inf, jnp.float32)
    final = lax.while_loop(unfinished, extend, _State(
        position=jnp.int32(0),
        carry=jax.tree.map(lambda leaf: jnp.repeat(leaf, beam, axis=0), carry),
        live_tokens=nothing,
        # One empty hypothesis, not k equal ones.
        live_log_p=absent.at[:, 0].set(jnp.where(active, 0.0, -jnp.inf)),
        tokens=nothing, scores=absent, done=~active))

    # Both halves are sorted: finished ones first, then those cut, then what is absent.
    scores = jnp.concatenate([final.scores, score(final.live_log_p, max_length)], axis=1)
    rank = jnp.where(scores == -jnp.inf, 2, jnp.repeat(jnp.arange(2), beam)[None])
    order = jnp.argsort(rank, axis=1, stable=True)[:, :beam]
    scores = jnp.take_along_axis(scores, order, axis=1)
    tokens = _pick(jnp.concatenate([final.tokens, final.live_tokens], axis=1), order)
    return jnp.where(scores[:, :, None] == -jnp.inf, pad, tokens), scores


def _best_extensions(logits: Array, live_log_p: Array, banned: tuple[int, ...], beam: int
                     ) -> tuple[Array, Array, Array]:
    """The 2 k likeliest extensions of each sentence: hypothesis, token, log p; each (B, 2 k).

    Each hypothesis offers its k + 1 best, which is all that can count: k that stay alive, and EOS. They are
    ranked by logit, before log p is added, as rounding could make two different ones equal.
    """
    allowed, normaliser = candidates.allowed_logits(logits, banned)
    offered, token = lax.top_k(allowed, min(beam + 1, logits.shape[-1]))
    log_p = candidates.log_probability(offered, normaliser[:, None])
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
