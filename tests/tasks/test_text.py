"""What tasks on sentences share: training examples in buckets, and the tokenizer of a run that has begun."""

import unicodedata

import pytest

from attention_lab.config import Config, replace
from attention_lab.data import tokenizers
from attention_lab.tasks import text
from attention_lab.tasks.classification.classifier import Classifier
from attention_lab.tasks.classification.new_text import find_targets
from attention_lab.tasks.translation.translator import Translator

CONFIG = replace(Config(), {"data.buckets": (3, 5), "data.max_length": 5, "training.batch_tokens": 40})


def test_examples_by_hand():
    source, target = [[7], [7, 8], [7, 8, 9, 7, 8]] * 8, [[7, 8, 9], [7], [7]] * 8
    made = text.examples(CONFIG, source, target)
    # With their end marks the longer sides have 4, 3 and 6 tokens; 8 rows is the least of a batch.
    assert (made.buckets, made.too_long, list(made.rows), made.steps_per_epoch) == ((3, 5), 8, [8, 8], 2.0)
    assert made.facts == {"buckets": [3, 5], "too_long": 8, "steps_per_epoch": 2.0}
    batches = made.batches(0, 0)
    assert {next(batches)["source"].shape for _ in range(2)} == {(8, 3), (8, 5)}
    with pytest.raises(ValueError, match="no pair fits"):
        text.examples(CONFIG, [[7] * 5], [[7]])


def test_a_run_that_has_begun_keeps_its_tokenizer(tmp_path):
    tokenizers.train("word", ["the dog"], 20).save(tmp_path / text.TOKENIZER)
    assert text.tokenizer_of(CONFIG, tmp_path, ["a cat"]).unseen(["a cat"]) == {}
    (tmp_path / "checkpoints").mkdir()
    assert text.tokenizer_of(CONFIG, tmp_path, ["a cat"]).unseen(["a cat"]) == {"a": 1, "cat": 1}


@pytest.mark.parametrize("trained_on", ["the man 's old dog .", "the man &apos;s old dog ."])
def test_new_text_is_spelled_as_the_training_text(trained_on):
    tokenizer = tokenizers.train("word", [trained_on], 20)
    classifier = Classifier(replace(CONFIG, {"data.source": "senses", "model.kind": "encoder"}), tokenizer,
                            {"dog": ("a", "b")}, {}, (9,))
    for written in ("The man's old dog.", "the man 's old dog .", "the man &apos;s old dog ."):
        assert Translator(CONFIG, tokenizer, (9,)).prepare([written]) == [trained_on]
        targets = find_targets(classifier, [written])
        assert targets.texts == [trained_on] and targets.sentences.position == [4]


@pytest.mark.parametrize("form, other", [("NFC", "NFD"), ("NFD", "NFC")])
@pytest.mark.parametrize("of_text", ["raw", "tokenized"])
def test_new_text_has_the_accents_of_the_training_text(form, other, of_text):
    trained_on = unicodedata.normalize(form, "le café à İzmir l'été")
    tokenizer = tokenizers.train("word", [trained_on], 20)
    config = replace(CONFIG, {"data.text": of_text})
    word = unicodedata.normalize(form, "café")
    classifier = Classifier(replace(config, {"data.source": "senses", "model.kind": "encoder"}), tokenizer,
                            {word: ("a", "b")}, {}, (9,))
    for written in (trained_on, unicodedata.normalize(other, trained_on), trained_on.replace("'", "’")):
        assert Translator(config, tokenizer, (9,)).prepare([written]) == [trained_on]
        targets = find_targets(classifier, [written])
        assert targets.texts == [trained_on] and targets.sentences.word == [word]


def test_sentences_of_many_tokens_are_not_drawn():
    sentences = ["a " * 10, "http", "b " * 9]
    assert text.nearest_in_length(10, sentences, 2, [11, 2000, 10], 24) == [0, 2]
    assert text.nearest_in_length(10, sentences, 3, [11, 2000, 10], 2000) == [0, 1, 2]
    with pytest.raises(ValueError, match="no sentence of dev has at most 256 tokens"):
        text.nearest_in_length(10, ["x"], 1, [257], 24)
