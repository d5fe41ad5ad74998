"""Pictures of a classifier: which row of the weights is drawn, and where the deciding word stands."""

from types import SimpleNamespace

import numpy as np
import pytest

from attention_lab.config import Config, replace
from attention_lab.data import tokenizers
from attention_lab.data.labelled import WHOLE, Labelled
from attention_lab.tasks.classification import pictures
from attention_lab.tasks.classification.classifier import Classifier

TEXT = "go by the sea bank"


@pytest.fixture
def drawn(monkeypatch):
    """drawn(kind, place): tokens before the end mark, the weights of two layers, and the panel of TEXT."""
    def draw(kind, place, right="rive", found="banque"):
        config = replace(Config(), {"data.source": "senses", "model.kind": "encoder", "model.width": 12})
        classifier = Classifier(config, tokenizers.train(kind, [TEXT], 23), {"bank": ("banque", "rive")}, {},
                                (29,))
        truth = [SimpleNamespace(senses=[SimpleNamespace(decider=3)])] if place != WHOLE else None
        sentences = Labelled([TEXT], [place], ["bank"], [right], truth)
        count = len(classifier.encode(sentences)[0][0])
        weights = np.random.default_rng(0).dirichlet(np.ones(count + 1), (2, 3, count + 1))
        panels = []
        monkeypatch.setattr(pictures.heatmap, "heat_maps", lambda given, **how: panels.extend(given))
        monkeypatch.setattr(pictures.style, "save", lambda figure, path: None)
        pictures.draw(classifier, sentences, [found], [{"encoder": weights}], "figure.png")
        panel, = panels
        return count, weights, panel
    return draw


@pytest.mark.parametrize("kind", ["word", "bpe"])
def test_the_row_of_the_asked_word_and_the_square_of_the_deciding_one(drawn, kind):
    count, weights, panel = drawn(kind, 4)
    before = [len("".join(panel.source[:n])) for n in range(count)]  # letters before each token
    bank, sea = before.index(len("gobythesea")), before.index(len("gobythe"))
    assert (count > 5) == (kind == "bpe") and panel.target == ["layer 1", "layer 2"]
    np.testing.assert_allclose(panel.weights, weights[:, :, bank, :count].mean(axis=1))
    assert panel.links == [(sea, 0), (sea, 1)] and panel.title == "bank: banque (is rive)"


def test_of_a_whole_sentence_the_mean_over_its_rows(drawn):
    count, weights, panel = drawn("word", WHOLE)
    np.testing.assert_allclose(panel.weights, weights[:, :, :count, :count].mean(axis=(1, 2)))
    assert panel.links == []


def test_names_of_classes_are_shortened(drawn):
    panel = drawn("word", WHOLE, "the side of a river " * 9, "a house of money " * 9)[2]
    assert panel.title == "bank: a house of money a hous… (is the side of a river the…)"
