"""What tests of explainers share: small classifiers, one of each kind whose deciding word is set by hand."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.config import Config, replace
from attention_lab.data import tokenizers
from attention_lab.data.labelled import Labelled
from attention_lab.tasks.classification.classifier import Classifier

WORDS = "bank a big dog sees the old red river money".split()
DECIDERS = {"river": "rive", "money": "banque"}
KINDS = {
    "pooled": {"model.kind": "bag_of_words", "model.pooling": "additive", "model.width": 6,
               "attention.compatibility": "none"},
    "deep": {"model.kind": "encoder", "model.pooling": "place", "model.width": 6, "model.hidden": 5,
             "model.num_layers": 2, "model.num_heads": 2, "model.positions": "learned"},
    "mean": {"model.kind": "encoder", "model.pooling": "mean", "model.width": 6, "model.hidden": 5,
             "model.num_layers": 1, "model.num_heads": 2},
    "lstm": {"model.kind": "lstm", "model.bidirectional": True, "model.pooling": "additive", "model.width": 6,
             "model.hidden": 4, "model.num_layers": 1, "attention.compatibility": "none"},
    "last": {"model.kind": "gru", "model.pooling": "place", "model.width": 5, "model.hidden": 3,
             "model.num_layers": 1, "attention.compatibility": "none"},
}


@functools.cache
def built(kind):
    """(classifier, params) of two classes, before training; buckets of 6 and 13."""
    tokenizer = tokenizers.train("word", [" ".join(WORDS)], 100)
    config = replace(Config(), {"data.source": "senses", **KINDS[kind]})
    classifier = Classifier(config, tokenizer, {"bank": ("banque", "rive")}, {}, (6, 13))
    params = classifier.model.init(jax.random.key(3))
    if "pool_query" in params:  # zeros at first
        params = params | {"pool_vector": 3 * params["pool_vector"]}
    return classifier, params


@functools.cache
def sentences(count=7):
    """Labelled of 2 to 11 words, `bank` and a word that decides among them; deciders, their places."""
    rng = np.random.default_rng(5)
    text, place, label, decider = [], [], [], []
    for length in [2, 11, *rng.integers(3, 10, count - 2)]:
        bank, at = rng.permutation(length)[:2]
        chosen = rng.choice(list(DECIDERS))
        rest = list(rng.choice(WORDS[1:8], length))
        rest[bank], rest[at] = "bank", str(chosen)
        text.append(" ".join(rest))
        place.append(int(bank))
        label.append(DECIDERS[chosen])
        decider.append(int(at))
    return Labelled(text, place, ["bank"] * count, label), decider


def planted(kind):
    """(classifier, params), pooled or deep, in which one word tells the class, by attention to it."""
    classifier, params = built(kind)
    ids = {word: classifier.tokenizer.encode([word])[0][0] for word in WORDS}
    # Axes 0 and 3 say rive or banque, axis 1 that a word decides; the rest is noise, small but not the same.
    table = 0.02 * np.random.default_rng(2).normal(size=params["embedding"].shape).astype(np.float32)
    for word, sign in (("river", 1.0), ("money", -1.0)):
        table[ids[word], [0, 1, 3]] = sign, 3.0, -sign
    readout = np.zeros(params["readout"].shape, np.float32)
    readout[0, :, 0], readout[0, :, 3] = (-1.0, 1.0), (1.0, -1.0)
    params = params | {"embedding": jnp.asarray(table), "readout": jnp.asarray(readout)}
    if kind == "pooled":
        key = np.zeros(params["pool_key"].shape, np.float32)
        key[1, 0] = 0.2
        return classifier, params | {"pool_key": jnp.asarray(key), "pool_vector": jnp.array([6.0, 0.0, 0.0])}
    D = params["embedding"].shape[1]
    table[:, 2] = 1.0  # so that the norm of layers makes no mountains of the noise
    # A layer norm makes x . gradient 0 where it sees x alone: a place that is the same for all is added.
    one = jnp.eye(D)
    params |= {"embedding": jnp.asarray(table), "places": 0 * params["places"] + one[5][None]}
    for name in ("encoder_0", "encoder_1"):
        # The first layer adds nothing; in the second both heads ask for axis 1.
        heads = params[name]["heads"]
        heads = heads | {
            "query_kernel": 0 * one, "query_bias": 8.0 * (one[1] + one[4]), "value_kernel": one,
            "key_kernel": one.at[:, 4].set(one[1]),
            "output": heads["output"] | {"kernel": one * (name == "encoder_1")}}
        params |= {name: params[name] | {
            "heads": heads, "forward": jax.tree.map(jnp.zeros_like, params[name]["forward"])}}
    return classifier, params
