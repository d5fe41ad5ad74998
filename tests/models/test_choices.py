"""Every choice of model and attention is a program of its own, and a name that is none of them is refused."""

import dataclasses
import itertools

import jax
import numpy as np
import pytest

from attention_lab import models
from attention_lab.config import Config, all_fields, replace, split

TRANSLATION = {"model.width": 6, "model.hidden": 6, "model.num_heads": 1, "model.num_layers": 1}
RECURRENT = TRANSLATION | {"model.kind": "gru"}
CLASSES = TRANSLATION | {"data.source": "senses", "model.kind": "bag_of_words", "model.pooling": "additive",
                         "attention.compatibility": "none"}
BASES = {  # where a field means something; the rest are fields of a Transformer
    "attention.compatibility": RECURRENT, "model.pooling": CLASSES, "attention.weights": CLASSES}
# The scale is a number inside one program. An adversary has another loss: see tests/tasks.
EQUAL = {"attention.weights": {("learned", "adversarial")},
         "attention.implementation": {("reference", "auto")}}  # for few queries and keys
FIELDS = [key for key, field in all_fields().items() if field.choices
          and key.startswith(("model.", "attention.", "training.precision")) and key != "attention.scale"]
BATCH = {name: np.ones((2, 3), np.int32) for name in ("source", "target")} | {
    "example": np.arange(2), "word": np.zeros(2, np.int32), "position": np.zeros(2, np.int32),
    "guide": np.ones((2, 3), np.float32)}


def program(changes):
    """The lowered forward pass of a config."""
    config = replace(Config(), changes)
    model = models.build(config, 11, (2, 3))
    params = jax.eval_shape(model.init, jax.random.key(0))
    return jax.jit(model.apply, static_argnames="with_weights").lower(
        params, BATCH, split(config)[1]).as_text()


def bases(key, choice):
    """The configs in which a choice is tried: a kind of model with everything that can be read from it."""
    if key != "model.kind":
        return [BASES.get(key, TRANSLATION)]
    of_output = {"sentence": {}, "tokens": {"data.source": "echo"}, "class": {"data.source": "senses"}}
    scores = {"encoder": "dot", "linear_attention": "linear"}  # others have none but to translate
    return [TRANSLATION | of_output[output] | {
        "attention.compatibility": "dot" if output == "sentence" else scores.get(choice, "none")}
        for output in models.MODELS[choice]]


@pytest.mark.parametrize("key", FIELDS)
def test_any_two_choices_are_two_programs(key, on_its_device):
    programs = {}
    for choice in all_fields()[key].choices:
        half = {}
        if key == "attention.implementation":
            entry = on_its_device("reference" if choice == "auto" else choice)
            half = {"training.precision": "bfloat16"} if entry.dtypes else {}
        programs[choice] = {program(base | {key: choice} | half) for base in bases(key, choice)}
    for a, b in itertools.combinations(programs, 2):
        assert programs[a].isdisjoint(programs[b]) != ((a, b) in EQUAL.get(key, ())), (a, b)


def test_a_program_is_the_same_twice():
    assert program(TRANSLATION) == program(TRANSLATION)


@pytest.mark.parametrize("key", FIELDS)
def test_a_name_that_is_no_choice_is_refused(key):
    with pytest.raises(ValueError, match=f"{key}=wrong is not one of {all_fields()[key].choices[0]}"):
        program(bases(key, "gru")[-1] | {key: "wrong"})


def test_what_a_kind_cannot_give_is_refused():
    spec = models.spec_of(replace(Config(), TRANSLATION), 11)
    with pytest.raises(ValueError, match="with model.kind=transformer output=tokens is not one of sentence"):
        models.from_spec(dataclasses.replace(spec, output="tokens"))


@pytest.mark.parametrize("base", [TRANSLATION | {"model.tie_embeddings": False}, RECURRENT, CLASSES,
                                  TRANSLATION | {"model.kind": "encoder", "data.source": "echo",
                                                 "model.tie_embeddings": False}])
def test_the_scale_of_embeddings_is_theirs_alone(base):
    """Tables in which tokens are looked up start as many times smaller; no other parameter changes."""
    plain, small = (models.build(replace(Config(), base | changes), 11, (2, 3)).init(jax.random.key(3))
                    for changes in ({}, {"model.embedding_scale": 0.1}))
    looked_up = {"embedding", "target_embedding"} & set(plain)
    assert looked_up and plain.keys() == small.keys()
    for name, tree in plain.items():
        factor = np.float32(0.1) if name in looked_up else np.float32(1.0)
        for before, after in zip(jax.tree.leaves(tree), jax.tree.leaves(small[name]), strict=True):
            np.testing.assert_allclose(after, factor * before, rtol=1e-6)
