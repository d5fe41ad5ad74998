"""Words by which senses are told: log-odds against a softmax, and odds that hang on one word."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

from attention_lab.analysis import told_by as module
from attention_lab.analysis.told_by import log_odds, senses_of, told_by
from attention_lab.config import Config, replace
from attention_lab.data import tokenizers
from attention_lab.tasks.translation.translator import Translator
from tests.models.sentences import batch, built, logits

SMALL = {"model.width": 12, "model.hidden": 14, "model.num_heads": 2, "model.num_layers": 1}
SOURCES = ["the bank that the lawyer robs is old .", "the banks of the river .", "the dog sleeps ."]
TARGETS = ["la banque que l' avocat cambriole est vieille .", "les rives du fleuve .", "le chien dort .",
           "rive banques"]


@functools.cache
def translator(**changes):
    tokenizer = tokenizers.train("word", SOURCES + TARGETS, 100)
    return Translator(replace(Config(), SMALL | changes), tokenizer, (5, 11))


def test_log_odds_are_those_of_the_softmax():
    model, params, hyper = built(SMALL)
    found = log_odds(model, params, batch(), hyper, 2, 7, jnp.array([11, 13]))
    logp = log_softmax(np.asarray(logits(model, params, batch(), hyper), float), axis=-1)[:, 2]
    expected = logp[:, 7] - logsumexp(logp[:, [11, 13]], axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_word_is_the_one_without_which_the_odds_fall_most(monkeypatch):
    """A model that says banque for `robs`, rive for `river`, and is moved a little by any missing word."""
    ours, asked = translator(), []
    robs, river = (ours.tokenizer.encode([word])[0][0] for word in ("robs", "river"))

    def planted(model, params, batch, hyper, t, chosen, rivals):
        asked.append((t, ours.tokenizer.tokens([chosen]), ours.tokenizer.tokens(rivals)))
        source = batch["source"]
        return 5.0 * (source == robs).any(axis=1) + 3.0 * (source == river).any(axis=1) + 0.1 * (
            source != 0).sum(axis=1)

    monkeypatch.setattr(module, "log_odds", planted)
    one, two, none = told_by(ours, None, SOURCES, TARGETS[:3])
    assert [(noun.word, noun.sense, noun.by) for noun in one + two] == [
        ("bank", "banque", "robs"), ("banks", "rives", "river")]
    assert none == []
    assert asked[0] == (1, ["banque"], ["rive"])
    assert asked[-1] == (1, ["rives"], ["banques"])
    drops = one[0].drops
    assert sorted(drops) == [0, 2, 3, 4, 5, 6, 7, 8]
    assert drops[5] == pytest.approx(5.1) and drops[0] == pytest.approx(0.1)


def test_a_noun_without_a_sense_in_the_translation_is_told_by_nothing():
    params = translator().model.init(jax.random.key(1))
    (noun,), (real,) = told_by(translator(), params, SOURCES[:1] * 2, ["le chien dort .", TARGETS[0]])
    assert noun == ("bank", ("banque", "rive"), "", "", {})
    assert real.by == SOURCES[0].split()[max(real.drops, key=real.drops.get)] and len(real.drops) == 8


def test_a_line_that_is_one_noun_is_told_by_no_word():
    params = translator().model.init(jax.random.key(1))
    ((noun,),) = told_by(translator(), params, ["bank"], ["la banque"])
    assert noun == ("bank", ("banque", "rive"), "banque", "", {})


def test_words_that_all_speak_against_a_sense_do_not_tell_it(monkeypatch):
    """Without any of the words the odds rise."""
    monkeypatch.setattr(module, "log_odds",
                        lambda model, params, batch, *_: -(batch["source"] != 0).sum(axis=1))
    (noun,), *_ = told_by(translator(), None, SOURCES[:1], TARGETS[:1])
    assert noun.sense == "banque" and noun.by == "" and set(noun.drops.values()) == {-1.0}


def test_a_noun_that_comes_twice_has_the_sense_of_each_place(monkeypatch):
    ours, asked = translator(), []

    def planted(model, params, batch, hyper, t, chosen, rivals):
        asked.append((t, ours.tokenizer.tokens([chosen]), ours.tokenizer.tokens(rivals)))
        return np.zeros(len(batch["source"]))

    monkeypatch.setattr(module, "log_odds", planted)
    source = "the bank robs a bank of a bank ."
    (nouns,) = told_by(ours, None, [source], ["la banque cambriole une rive ."])
    assert [(noun.word, noun.sense) for noun in nouns] == [("bank", "banque"), ("bank", "rive"), ("bank", "")]
    assert dict.fromkeys(str(one) for one in asked) == dict.fromkeys(
        map(str, [(1, ["banque"], ["rive"]), (4, ["rive"], ["banque"])]))


def test_senses_are_those_of_the_lexicon():
    senses = senses_of(1000)
    assert senses["bank"] == ("banque", "rive") and senses["bats"] == ("chauves-souris", "battes")
    assert all(len(set(forms)) == len(forms) > 1 for forms in senses.values())


def test_other_text_has_no_known_senses():
    with pytest.raises(ValueError, match="data.source=multi30k, data.tokenizer=word: senses are known of"):
        told_by(translator(**{"data.source": "multi30k"}), None, SOURCES, TARGETS)
