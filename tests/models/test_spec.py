"""Models are equal and hash alike when they are the same model, so that jit compiles once for all of them."""

import functools

import chex
import jax
import pytest

from attention_lab import models
from attention_lab.config import Config, replace, split
from tests.models.sentences import batch

SMALL = {"model.width": 6, "model.hidden": 6, "model.num_heads": 1, "model.num_layers": 1}


def build(changes=None, vocabulary=23):
    return models.build(replace(Config(), SMALL | (changes or {})), vocabulary)


@pytest.mark.parametrize("changes", [
    {"seed": 3}, {"attention.scale": 2.0}, {"training.batch_tokens": 7}, {"decoding.beam": 1},
    {"data.corpus_seed": 5}, {"attention.guide": "elsewhere"}, {"optimizer.schedule": "cosine"}])
def test_what_models_do_not_read_makes_no_other_model(changes):
    assert build(changes) == build() and hash(build(changes)) == hash(build())


@pytest.mark.parametrize("changes, vocabulary", [
    ({"model.hidden": 7}, 23), ({"attention.compatibility": "additive"}, 23),
    ({"training.precision": "bfloat16"}, 23), ({"data.source": "echo", "model.kind": "gru"}, 23), ({}, 22)])
def test_what_they_read_does(changes, vocabulary):
    assert build(changes, vocabulary) != build()


def test_one_jit_serves_all_who_build_the_same_model():
    chex.clear_trace_counter()

    @functools.partial(jax.jit, static_argnames="model")
    @chex.assert_max_traces(n=1)
    def hidden(params, hyper, model):
        return model.apply(params, batch(), hyper).hidden

    params, hyper = build().init(jax.random.key(0)), split(Config())[1]
    first, again = (hidden(params, hyper, build(changes)) for changes in ({}, {"seed": 3}))
    chex.assert_trees_all_equal(first, again)
