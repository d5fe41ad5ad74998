"""The longest sentence that is read: by positions, by memory, by the words to classify in it."""

import pytest

from attention_lab.config import Config, replace
from attention_lab.tasks import limits
from attention_lab.tasks.translation.translator import Translator


class Words:
    """As much of a tokenizer as a length needs: a token a word."""

    size, kind = 50, "word"

    def encode(self, sentences):
        return [[4] * len(sentence.split()) for sentence in sentences]


def translator(**fields):
    return Translator(replace(Config(), {"model.width": 16, "model.hidden": 32, "model.num_heads": 2,
                                         "model.num_layers": 1, **fields}), Words(), (8, 16))


def test_a_source_is_as_long_as_its_weights_fit_into_memory(monkeypatch):
    model = translator()
    # Three copies of the float32 weights of 8 sentences and 2 heads over 64 x 64 tokens.
    monkeypatch.setattr(limits, "MEMORY", 3 * 4 * 8 * 2 * 64 * 64)
    assert model.longest(1) == 64
    assert model.too_long(["a " * 63, "b", "c " * 64], 1) == {2: 65}
    monkeypatch.setattr(limits, "MEMORY", 1)
    assert model.longest(1) == 16 and model.too_long(["a " * 15], 1) == {}


def test_a_wider_search_reads_shorter_sources(monkeypatch):
    model = translator()
    monkeypatch.setattr(limits, "MOVED", 2 ** 32)
    one, four = model.longest(1), model.longest(4)
    assert 16 < four < one and abs(one / four - 2) < 0.2  # the carry and the steps grow with the length


def test_learned_positions_are_the_limit_where_there_are_no_more():
    assert translator(**{"model.positions": "learned"}).longest(1) == 512
    config = replace(Config(), {"model.kind": "encoder", "model.positions": "learned"})
    assert limits.classified(config, (56,)) == 512


@pytest.mark.parametrize("kind", ["lstm", "encoder"])
def test_a_line_with_more_words_to_classify_is_shorter(kind, monkeypatch):
    config = replace(Config(), {"model.kind": kind, "model.num_heads": 2, "model.width": 8,
                                "model.hidden": 10})
    few, many = (limits.classified(config, (16,), n) for n in (8, 8000))
    assert many < few
    monkeypatch.setattr(limits, "CLASSIFIED", 5 * limits.MEMORY)
    assert limits.classified(config, (16,), 40) == limits.classified(config, (16,), 1) \
        > limits.classified(config, (16,), 41)
