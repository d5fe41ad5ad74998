"""tf-idf and logistic regression: classes by words, each word by itself."""

import pytest

from attention_lab.analysis import tfidf_baseline
from attention_lab.data.labelled import Labelled


def labelled(rows):
    word, text, label = (list(column) for column in zip(*rows))
    return Labelled(text, [0] * len(text), word, label)


TRAIN = labelled([("bank", "bank of mud", "rive"), ("bank", "bank with money", "banque"),
                  ("bank", "bank has cash", "banque"), ("bank", "bank lends cash", "banque"),
                  ("bat", "bat of mud", "batte"), ("bat", "bat eats flies", "chauve-souris"),
                  ("key", "key to it", "clef")])


def test_each_word_has_classes_of_its_own():
    test = labelled([("bat", "mud", "?"), ("bank", "mud", "?"), ("bank", "cash", "?"), ("key", "mud", "?"),
                     ("bat", "flies", "?")])
    assert tfidf_baseline.predict(TRAIN, test) == ["batte", "rive", "banque", "clef", "chauve-souris"]


def test_classes_weigh_the_same():
    # "bank with" is as near to the one sentence of rive as to the three of banque; "mud" then decides.
    test = labelled([("bank", "bank mud cash", "?")])
    assert tfidf_baseline.predict(TRAIN, test) == ["rive"]


def test_an_unknown_word_is_refused():
    with pytest.raises(ValueError, match="the word 'seal' is in test but not in train, which has bank, bat"):
        tfidf_baseline.predict(TRAIN, labelled([("seal", "seal", "?")]))
