"""Tables of a classifier's page: weights, outputs under other weights, the deciding word, fixed weights."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab.attention import counterfactual
from attention_lab.config import Config, replace
from attention_lab.data import tokenizers
from attention_lab.data.batching import pad
from attention_lab.data.labelled import WHOLE, Labelled
from attention_lab.tasks import views
from attention_lab.tasks.classification import view
from attention_lab.tasks.classification.classifier import Classifier, decide, with_columns
from attention_lab.tasks.elsewhere import changed

TEXTS = ["go by the sea bank", "a bank of money is here", "the old sea bank"]
CLASSES = {"bank": ("banque", "rive", "talus")}
KINDS = {
    "encoder": {"model.kind": "encoder", "model.width": 12, "model.hidden": 14, "model.num_heads": 3,
                "model.num_layers": 2},
    "pooled": {"model.kind": "encoder", "model.width": 12, "model.hidden": 14, "model.num_heads": 3,
               "model.num_layers": 2, "model.pooling": "additive"},
    "lstm": {"model.kind": "lstm", "model.width": 6, "model.hidden": 10, "model.pooling": "additive",
             "model.num_layers": 1, "attention.compatibility": "none"},
    "uniform": {"model.kind": "lstm", "model.width": 6, "model.hidden": 10, "model.pooling": "dot",
                "model.num_layers": 1, "attention.compatibility": "none", "attention.weights": "uniform"},
    "frozen": {"model.kind": "lstm", "model.width": 6, "model.hidden": 10, "model.pooling": "dot",
               "model.num_layers": 1, "attention.compatibility": "none", "attention.weights": "frozen"},
}
TRUTH = [SimpleNamespace(senses=[SimpleNamespace(decider=decider)]) for decider in (3, 3, 2)]
SENTENCES = Labelled(TEXTS, [4, 1, 3], ["bank"] * 3, ["rive", "banque", "other"], TRUTH)


@pytest.fixture(scope="module", params=KINDS)
def viewed(request):
    """A classifier that knows nothing, its params, the viewer of three sentences, and their tables."""
    config = replace(Config(), {"data.source": "senses"} | KINDS[request.param])
    classifier = Classifier(config, tokenizers.train("word", TEXTS, 30), CLASSES, {}, (7, 11))
    params = jax.tree.map(lambda leaf: 1.5 * leaf, classifier.model.init(jax.random.key(3)))
    if "pool_query" in params:
        params["pool_query"] = jax.random.normal(jax.random.key(4), params["pool_query"].shape)
    rng = np.random.default_rng(0)
    guided = {"guide": [rng.dirichlet(np.ones(len(text.split()))).astype(np.float32) for text in TEXTS]} \
        if request.param == "frozen" else {}
    labels = classifier.predict(params, SENTENCES, extra=guided).labels
    viewer = view.Viewer(classifier, SENTENCES, labels, guided=guided)
    return classifier, params, guided, labels, views.tables(viewer, 3, {7: params}, 7)


def test_weights_are_those_that_are_used(viewed):
    classifier, params, guided, _, sentences = viewed
    predicted = classifier.predict(params, SENTENCES, with_weights=True, extra=guided)
    for i, own in enumerate(predicted.weights):
        assert set(sentences[i].maps) == set(own)
        for kind, weights in own.items():
            table = sentences[i].maps[kind]
            np.testing.assert_allclose(table.weights[0], weights, atol=1e-6)
            assert table.weights[0].shape[2:] == (len(table.rows), len(table.columns))
            assert table.norms[0].shape == (*weights.shape[:2], weights.shape[-1])


def output(classifier, params, guided, i, intervention=None):
    """Probabilities of one sentence by the model itself."""
    ids, positions = classifier.encode(SENTENCES.select([i]))
    batch = with_columns({"source": pad(ids, len(ids[0]) + 1), "example": np.zeros(1, np.int32)},
                         classifier.columns(SENTENCES.select([i])) | {"position": positions} | {
                             name: [column[i]] for name, column in guided.items()})
    return np.asarray(decide(classifier.model, params, batch, classifier.hyper, intervention)[0][0])


@pytest.mark.parametrize("change", ["uniform", "permuted", "zero_max"])
def test_outputs_elsewhere_are_those_of_replaced_weights(viewed, change):
    classifier, params, guided, _, sentences = viewed
    for i in range(3):
        own = output(classifier, params, guided, i)
        for kind, table in sentences[i].maps.items():
            layers, heads, T, _ = table.weights[0].shape
            numbers = changed(table.weights[0], table.allowed, change, table.elsewhere.order)
            for place, (layer, head) in {0: (slice(None), slice(None)), layers: (layers - 1, slice(None)),
                                         layers + layers * heads: (layers - 1, heads - 1)}.items():
                rows = np.zeros((layers, 1, heads, T), bool)
                rows[layer, 0, head] = True
                other = counterfactual.given(jnp.asarray(numbers[:, None], jnp.float32), jnp.asarray(rows))
                p = output(classifier, params, guided, i, {kind: other})
                said = table.elsewhere.said[change]
                np.testing.assert_allclose(said.moved[place], [0.5 * np.abs(p - own).sum()], atol=2e-6)
                assert said.words[place, 0] == CLASSES["bank"][p.argmax()]


def test_the_class_that_is_written(viewed):
    _, _, _, labels, sentences = viewed
    assert [list(one.written) for one in sentences] == [["rive"], ["banque"], [labels[2]]]
    assert [one.note for one in sentences] == ["the class in the data"] * 2 + ["the model's answer"]
    assert sentences[0].answer == f"bank: {labels[0]}"


def test_the_deciding_word(viewed):
    _, _, _, _, sentences = viewed
    for i, decider in enumerate((3, 3, 2)):
        for kind, table in sentences[i].maps.items():
            row = 0 if kind == "pool" else SENTENCES.position[i]
            assert table.links == {"deciding word": [(row, decider)]}
            assert table.columns == [*TEXTS[i].split(), "</s>"] and list(table.column_words)[-1] == -1
            if kind == "pool":
                assert table.rows == ["bank"] and not table.allowed[0, -1] and table.allowed[0, :-1].all()


def test_a_whole_sentence_has_no_word_that_looks():
    config = replace(Config(), {"data.source": "senses"} | KINDS["lstm"])
    classifier = Classifier(config, tokenizers.train("word", TEXTS, 30), {"": ("bad", "good")}, {}, (7,))
    params = classifier.model.init(jax.random.key(0))
    whole = Labelled(TEXTS[:1], [WHOLE], [""], ["good"])
    frame = view.Viewer(classifier, whole, classifier.predict(params, whole).labels).frame(0)
    assert frame.maps["pool"].rows == ["sentence"] and frame.maps["pool"].links == {}
