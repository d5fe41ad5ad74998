"""The study head_facts: planted costs are judged; heads and nets of an untrained model are left out."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

from attention_lab import config as configs
from attention_lab.analysis import head_ablation, minimal_pairs
from attention_lab.analysis.head_roles import EVEN, ODD
from attention_lab.data import sources, tokenizers
from attention_lab.tasks.language.language_model import LanguageModel
from configs.language import get_config
from tests.experiments.loaded import module, study, verdicts

STUDY, FACTS = study("head_facts"), module("head_facts")
FACT_HEAD, VERB_HEAD = 2, 5  # of 8
COLUMNS = ("odds_mean", "odds_zero", "lost_mean", "lost_zero")


def planted(special=True, accuracy=0.95, lead=0.2, net=9.0):
    """A row for each seed; special: two heads or one for both; net: nats without the costliest net."""
    rows = []
    for cell in STUDY.cells(STUDY.settings("cpu")):
        rng = np.random.default_rng(cell["seed"])
        noise = rng.uniform(0.0, 0.01)
        lost = rng.uniform(0.0, 0.2, (2, 2, 8))  # (kinds, halves, heads)
        lost[0, :, FACT_HEAD] += 3.0
        lost[1, :, VERB_HEAD if special else FACT_HEAD] += 4.0
        relations = rng.uniform(0.0, 0.2, (4, 2, 8))
        relations[np.arange(4), :, np.arange(4)] += 1.0
        rows.append(cell | {name: lost for name in COLUMNS} | {
            "fact_accuracy": accuracy + noise, "name_head": 0.5 + lead + noise, "name_fixed": 0.5,
            "odds_nets": np.full((2, 2, 2), net + noise), "relations_mean": relations})
    return rows


def test_what_is_planted_supports_every_claim():
    assert set(verdicts(STUDY, planted()).values()) == {"supported"}


def test_one_head_for_both_does_not_dissociate_and_the_opposite_is_refuted():
    given = verdicts(STUDY, planted(False, 0.85, -0.2, 1.0))
    crossed = {"facts_have_a_head", "agreement_has_a_head", "facts_zeros", "agreement_zeros", "facts_errors",
               "agreement_errors", "beyond_permuted_labels"}
    assert all(given[name] != "supported" for name in crossed)
    assert {given[name] for name in ("facts_are_known", "name_head", "nets_cost_more", "nets_cost_agreement",
                                     "beyond_permuted_labels")} == {"refuted"}


def test_every_claim_reads_the_kind_and_the_ablation_that_it_names():
    rows = planted()
    for row in rows:
        for factor, name in enumerate(COLUMNS, 1):
            row[name] = np.zeros((2, 2, 8))
            row[name][:, :, FACT_HEAD] = factor * np.array([[10.0], [2.0]])
            row[name][:, :, VERB_HEAD] = factor * np.array([[1.0], [5.0]])
        row["odds_nets"] = np.array([[[1.0, 2.0], [7.0, 30.0]], [[9.0, 8.0], [40.0, 6.0]]])
        row["relations_mean"] = np.zeros((4, 2, 8))
        row["relations_mean"][range(4), EVEN, range(4)] = 1.0
        row["relations_mean"][range(4), ODD, range(4)] = 8.0
        row["relations_mean"][0, ODD, 1] = 3.0
    values = {name: each[0] for name, each in STUDY.values(rows).items()}
    assert (values["facts_have_a_head"], values["agreement_has_a_head"]) == (9.0, 3.0)
    assert (values["facts_zeros"], values["agreement_zeros"]) == (18.0, 6.0)
    assert (values["facts_errors"], values["agreement_errors"]) == (27.0, 9.0)
    assert values["no_head_alone"] == 30.0
    # Nets are picked on the first half, heads too: 30 - 2 x 10, and 40 - 2 x 5.
    assert (values["nets_cost_more"], values["nets_cost_agreement"]) == (10.0, 30.0)
    # Of the first relation 8 - (3 + 0 + 0) / 3, of the others 8.
    assert values["one_relation_alone"] == pytest.approx((7.0 + 3 * 8.0) / 4)


@pytest.fixture(scope="module")
def measured():
    """A row of a model that was not trained, and (language, params, pairs) of it."""
    settings = STUDY.settings("smoke")
    config = configs.replace(get_config("smoke"), STUDY.overrides({"seed": 1}, settings, None))
    corpus = sources.load(config.data, ("train", "dev", "test"))
    language = LanguageModel(config, tokenizers.train("word", corpus["train"].sample(), 6000))
    params = language.model.init(jax.random.key(0))
    trained = SimpleNamespace(model=language, params=params, run=SimpleNamespace(config=config))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FACTS.measure.__globals__, "load", lambda folder: trained)
        row = FACTS.measure({"seed": 1}, {}, lambda cell: SimpleNamespace(
            folder=None, evaluations=[{"step": 3, "dev_perplexity": 9.0}],
            result={"status": "finished", "dev_perplexity": 9.0}))
    return row, trained, corpus["test"]


def test_every_head_and_net_is_left_out_by_kind_and_half(measured):
    row, trained, pairs = measured
    kinds = np.array(pairs.kind)
    whole = minimal_pairs.log_odds(trained.model, trained.params, pairs, 12)
    facts = np.flatnonzero((kinds != "verb") & ~np.isnan(whole))
    assert (row["fact_cases"], row["fact_accuracy"]) == (len(facts), np.mean(whole[facts] > 0))
    assert row["fact_cases"] == sum(row[f"{name}_cases"] for name in FACTS.RELATIONS)
    head = head_ablation.heads(trained.run.config.model)[3]
    left = minimal_pairs.log_odds(trained.model, head_ablation.without(
        trained.params, head, trained.run.config.model), pairs, 12)
    cost = (whole - left)[facts]
    assert row["odds_zero"].shape == (2, 2, 8) and row["relations_zero"].shape == (4, 2, 8)
    np.testing.assert_allclose(row["odds_zero"][0, :, 3], [cost[::2].mean(), cost[1::2].mean()], rtol=1e-5)
    assert np.abs(row["odds_zero"] - row["odds_mean"]).max() > 1e-4
    net = minimal_pairs.log_odds(trained.model, head_ablation.without_feed_forward(trained.params, 1), pairs,
                                 12)
    verbs = np.flatnonzero((kinds == "verb") & ~np.isnan(whole))
    np.testing.assert_allclose(row["odds_nets"][1, 0, 1], (whole - net)[verbs[::2]].mean(), rtol=1e-5)


def test_a_head_that_looks_at_names_is_seen(monkeypatch):
    """A planted head looks at the last name, or one place beside it, from the word before the value."""
    facts = sources.load(configs.replace(get_config("smoke"), STUDY.settings("smoke")["config"]).data,
                         ("test",))["test"]
    facts = facts.select([i for i, kind in enumerate(facts.kind) if kind != "verb"][:40])
    tokenizer = tokenizers.train("word", facts.text, 6000)
    for shift, share in ((0, 1.0), (1, 0.0)):
        def weights(language, params, batch, shift=shift):
            given = np.zeros((1, len(batch["example"]), 2, 16, 12))  # (L, B, H, T, S)
            for row, example in enumerate(batch["example"]):
                if example >= 0:
                    given[0, row, 1, facts.position[example], facts.name[example] + 1 + shift] = 1.0
            return given

        monkeypatch.setitem(FACTS._looks.__globals__, "_weights", weights)
        found = FACTS._looks(SimpleNamespace(tokenizer=tokenizer), None, facts, 12)
        assert found["name_head"] == share and (share == 0.0 or found["name_number"] == 1)
        distances = np.array(facts.position) - np.array(facts.name) - 1
        assert found["name_fixed"] == np.mean(distances[1::2] == found["name_distance"])
