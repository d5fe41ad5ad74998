"""A config in two parts: what picks the program, and numbers that may be traced."""

import jax
import numpy as np
import pytest

from attention_lab.config import HYPER_FIELDS, Config, Hyper, all_fields, get, replace, split
from attention_lab.config.hyper import attention_scale


def test_a_network_without_heads_has_no_scale_though_it_is_narrower_than_their_number():
    bag = replace(Config(), {"data.source": "senses", "model.kind": "bag_of_words", "model.width": 3,
                             "attention.compatibility": "none"})
    assert split(bag)[1].attention_scale == 1


def test_split_parts_numbers_from_structure():
    config = replace(Config(), {"optimizer.learning_rate": 0.5, "seed": 7, "training.dropout": 0.25,
                                "attention.scale": 3.0, "model.width": 64})
    structure, hyper = split(config)
    assert structure == split(replace(Config(), {"model.width": 64}))[0] and hash(structure)
    assert (hyper.learning_rate, hyper.seed) == (0.5, 7)
    assert (hyper.dropout, hyper.attention_scale) == (0.25, 3)
    assert {leaf.dtype for leaf in jax.tree.leaves(hyper)} == {np.dtype("float32"),
                                                               np.dtype("uint32")}
    assert isinstance(jax.jit(lambda x: x)(hyper), Hyper)


@pytest.mark.parametrize("values, scale", [
    ({}, 32 ** -0.5), ({"attention.scale": "inverse"}, 1 / 32), ({"attention.scale": 0.7}, 0.7),
    ({"attention.compatibility": "additive"}, 1.0), ({"attention.compatibility": "cosine"}, 1.0),
    ({"attention.compatibility": "general", "model.key_size": 16}, 0.25),
    ({"attention.compatibility": "additive", "attention.scale": "inverse_sqrt"}, 32 ** -0.5),
])
def test_the_scale_as_a_number(values, scale):
    assert attention_scale(replace(Config(), values)) == pytest.approx(scale, rel=1e-12)


@pytest.mark.parametrize("key", HYPER_FIELDS)
def test_a_traced_field_cant_be_read_from_a_static_spec(key):
    """Or a number that may vary inside a program would be frozen into it."""
    structure, _ = split(Config())
    with pytest.raises(ValueError, match=f"^{key} is traced, so a static spec does not have it"):
        get(structure, key)
    # What is beside it is still there, and what is read of a config is.
    assert structure.model.width == 128 and get(Config(), key) == all_fields()[key].default
    assert replace(structure, {"model.width": 64}).model.width == 64
    assert "Traced" in repr(structure) and structure != Config()


def test_hyper_has_the_fields_that_are_traced():
    names = {key.split(".")[-1] for key in HYPER_FIELDS} - {"scale"} | {"attention_scale"}
    assert names == set(Hyper._fields)
