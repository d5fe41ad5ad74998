"""Toy models whose every hypothesis can be enumerated, and both searches on them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab import decoding

PAD, UNKNOWN, BOS, EOS = 0, 1, 2, 3
beam_search, greedy_search = (functools.partial(search, bos=BOS, eos=EOS, pad=PAD)
                              for search in (decoding.beam_search, decoding.greedy_search))


def random_tables(seed, batch_size, vocabulary, length, sharpness=2.0):
    """Logits (B, length, N, N) of the next token by sentence, position and last token."""
    generator = np.random.default_rng(seed)
    shape = (batch_size, length, vocabulary, vocabulary)
    return (sharpness * generator.normal(size=shape)).astype(np.float32)


def table_model(tables):
    """A model whose carry is its table, handed on untouched, and its position."""

    def start():
        return {"table": jnp.asarray(tables), "position": jnp.zeros(len(tables), jnp.int32)}

    def step(carry, token):
        rows = jnp.arange(token.shape[0])
        logits = carry["table"][rows, carry["position"], token]
        return logits, {"table": carry["table"], "position": carry["position"] + 1}

    return start, step


def history_model(seed, batch_size, vocabulary, max_length, cached):
    """Logits depend on every token so far: by a cached sum, or anew from the whole history."""
    generator = np.random.default_rng(seed)
    vectors = jnp.asarray(generator.normal(size=(max_length, vocabulary, 7)), jnp.float32)
    readout = jnp.asarray(generator.normal(size=(7, vocabulary)), jnp.float32)
    sources = jnp.asarray(generator.normal(size=(batch_size, 7)), jnp.float32)

    def start():
        position = jnp.zeros(batch_size, jnp.int32)
        if cached:
            return sources, position, jnp.zeros((batch_size, 7))
        return sources, position, jnp.zeros((batch_size, max_length), jnp.int32)

    def step(carry, token):
        source, position, memory = carry
        rows = jnp.arange(token.shape[0])
        if cached:
            memory = memory + vectors[position, token]
            state = memory
        else:
            memory = memory.at[rows, position].set(token)
            written = jnp.arange(max_length)[None] <= position[:, None]
            each = vectors[jnp.arange(max_length)[None], memory]
            state = jnp.sum(jnp.where(written[:, :, None], each, 0.0), axis=1)
        return jnp.tanh(state + source) @ readout, (source, position + 1, memory)

    return start, step


@functools.partial(jax.jit, static_argnames=("beam", "max_length"))
def search_tables(tables, length_penalty, beam, max_length):
    start, step = table_model(tables)
    return beam_search(start, step, tables.shape[0], beam, max_length, length_penalty)


@functools.partial(jax.jit, static_argnames=("max_length",))
def greedy_tables(tables, max_length):
    start, step = table_model(tables)
    return greedy_search(start, step, tables.shape[0], max_length)
