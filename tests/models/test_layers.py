"""Layers without one of their parts: by hand, in value, gradient and parameters; and how far a token sees."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab import models
from attention_lab.models.layers import EncoderLayer, through
from attention_lab.models.spec import without_dropout

B, S, D, F, N = 2, 5, 7, 11, 19
PARTS = [(norm, residual, hidden, 1 if hidden else None)  # norm, residual, hidden, window
         for norm, residual, hidden in itertools.product(("pre", "post", "none"), (True, False), (F, 0))]
SOURCE = np.random.default_rng(0).integers(4, N, (3, 7)).astype(np.int32)
TASKS = {  # kinds of model whose encoder sees both ways, by what is read from it
    "transformer": {}, "tokens": {"data.source": "recall", "model.kind": "encoder"},
    "class": {"data.source": "senses", "model.kind": "encoder"},
    "linear": {"data.source": "recall", "model.kind": "linear_attention",
               "attention.compatibility": "linear"}}


def built(changes):
    """(model, hyper) with one head and two layers."""
    structure, hyper = configs.split(configs.replace(configs.Config(), {
        "model.width": D, "model.num_heads": 1, "model.hidden": F} | changes))
    return models.build(structure, N, (2, 3)), hyper


def made(changes):
    """(model, params, hyper) of these sizes."""
    model, hyper = built(changes)
    return model, jax.jit(model.init)(jax.random.key(0)), hyper


def by_hand(params, x, norm, residual, hidden, window):
    """A layer of one head: each block after one another, by matrices (B, S, D)."""
    def normed(x, name):
        scale, bias = params[name]["norm"]["scale"], params[name]["norm"]["bias"]
        centred = x - x.mean(-1, keepdims=True)
        return centred / jnp.sqrt((centred ** 2).mean(-1, keepdims=True) + 1e-6) * scale + bias

    def attend(x):
        heads = params["heads"]
        q, k, v = (x @ heads[f"{part}_kernel"] + heads[f"{part}_bias"] for part in ("query", "key", "value"))
        logits = q @ k.swapaxes(1, 2) / D ** 0.5
        far = np.abs(np.subtract.outer(np.arange(S), np.arange(S))) > (S if window is None else window)
        weights = jax.nn.softmax(jnp.where(far, -jnp.inf, logits), axis=-1)
        return weights @ v @ heads["output"]["kernel"] + heads["output"]["bias"]

    def feed_forward(x):
        inner, outer = params["forward"]["inner"], params["forward"]["outer"]
        return jax.nn.relu(x @ inner["kernel"] + inner["bias"]) @ outer["kernel"] + outer["bias"]

    for name, block in {"around_heads": attend, "around_forward": feed_forward}.items():
        if name == "around_forward" and not hidden:
            continue
        y = block(normed(x, name) if norm == "pre" else x) + (x if residual else 0.0)
        x = normed(y, name) if norm == "post" else y
    return x


@pytest.mark.parametrize("norm, residual, hidden, window", PARTS)
def test_a_layer_without_some_of_its_parts_is_what_the_others_compute(norm, residual, hidden, window):
    structure, _ = configs.split(configs.replace(configs.Config(), {
        "model.width": D, "model.num_heads": 1, "model.norm": norm, "model.residual": residual,
        "model.hidden": hidden, "attention.window": window}))
    layer, run = EncoderLayer(models.spec_of(structure, N)), without_dropout(D ** -0.5)
    rng = np.random.default_rng(3)
    x, g = (rng.normal(size=(B, S, D)).astype(np.float32) for _ in range(2))
    mask = np.ones((B, 1, S), bool)
    params = layer.init(jax.random.key(1), x, jnp.arange(S), mask, run, 1)["params"]
    params = jax.tree.map(lambda leaf: leaf + rng.normal(0, 0.2, leaf.shape).astype(np.float32), params)
    assert set(params) == {"heads"} | ({"forward"} if hidden else set()) | (
        set() if norm == "none" else {"around_heads", *(["around_forward"] if hidden else [])})

    def ours(params, x):
        return through([layer.bind({"params": params})], x, jnp.arange(S), mask, run)[0]

    def theirs(params, x):
        with jax.numpy_rank_promotion("allow"):
            return by_hand(params, x, norm, residual, hidden, window)

    def with_gradients(f, params, x, g):
        value, back = jax.vjp(f, params, x)
        return value, back(g)

    found, expected = (jax.jit(functools.partial(with_gradients, f))(params, x, g) for f in (ours, theirs))
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_a_part_that_is_left_out_has_no_parameters(task):
    def shapes(**changes):
        params = jax.eval_shape(built(TASKS[task] | changes)[0].init, jax.random.key(0))
        return {jax.tree_util.keystr(path): leaf.shape for path, leaf in jax.tree.leaves_with_path(params)}

    whole = shapes()
    for changes, word in (({"model.norm": "none"}, "norm"), ({"model.hidden": 0}, "forward")):
        others = {path: shape for path, shape in whole.items() if word not in path}
        assert shapes(**changes) == others != whole
    assert shapes(**{"model.residual": False}) == shapes(**{"attention.window": 0}) == whole


@functools.cache
def influence(task, window):
    """bool (S,): which of seven tokens the state of token 3, after two layers, depends on."""
    model, params, hyper = made(TASKS[task] | {"attention.window": window})

    def state(source):
        batch = {"source": source, "target": SOURCE, "example": np.arange(3), "word": np.zeros(3, np.int32),
                 "position": np.full(3, 3, np.int32)}
        if task == "transformer":  # what cross-attention reads: its keys
            return model.projections(params, batch, hyper)["cross"][0][1][:, 0, 3]
        output = model.apply(params, batch, hyper)
        return (output.states if task == "class" else output.hidden)[:, 3]

    state = jax.jit(state)
    before, moved = state(SOURCE), []
    for place in range(SOURCE.shape[1]):
        changed = SOURCE.copy()
        changed[:, place] = 4 + (changed[:, place] + 1) % (N - 4)
        moved.append(np.abs(state(changed) - before).max())
    return np.array(moved)


@pytest.mark.parametrize("task", TASKS)
def test_each_layer_sees_as_far_as_the_window(task):
    for window, reach in ((None, 6), (0, 0), (1, 2)):
        moved = influence(task, window)
        near = np.abs(np.arange(7) - 3) <= reach
        assert (moved[near] > 1e-4).all() and (moved[~near] == 0).all(), (window, moved)


def test_a_window_over_the_whole_sentence_changes_nothing():
    def states(window):
        model, params, hyper = made(TASKS["tokens"] | {"attention.window": window, "model.causal": True})
        return model.apply(params, {"source": SOURCE, "example": np.arange(3)}, hyper).hidden

    np.testing.assert_allclose(states(6), states(None), rtol=1e-6, atol=1e-6)
    assert np.abs(states(5) - states(None)).max() > 1e-5


def test_weights_of_words_alone_are_the_identity():
    model, params, hyper = made({"attention.window": 0})
    batch = {"source": SOURCE, "target": SOURCE, "example": np.arange(3)}
    weights = model.apply(params, batch, hyper, with_weights=True).weights["encoder"]
    np.testing.assert_array_equal(weights, np.broadcast_to(np.eye(7, dtype=np.float32), (2, 3, 1, 7, 7)))
