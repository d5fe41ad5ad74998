"""Roles of heads: choices between two forms, words that a head links, and double dissociations."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_lab.analysis import head_roles
from attention_lab.analysis.head_ablation import KINDS
from attention_lab.analysis.head_roles import RELATIONS, Choices, Related, dissociation, linked
from attention_lab.config import Config, replace
from attention_lab.data import batching, grammar, tokenizers
from attention_lab.data.grammar import Agreement, Antecedent, Sentence
from attention_lab.tasks.translation.translator import Attention, Translator

CONFIG = replace(Config(), {"model.width": 12, "model.hidden": 14, "model.num_heads": 3,
                            "model.num_layers": 2, "data.tokenizer": "word"})
SENTENCES = grammar.generate(60, seed=3, lexicon_size=1000, min_words=5, max_words=12)


@functools.cache
def built():
    """(translator, params), not trained, whose vocabulary has every right and every wrong form."""
    texts = [f"{word.right} {word.wrong}" for sentence in SENTENCES
             for word in (*sentence.agreement, *sentence.antecedents)]
    texts += [side for sentence in SENTENCES for side in (sentence.source, sentence.target)]
    translator = Translator(CONFIG, tokenizers.train("word", texts, 2000), (12, 16))
    return translator, translator.model.init(jax.random.key(1))


def test_log_odds_are_those_of_a_softmax_over_the_vocabulary():
    translator, params = built()
    choices = Choices(translator, SENTENCES)
    found, expected = choices.log_odds(params), {"agreement": [], "pronoun": []}
    for sentence in SENTENCES:
        ids = [translator.tokenizer.encode([side]) for side in (sentence.source, sentence.target)]
        batch = next(batching.in_order(*ids, (40,), 40))
        output = translator.model.apply(params, batch, translator.hyper)
        logs = jax.nn.log_softmax(output.hidden[0] @ output.readout.T)
        unmarked = [verb for verb in sentence.agreement if not verb.marked]
        words = [("agreement", verb.french_verb, verb) for verb in unmarked]
        for name, position, word in words + [
                ("pronoun", word.french_pronoun, word) for word in sentence.antecedents]:
            (right,), (wrong,) = translator.tokenizer.encode([word.right, word.wrong])
            expected[name].append(logs[position, right] - logs[position, wrong])
    for name in expected:
        np.testing.assert_allclose(found[name], jnp.array(expected[name]), rtol=1e-4, atol=1e-4)
        assert len(found[name]) == len(choices.sentence[name]) > 2
    assert choices.sentence["agreement"].tolist() == [
        index for index, sentence in enumerate(SENTENCES) for verb in sentence.agreement if not verb.marked]


def test_forms_beyond_the_vocabulary_are_left_out():
    translator, _ = built()
    texts = [side for sentence in SENTENCES for side in (sentence.source, sentence.target)]
    small = Translator(CONFIG, tokenizers.train("word", texts, 2000), (12, 16))
    whole, left = (len(Choices(one, SENTENCES).sentence["agreement"]) for one in (translator, small))
    assert 0 < left < whole


def test_pieces_of_words_and_phenomena_without_a_case_are_refused():
    translator, _ = built()
    pieces = Translator(replace(CONFIG, {"data.tokenizer": "bpe"}),
                        tokenizers.train("bpe", ["the dog sleeps ."], 60), (12,))
    with pytest.raises(ValueError, match="data.tokenizer=bpe cuts words into pieces"):
        Choices(pieces, SENTENCES)
    with pytest.raises(ValueError, match="no sentence has a case of pronoun"):
        Choices(translator, [s for s in SENTENCES if not s.antecedents])


OLD_DOG = Sentence(
    tuple("the big old dog was small and it is red .".split()),
    tuple("le grand chien âgé était petit et il est rouge .".split()),
    tuple("DET ADJ ADJ NOUN AUX ADJ CCONJ PRON AUX ADJ PUNCT".split()), (),
    ((0, 0), (1, 1), (2, 3), (3, 2), (4, 4), (5, 5), (6, 6), (7, 7), (8, 8), (9, 9), (10, 10)),
    (Agreement(3, 4, 2, 4, "singular", 0, True, "", ""), Agreement(7, 8, 7, 8, "singular", 0, True, "", "")),
    (Antecedent(7, 3, 7, 2, "il", "elle"),))


def test_relations_of_a_sentence_by_hand():
    found = {name: list(relation(OLD_DOG)) for name, relation in RELATIONS.items()}
    assert found == {"subject": [(4, 4, 3, 2), (8, 8, 7, 7)], "antecedent": [(7, 7, 3, 2)],
                     "noun": [(1, 1, 3, 2), (2, 3, 3, 2), (5, 5, 3, 2), (9, 9, 7, 7)]}


def test_related_words_of_the_grammar_are_nouns_and_pronouns():
    kinds = {"subject": {"NOUN", "PRON"}, "antecedent": {"NOUN"}, "noun": {"NOUN", "PRON"}}
    for sentence in grammar.generate(200, seed=1, lexicon_size=300, min_words=3, max_words=20):
        for name, relation in RELATIONS.items():
            words = list(relation(sentence))
            assert {sentence.english_tags[word.english_other] for word in words} <= kinds[name]
            assert all(sentence.french_tags[word.french_other] == sentence.english_tags[word.english_other]
                       for word in words)
        adjectives = [i for i, tag in enumerate(sentence.english_tags) if tag == "ADJ"]
        nouns = list(RELATIONS["noun"](sentence))
        assert [word.english for word in nouns] == adjectives
        assert all(sentence.french_tags[word.french] == "ADJ" for word in nouns)


@pytest.mark.parametrize("kind, rows, keys", [
    ("encoder", [4, 8], [3, 7]), ("decoder", [4, 8], [3, 8]), ("cross", [4, 8], [3, 7])])
def test_the_head_is_picked_on_one_half_and_scored_on_the_other(kind, rows, keys):
    """Two layers of two heads; of a kind head 2 looks at subjects in even sentences, head 1 in odd ones."""
    S = len(OLD_DOG.english) + 1
    attentions = []
    for index in range(4):
        weights = {name: np.zeros((2, 2, S, S)) for name in KINDS}
        for name in KINDS:
            weights[name][..., 0] = 0.4
        number = 2 if index % 2 == 0 else 1
        weights[kind][number // 2, number % 2, rows, keys] = 0.6
        if index == 3:
            weights[kind][1, 0, 4, 3] = 0.5
        attentions.append(Attention([], [], weights["cross"], None, weights["encoder"], weights["decoder"]))
    # Subjects are one word before their verb in both halves, counted as the encoder and cross-attention do.
    assert linked(attentions, [OLD_DOG] * 4, "subject") == (
        0.25, 4 * list(KINDS).index(kind) + 2, 1.0, -1, 4)
    with pytest.raises(ValueError, match="antecedent: each half of the sentences needs"):
        linked(attentions[:1], [OLD_DOG], "antecedent")


def test_distances_are_picked_on_one_half_and_counted_on_the_other(monkeypatch):
    """In even sentences the French word is always two before, the English one two or three."""
    even = [Related(4, 5, 2, 3)], [Related(4, 6, 1, 4)]
    odd = [Related(4, 5, 2, 3), Related(4, 6, 2, 5)], [Related(5, 4, 3, 2)]
    monkeypatch.setitem(head_roles.RELATIONS, "given", lambda sentence: sentence)
    weights = np.zeros((1, 1, 9, 9))
    attention = Attention([], [], weights, None, weights, weights)
    found = linked([attention] * 4, [even[0], odd[0], even[1], odd[1]], "given")
    assert found == (0.0, 0, pytest.approx(2 / 3), -2, 3)


COSTS = st.lists(st.tuples(*[st.integers(-9, 9)] * 4), min_size=3, max_size=7).map(
    lambda heads: np.array(heads, float).T.reshape(2, 2, -1))


@given(COSTS)
@settings(deadline=None)
def test_a_dissociation_is_of_the_picked_heads_and_chance_is_of_all_pairs(costs):
    found = dissociation(*costs)
    picking, scoring = costs
    assert picking[0, found.first] == picking[0].max() and picking[1, found.second] == picking[1].max()
    every = [scoring[0, a] - scoring[0, b] + scoring[1, b] - scoring[1, a]
             for a in range(costs.shape[2]) for b in range(costs.shape[2]) if a != b]
    assert found.crossed == pytest.approx(
        scoring[0, found.first] - scoring[0, found.second]
        + scoring[1, found.second] - scoring[1, found.first])
    assert found.chance == pytest.approx(np.quantile(every, 0.95))


def test_one_head_that_does_both_dissociates_nothing():
    costs = np.array([[3.0, 1.0, 0.0], [5.0, 0.0, 1.0]])
    assert dissociation(costs, costs)[:4] == (0, 0, 0.0, 0.0)
    assert head_roles.dissociation(costs[:, ::-1], costs).crossed == 0.0
