"""Reading on token by token gives the logits of one pass over the whole text, whatever was read at once."""

import functools

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_lab import models
from attention_lab.config import Config, split
from attention_lab.config.parse import merge
from attention_lab.config.rules import check
from attention_lab.models.products import product

B, S, T, N = 3, 7, 11, 19
TEXT = np.random.default_rng(0).integers(4, N, (B, T)).astype(np.int32)
ENCODER = {"data.source": "text", "model.kind": "encoder", "model.causal": True, "model.width": 12,
           "model.hidden": 10, "model.num_heads": 3}
LINEAR = ENCODER | {"model.kind": "linear_attention"}
RECURRENT = {"data.source": "text", "attention.compatibility": "none", "model.width": 12, "model.hidden": 13}
SIZES = {"model.key_size": 2, "model.value_size": 7, "model.num_heads": 5, "model.num_layers": 3}
KINDS = {
    "learned": ENCODER | {"model.positions": "learned"},
    "rotary": ENCODER | {"model.positions": "rotary"},
    "free sizes": ENCODER | {"model.positions": "rotary"} | SIZES,
    "window": ENCODER | {"attention.window": 2},
    "itself alone": ENCODER | {"attention.window": 0},
    "shift": ENCODER | {"model.shift": True},
    "sinusoidal, post, untied": ENCODER | {"model.norm": "post", "model.tie_embeddings": False},
    "nothing but attention": ENCODER | {"model.hidden": 0, "model.residual": False, "model.norm": "none"},
    "additive": ENCODER | {"attention.compatibility": "additive"},
    "cosine": ENCODER | {"attention.compatibility": "cosine"},
    "linear scores, scaled": ENCODER | {"attention.compatibility": "linear", "attention.scale": 2.0},
    "xla": ENCODER | {"attention.implementation": "xla"},
    "linear": LINEAR,
    "linear, free sizes": LINEAR | {"model.positions": "rotary", "model.shift": True} | SIZES,
    "linear, window": LINEAR | {"attention.window": 2},
    **{kind: RECURRENT | {"model.kind": kind} for kind in ("rnn", "lstm", "gru")},
    "gru, shift": RECURRENT | {"model.kind": "gru", "model.shift": True, "model.num_layers": 3},
}


@functools.cache
def made(kind, precision="float32"):
    """start(source, room) and step(carry, token), and the logits (B, T, N) of a pass over TEXT."""
    config = merge(Config(), KINDS[kind] | {"training.precision": precision})
    check(config)
    structure, hyper = split(config)
    model = models.build(structure, N)
    params = model.init(jax.random.key(0))
    output = jax.jit(model.apply)(params, {"source": TEXT, "target": TEXT, "example": np.arange(B)}, hyper)
    return (jax.jit(lambda source, room: model.start(params, source, hyper, room), static_argnums=1),
            jax.jit(lambda carry, token: model.step(params, carry, token, hyper)),
            np.asarray(product(output.hidden, output.readout.T, precision)))


def check_steps(kind, lengths, tolerance, precision="float32"):
    """Asserts that all logits after the first `lengths` tokens of each row are those of the whole."""
    start, step, expected = made(kind, precision)
    lengths = np.array(lengths)
    carry = start(np.where(np.arange(S) < lengths[:, None], TEXT[:, :S], 0), T - S)
    for t in range(T - lengths.max()):
        here = np.arange(B), lengths + t
        logits, carry = step(carry, TEXT[here])
        np.testing.assert_allclose(logits, expected[here], rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("kind", KINDS)
def test_steps_give_the_logits_of_the_whole(kind):
    """Three rows: nothing read before, a part, and all that has been given room."""
    check_steps(kind, (0, 3, S), 1e-5)


@pytest.mark.parametrize("kind", ["rotary", "linear", "rnn", "lstm", "gru"])
def test_they_do_in_half_precision(kind):
    check_steps(kind, (0, 3, S), 2e-2, "bfloat16")
    assert np.abs(made(kind, "bfloat16")[2] - made(kind)[2]).max() > 1e-4


@settings(max_examples=20)
@given(st.lists(st.integers(0, S), min_size=B, max_size=B))
@pytest.mark.parametrize("kind", ["free sizes", "linear, free sizes", "gru, shift"])
def test_they_do_whatever_has_been_read_at_once(kind, lengths):
    check_steps(kind, lengths, 1e-5)


def test_a_carry_leads_with_the_rows_and_that_of_linear_attention_does_not_grow():
    for kind in ("rotary", "linear", "gru"):
        start, _, _ = made(kind)
        short, long = (start(TEXT[:, :S], room) for room in (0, 97))
        assert {leaf.shape[0] for leaf in jax.tree.leaves(long)} == {B}
        same = all(a.shape == b.shape for a, b in zip(jax.tree.leaves(short), jax.tree.leaves(long)))
        assert same == (kind != "rotary")


@pytest.mark.parametrize("changes, answers", [
    (ENCODER | {"data.source": "recall", "model.causal": False}, 1),  # it would see what follows
    (ENCODER | {"data.source": "recall"}, 5), (RECURRENT | {"model.kind": "gru"}, 5)])
def test_what_can_not_go_on_has_no_steps(changes, answers):
    model = models.build(split(merge(Config(), changes))[0], N, answers=answers)
    assert model.start is None and model.step is None
