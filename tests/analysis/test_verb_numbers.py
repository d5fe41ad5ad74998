"""Preferences for a verb's number, of models and of counts, by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab.analysis import verb_numbers
from attention_lab.data import tokenizers
from attention_lab.data.verbs import Verbs, is_singular
from attention_lab.tasks.language.language_model import LanguageModel
from configs.language import get_config

TRAIN = Verbs(["dogs bark", "a dog barks", "the dogs bark", "is", "is a", "dog are"], [0] * 6, [""] * 6,
              [""] * 6, [0] * 6)


def verbs_of(*sentences):
    """Verbs from (text, position, right, wrong)."""
    return Verbs(*map(list, zip(*sentences)), [0] * len(sentences))


def test_log_odds_are_those_of_the_logits_at_the_verb():
    config = configs.replace(get_config("smoke"), {"data.context": 5})
    tokenizer = tokenizers.train("word", TRAIN.text, 60)
    language = LanguageModel(config, tokenizer)
    params = language.model.init(jax.random.key(3))
    verbs = verbs_of(("a dog barks", 2, "barks", "bark"), ("bark dogs dogs", 0, "bark", "barks"),
                     ("a dog walks", 2, "walks", "bark"), ("a a a a a is", 5, "is", "are"))
    odds = verb_numbers.log_odds(language, params, verbs, 5)
    contexts = verbs.contexts(tokenizer, 5)
    output = language.model.apply(params, {"source": contexts.source, "target": contexts.target,
                                           "example": jnp.arange(4)}, language.hyper)
    logits = np.asarray(output.hidden @ output.readout.T)
    (bark,), (barks,) = tokenizer.encode(["bark", "barks"])
    assert odds[0] == pytest.approx(logits[0, 2, barks] - logits[0, 2, bark], abs=1e-4)
    assert odds[1] == pytest.approx(logits[1, 0, bark] - logits[1, 0, barks], abs=1e-4)
    assert np.isnan(odds[2:]).all()  # a form that is unknown, and a verb beyond the context


def test_pieces_of_words_are_refused():
    language = LanguageModel(get_config("smoke"), tokenizers.train("byte", ["a"], 300))
    with pytest.raises(ValueError, match="data.tokenizer=byte: .* word is allowed"):
        verb_numbers.log_odds(language, None, verbs_of(("a is", 1, "is", "are")), 5)


def test_counts_of_words_and_of_pairs_of_words():
    verbs = verbs_of(("the dogs bark", 2, "bark", "barks"), ("a dog barks", 2, "barks", "bark"),
                     ("dog is", 1, "is", "are"), ("we are", 1, "are", "is"), ("is", 0, "is", "are"))
    assert verb_numbers.unigram(TRAIN, verbs).tolist() == [1, -1, 1, -1, 1]
    # After "we" there is neither, so that words alone count; before "is" there is no word.
    assert verb_numbers.bigram(TRAIN, verbs).tolist() == [2, 1, -1, -1, 2]


def test_a_constant_preference_has_half_whatever_the_shares_of_numbers():
    singular = np.array([True] * 2 + [False] * 7)
    always_plural = np.where(singular, -1.0, 1.0)
    assert verb_numbers.correct(always_plural).mean() == pytest.approx(7 / 9)
    assert verb_numbers.balanced(always_plural, singular) == 0.5
    assert verb_numbers.balanced(np.array([2.0, -1.0, 0.0, np.nan]), np.array([True, True, False, False])) \
        == pytest.approx((0.5 + 0.5) / 2)
    assert verb_numbers.balanced(np.array([1.0, 1.0, 1.0]), np.array([True, False, False])) == 1.0
    assert np.isnan(verb_numbers.balanced(np.array([1.0, np.nan]), np.array([True, False])))


def test_numbers_of_forms():
    assert [is_singular(*forms) for forms in (("has", "have"), ("do", "does"), ("presses", "press"),
                                              ("was", "were"), ("press", "presses"))] == \
        [True, False, True, True, False]


def test_verbs_beyond_the_context_and_forms_that_the_vocabulary_lacks_are_not_scored():
    tokenizer = tokenizers.train("word", ["a dog sees see us"], 60)
    three = Verbs(["a dog sees us", "a dog sees us", "a dog runs"], [2, 2, 2], ["sees", "sees", "runs"],
                  ["see", "watch", "run"], [0, 0, 0])
    assert verb_numbers.scored(tokenizer, three, 3).tolist() == [True, False, False]
    assert verb_numbers.scored(tokenizer, three, 2).tolist() == [False] * 3
