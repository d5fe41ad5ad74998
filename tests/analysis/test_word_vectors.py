"""Vectors of the asked word: its embedding before the body, and after it the state at its place."""

import numpy as np
import pytest

from attention_lab.analysis.word_vectors import vectors
from tests.analysis.classifiers import built, sentences


@pytest.mark.parametrize("kind", ["deep", "last"])
def test_vectors_are_those_of_the_place_in_each_sentence(kind):
    (classifier, params), (said, _) = built(kind), sentences()
    before, after = vectors(classifier, params, said)
    bank, = classifier.tokenizer.encode(["bank"])[0]
    own = np.sqrt(classifier.config.model.width) * np.asarray(params["embedding"][bank])
    np.testing.assert_allclose(before, np.tile(own, (len(said), 1)), rtol=1e-6)
    for batch in classifier.in_order(said, batch_tokens=1):  # a sentence at a time, in the buckets' order
        states = classifier.model.apply(params, batch, classifier.hyper).states
        for row, example in enumerate(batch["example"]):
            if example >= 0:
                own = states[row, said.position[example]]
                np.testing.assert_allclose(after[example], own, rtol=1e-4, atol=1e-6)
    assert len(np.unique(np.round(after, 4), axis=0)) > 3
