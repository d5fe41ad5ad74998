"""Stories as data: splits and steps are drawn apart, ids are those of the tokenizer."""

import numpy as np
import pytest

from attention_lab.data import endless, sources, tokenizers
from attention_lab.data.vocabulary import EOS

SIZES = {"train": 40, "dev": 5, "test": 7}


@pytest.fixture(scope="module")
def parts():
    return endless.endless(300, 0, SIZES)


@pytest.fixture(scope="module")
def tokenizer(parts):
    return tokenizers.train("word", parts["train"].sample(), 6000)


def test_contexts_are_stories_and_their_surprisal(parts, tokenizer):
    contexts = parts["dev"].contexts(tokenizer, 11)
    assert contexts.target.shape == contexts.source.shape == contexts.surprisal.shape == (5, 11)
    assert (contexts.source[:, 0] == EOS).all()
    assert np.array_equal(contexts.source[:, 1:], contexts.target[:, :-1])
    assert {tokenizer.decode([row])[0].split()[0] for row in contexts.target} <= {"one", "two"}
    assert np.allclose(np.exp(-contexts.surprisal[:, 0]), np.where(
        contexts.target[:, 0] == tokenizer.encode(["one"])[0][0], 0.6, 0.4))


def test_every_split_seed_and_step_has_stories_of_its_own(parts, tokenizer):
    batches, count = parts["train"].training(tokenizer, 24, 8)
    assert count == 40
    first, second = (next(batches(0, step)) for step in (0, 1))
    drawn = [first, second, next(batches(1, 0))]
    rows = [row.tobytes() for batch in drawn for row in batch["target"]]
    rows += [row.tobytes() for split in ("dev", "test")
             for row in parts[split].contexts(tokenizer, 24).target]
    assert len(set(rows)) == len(rows) == 3 * 8 + 5 + 7
    stream = batches(0, 0)
    assert np.array_equal(next(stream)["target"], first["target"])
    assert np.array_equal(next(stream)["target"], second["target"])  # resuming needs no state
    assert second["example"].tolist() == list(range(8, 16))


def test_the_digest_is_that_of_the_grammar(parts):
    digests = {sources.digest({"train": endless.endless(*which, SIZES)["train"]})
               for which in ((300, 0), (300, 1), (400, 0))}
    assert len(digests) == 3 and sources.digest({"train": parts["train"]}) in digests


def test_tokens_that_are_not_the_words_are_refused(parts, tokenizer):
    with pytest.raises(ValueError, match="^data.tokenizer=byte: stories, .* word is allowed, or a file"):
        parts["dev"].contexts(tokenizers.train("byte", ["a"], 300), 8)
    with pytest.raises(ValueError, match=f"^data.vocabulary_size=40 is too small: .* need {tokenizer.size}$"):
        parts["dev"].contexts(tokenizers.train("word", parts["train"].sample(), 40), 8)
