"""The Transformer: padding changes nothing, the future stays hidden, cached equals uncached."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.data.vocabulary import BOS
from tests.models.sentences import (
    N,
    batch,
    built,
    check_padding,
    check_padding_and_gradient,
    logits,
    whole,
)

SMALL = {"model.width": 12, "model.hidden": 14, "model.num_heads": 2, "model.num_layers": 1}
KINDS = {
    "pre": {},
    "two layers": {"model.num_layers": 2},
    "post": {"model.norm": "post"},
    "no norm": {"model.norm": "none"},
    "no residual": {"model.residual": False},
    "no residual, post": {"model.residual": False, "model.norm": "post"},
    "no feed-forward": {"model.hidden": 0, "model.num_layers": 2},
    "nothing but attention": {"model.hidden": 0, "model.residual": False, "model.norm": "none"},
    "window": {"attention.window": 2, "model.num_layers": 2},
    "words alone": {"attention.window": 0},
    "learned": {"model.positions": "learned"},
    "rotary": {"model.positions": "rotary"},
    "gelu": {"model.activation": "gelu"},
    "untied": {"model.tie_embeddings": False},
    "free sizes": {"model.key_size": 5, "model.value_size": 3, "model.num_heads": 5},
    "additive": {"attention.compatibility": "additive"},
    "general": {"attention.compatibility": "general"},
    "cosine": {"attention.compatibility": "cosine"},
    "xla": {"attention.implementation": "xla"},
}


def build(**changes):
    return built(SMALL | changes)


@pytest.mark.parametrize("kind", ["learned", "rotary", "general", "cosine"])
def test_more_padding_changes_no_output(kind):
    check_padding(SMALL | KINDS[kind])


@pytest.mark.parametrize("kind", ["two layers", "no residual", "no feed-forward", "window", "additive",
                                  "xla"])
def test_more_padding_changes_neither_output_nor_gradient(kind):
    check_padding_and_gradient(SMALL | KINDS[kind])


@pytest.mark.parametrize("kind", ["two layers", "xla"])  # steps that equal the whole never see the future
def test_no_future_token_leaks(kind):
    model, params, hyper = build(**KINDS[kind])
    first = whole(SMALL | KINDS[kind])
    changed = batch()
    changed["target"][:, 3] = 4 + (changed["target"][:, 3] + 1) % (N - 4)
    second = logits(model, params, changed, hyper)
    np.testing.assert_array_equal(first[:, :4], second[:, :4])
    assert np.abs(first[:, 4] - second[:, 4]).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_cached_steps_equal_the_whole_sentence(kind):
    model, params, hyper = build(**KINDS[kind])
    given = batch()
    carry = model.start(params, given["source"], hyper, 6)
    token = jnp.full((3,), BOS)
    for t in range(5):
        step, carry = model.step(params, carry, token, hyper)
        np.testing.assert_allclose(step, whole(SMALL | KINDS[kind])[:, t], rtol=1e-4, atol=1e-4)
        token = given["target"][:, t]


@pytest.mark.parametrize("kind", ["pre", "post", "additive", "cosine", "xla"])
def test_weights_of_every_layer_and_head_sum_to_one(kind):
    model, params, hyper = build(**KINDS[kind], **KINDS["two layers"])
    weights = model.apply(params, batch(), hyper, with_weights=True).weights
    assert {name: w.shape for name, w in weights.items()} == {
        "encoder": (2, 3, 2, 7, 7), "decoder": (2, 3, 2, 5, 5), "cross": (2, 3, 2, 5, 7)}
    for w in weights.values():
        np.testing.assert_allclose(w.sum(axis=-1), 1.0, rtol=1e-5)
    assert np.all(np.triu(weights["decoder"][0, 0, 0], 1) == 0)
    assert np.all(weights["cross"][:, 1, :, :, 4:] == 0)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "pre"])
def test_every_choice_changes_what_comes_out(kind):
    ours = whole(SMALL | KINDS[kind])
    assert ours.shape == (3, 5, N) and np.isfinite(ours).all()
    difference = np.abs(ours - whole(SMALL)).max()
    assert difference < 1e-5 if kind == "xla" else difference > 1e-3


def test_without_positions_order_would_be_lost():
    """Sinusoids: two tokens swapped in the source change what is read from it."""
    model, params, hyper = build()
    swapped = batch()
    swapped["source"][:, [0, 2]] = swapped["source"][:, [2, 0]]
    assert np.abs(whole(SMALL) - logits(model, params, swapped, hyper)).max() > 1e-3


def test_the_scale_and_the_dropout_rate_are_traced(counted):
    model, params, hyper = build()
    traced = counted(lambda hyper: logits(model, params, batch(), hyper, jax.random.key(0)))
    run = jax.jit(traced)
    found = [run(hyper), run(hyper._replace(attention_scale=np.float32(3.0))),
             run(hyper._replace(dropout=np.float32(0.5)))]
    assert traced.count == 1
    assert np.abs(found[0] - found[1]).max() > 1e-3 and np.abs(found[0] - found[2]).max() > 1e-3


@pytest.mark.parametrize("name", ["cudnn", "splash"])
def test_a_kernel_of_a_device_gets_halves_and_gives_what_the_reference_does(on_its_device, name):
    half = {"training.precision": "bfloat16", "model.width": 12, "model.num_heads": 2}
    expected = whole(half | {"attention.implementation": "reference"})
    on_its_device(name)
    found = whole(half | {"attention.implementation": name})
    assert found.dtype == expected.dtype and 0 < np.abs(found - expected).max() < 0.05 < np.abs(found).max()


def test_keys_too_wide_for_the_kernel_of_a_device_are_left_to_the_reference(on_its_device):
    wide = {"training.precision": "bfloat16", "model.width": 12, "model.num_heads": 2, "model.key_size": 257}
    expected = whole(wide | {"attention.implementation": "reference"})
    on_its_device("cudnn")
    np.testing.assert_array_equal(whole(wide | {"attention.implementation": "auto"}), expected)
