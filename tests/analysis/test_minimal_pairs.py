"""Log-odds of a right and a wrong word, by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab.analysis import minimal_pairs
from attention_lab.data import tokenizers
from attention_lab.data.verbs import Verbs
from attention_lab.tasks.language.language_model import LanguageModel
from configs.language import get_config

TRAIN = ["dogs bark", "a dog barks", "the dogs bark", "is", "is a", "dog are"]


def verbs_of(*sentences):
    """Verbs from (text, position, right, wrong)."""
    return Verbs(*map(list, zip(*sentences)), [0] * len(sentences))


def test_log_odds_are_those_of_the_logits_at_the_place():
    config = configs.replace(get_config("smoke"), {"data.context": 5})
    tokenizer = tokenizers.train("word", TRAIN, 60)
    language = LanguageModel(config, tokenizer)
    params = language.model.init(jax.random.key(3))
    verbs = verbs_of(("a dog barks", 2, "barks", "bark"), ("bark dogs dogs", 0, "bark", "barks"),
                     ("a dog walks", 2, "walks", "bark"), ("a a a a a is", 5, "is", "are"))
    odds = minimal_pairs.log_odds(language, params, verbs, 5)
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
        minimal_pairs.log_odds(language, None, verbs_of(("a is", 1, "is", "are")), 5)


def test_places_beyond_the_context_and_words_that_the_vocabulary_lacks_are_not_scored():
    tokenizer = tokenizers.train("word", ["a dog sees see us"], 60)
    three = Verbs(["a dog sees us", "a dog sees us", "a dog runs"], [2, 2, 2], ["sees", "sees", "runs"],
                  ["see", "watch", "run"], [0, 0, 0])
    assert minimal_pairs.scored(tokenizer, three, 3).tolist() == [True, False, False]
    assert minimal_pairs.scored(tokenizer, three, 2).tolist() == [False] * 3
