"""Classifiers: shapes, padding, what a pooling reads, whose weights it uses, and which classes there are."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab import models
from attention_lab.attention import counterfactual
from attention_lab.data.vocabulary import EOS

N, D, H = 23, 11, 13
B, S = 3, 7
CLASSES = (2, 5, 3)
KINDS = {"encoder": {"attention.compatibility": "dot", "model.num_heads": 1, "model.num_layers": 2},
         "rnn": {}, "gru": {}, "lstm": {"model.bidirectional": True, "model.hidden": 14},
         "average": {}, "bag_of_words": {}}
POOLINGS = ("place", "mean", "additive", "dot")
LENGTHS = (6, 3, 5)  # words, the end mark not among them


def made(kind, pooling, weights="learned"):
    """(model, hyper) of these sizes."""
    changes = {"data.source": "senses", "model.kind": kind, "model.pooling": pooling, "model.width": D,
               "model.hidden": H, "model.num_layers": 1, "attention.compatibility": "none",
               "attention.weights": weights, "attention.guide": "runs/guide" if weights == "frozen" else ""}
    structure, hyper = configs.split(configs.replace(configs.Config(), changes | KINDS[kind]))
    return models.build(structure, N, CLASSES), hyper


@functools.cache
def built(kind, pooling, weights="learned"):
    """(model, params whose zeros are drawn too, hyper)."""
    model, hyper = made(kind, pooling, weights)
    params, rng = jax.jit(model.init)(jax.random.key(0)), np.random.default_rng(2)
    return model, jax.tree.map(lambda x: x + rng.normal(0, 0.1, x.shape).astype(np.float32), params), hyper


def batch(padding=0):
    """Three sentences of 6, 3 and 5 words, about three different words."""
    source = np.random.default_rng(1).integers(4, N, (B, S))
    for row, length in zip(source, LENGTHS):
        row[length], row[length + 1:] = EOS, 0
    source = np.pad(source, ((0, 0), (0, padding))).astype(np.int32)
    guide = np.zeros(source.shape, np.float32)
    guide[:, :3] = 0.2, 0.5, 0.3
    return {"source": source, "position": np.array([4, 0, 2], np.int32),
            "word": np.array([0, 1, 2], np.int32),
            "example": np.array([5, 8, 2], np.int32), "guide": guide}


def decide(model, params, given, hyper, **more):
    return jax.jit(lambda params, given: model.apply(params, given, hyper, with_weights=True, **more))(
        params, given)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_shapes(kind, pooling):
    model, hyper = made(kind, pooling)
    found = jax.eval_shape(lambda key, given: model.apply(model.init(key), given, hyper, with_weights=True),
                           jax.random.key(0), batch())
    size = {"encoder": D, "bag_of_words": D, "lstm": 14}.get(kind, H)
    assert found.logits.shape == found.allowed.shape == (B, 5) and found.states.shape == (B, S, size)
    shapes = {"encoder": (2, B, 1, S, S)} if kind == "encoder" else {}
    shapes |= {"pool": (1, B, 1, 1, S)} if pooling in ("additive", "dot") else {}
    assert {name: one.shape for name, one in found.weights.items()} == shapes
    assert (model.projections is not None) == (model.values is not None) == (kind == "encoder")
    assert model.start is None and model.step is None


@pytest.mark.parametrize("kind, pooling", [
    ("encoder", "place"), ("lstm", "additive"), ("rnn", "mean"), ("average", "dot")])
def test_padding_changes_nothing(kind, pooling):
    model, params, hyper = built(kind, pooling)
    short, long = (decide(model, params, batch(padding), hyper) for padding in (0, 4))
    np.testing.assert_allclose(long.logits, short.logits, rtol=1e-5, atol=1e-6)
    for name, weights in short.weights.items():
        np.testing.assert_allclose(long.weights[name][..., :S, :S] if name == "encoder" else
                                   long.weights[name][..., :S], weights, rtol=1e-5, atol=1e-6)
        assert not np.asarray(long.weights[name])[..., S:].any()


def test_no_class_beyond_those_of_a_word_is_allowed():
    model, params, hyper = built("bag_of_words", "mean")
    found = decide(model, params, batch(), hyper)
    assert found.allowed.tolist() == [[True] * n + [False] * (5 - n) for n in CLASSES]


@pytest.mark.parametrize("weights", ["uniform", "frozen"])
def test_weights_that_are_not_learned(weights):
    model, params, hyper = built("average", "additive", weights)
    given = batch()
    found = decide(model, params, given, hyper)
    even = np.array([[1 / n] * n + [0.0] * (S - n) for n in LENGTHS])
    wanted = even if weights == "uniform" else given["guide"]
    np.testing.assert_allclose(found.weights["pool"][0, :, 0, 0], wanted, rtol=1e-6)
    context = np.einsum("bs,bsd->bd", wanted, found.states)
    np.testing.assert_allclose(found.logits, logits_of(params, given, context), rtol=1e-5, atol=1e-5)
    # What a caller asks for goes before what the config says.
    first = np.eye(S, dtype=np.float32)[None, None, None, [0]]
    other = decide(model, params, given, hyper, intervention={"pool": counterfactual.given(first)})
    np.testing.assert_array_equal(other.weights["pool"][0, :, 0, 0], [np.eye(S)[0]] * B)


def test_an_intervention_on_attention_that_is_not_there_is_refused():
    model, params, hyper = built("bag_of_words", "mean")
    with pytest.raises(ValueError, match="intervention is on pool; this model allows none"):
        model.apply(params, batch(), hyper, intervention={"pool": counterfactual.uniform()})


def logits_of(params, given, context):
    """Class vectors of each row's word times what was read, by numpy."""
    readout, bias = np.asarray(params["readout"]), np.asarray(params["bias"])
    return np.stack([readout[word] @ row + bias[word] for word, row in zip(given["word"], context)])


def words_of(given, row):
    return given["source"][row, :LENGTHS[row]]


def test_a_bag_of_words_by_hand():
    model, params, hyper = built("bag_of_words", "mean")
    given = batch()
    table = np.asarray(params["embedding"]) * D ** 0.5
    context = np.stack([table[words_of(given, row)].mean(axis=0) for row in range(B)])
    np.testing.assert_allclose(decide(model, params, given, hyper).logits,
                               logits_of(params, given, context), rtol=1e-5, atol=1e-5)


def test_average_and_additive_pooling_by_hand():
    model, params, hyper = built("average", "additive")
    given = batch()
    found = decide(model, params, given, hyper)
    table = np.asarray(params["embedding"]) * D ** 0.5
    kernel, bias = (np.asarray(params["projection"][name]) for name in ("kernel", "bias"))
    key, query, vector = (np.asarray(params[f"pool_{name}"]) for name in ("key", "query", "vector"))
    assert key.shape == (H, H // 2)
    context = []
    for row in range(B):
        states = np.tanh(table[words_of(given, row)] @ kernel + bias)  # each token by itself
        np.testing.assert_allclose(found.states[row, :LENGTHS[row]], states, rtol=1e-5, atol=1e-6)
        scores = np.tanh(states @ key + query) @ vector
        weights = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(found.weights["pool"][0, row, 0, 0, :LENGTHS[row]], weights, rtol=1e-5)
        context.append(weights @ states)
    wanted = logits_of(params, given, np.stack(context))
    np.testing.assert_allclose(found.logits, wanted, rtol=1e-5, atol=1e-5)


def gradient(kind, pooling):
    """Norm of the gradient of the first class's logit with respect to each token's vector, (B, S)."""
    model, params, hyper = built(kind, pooling)
    given = batch()
    vectors = model.embed(params, given["source"])
    first = jax.grad(lambda x: model.apply(params, given, hyper, embedded=x).logits[:, 0].sum())
    return np.linalg.norm(jax.jit(first)(vectors), axis=-1)


def test_the_target_alone_sees_its_word_and_nothing_else():
    seen = gradient("bag_of_words", "place") > 0
    assert seen.tolist() == [[place == n for n in range(S)] for place in batch()["position"]]


def test_an_encoder_sees_every_word_from_the_place_and_no_padding():
    seen = gradient("encoder", "place") > 0
    assert seen.tolist() == [[n <= length for n in range(S)] for length in LENGTHS]  # with the end mark


@pytest.mark.parametrize("kind, pooling", [("encoder", "place"), ("average", "additive")])
def test_vectors_that_are_handed_in_stand_for_the_tokens(kind, pooling):
    model, params, hyper = built(kind, pooling)
    given = batch()
    vectors = model.embed(params, given["source"])
    table = np.asarray(params["embedding"]) * D ** 0.5
    np.testing.assert_allclose(vectors, table[given["source"]], rtol=1e-6)
    plain = decide(model, params, given, hyper)
    # The tokens still say what is a word: their vectors come from elsewhere.
    blank = given | {"source": np.where(given["source"] > EOS, 4, given["source"])}
    handed = decide(model, params, blank, hyper, embedded=jnp.asarray(vectors))
    np.testing.assert_allclose(handed.logits, plain.logits, rtol=1e-6, atol=1e-6)


def test_dropout_hits_what_is_read_and_needs_a_key():
    model, params, hyper = built("bag_of_words", "place")
    hyper = hyper._replace(dropout=np.float32(0.5))
    apply = jax.jit(lambda key: model.apply(params, batch(), hyper, key).logits)
    without, once, again, other = (
        apply(key) for key in (None, jax.random.key(1), jax.random.key(1), jax.random.key(2)))
    np.testing.assert_array_equal(once, again)
    assert np.abs(once - without).max() > 1e-3 and np.abs(once - other).max() > 1e-3
