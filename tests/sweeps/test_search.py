"""Proposals of a search."""

import optuna
import pytest

from attention_lab.sweeps import search

AXES = ["config.optimizer.learning_rate=log(1e-4,1e-1)", "config.model.num_layers=range(1,4)",
        "config.attention.scale=inverse_sqrt,1.0"]
GOAL = {"sampler": "tpe", "axes": AXES, "metric": "dev_bleu", "sign": 1.0, "seed": 3}


def proposals(name, seed, count=12):
    """What a sampler proposes for a score that grows with the learning rate."""
    space = search.Search.of(GOAL).space
    study, found = optuna.create_study(direction="maximize"), []
    for number in range(count):
        study.sampler = search.sampler(name, seed, number)
        trial = study.ask()
        found.append(search.suggest(trial, space))
        study.tell(trial, found[-1]["optimizer.learning_rate"])
    return found


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("name", search.SAMPLERS)
def test_proposals_are_typed_inside_the_space_and_repeat_from_the_seed(name):
    found = proposals(name, seed=3)
    assert found == proposals(name, seed=3) != proposals(name, seed=4)
    for one in found:
        assert 1e-4 <= one["optimizer.learning_rate"] <= 1e-1
        assert one["model.num_layers"] in (1, 2, 3)
        assert one["attention.scale"] in ("inverse_sqrt", 1.0)
    assert {one["model.num_layers"] for one in found} == {1, 2, 3}


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_tpe_goes_where_the_score_is_high():
    rates = [one["optimizer.learning_rate"] for one in proposals("tpe", seed=0, count=40)]
    assert sum(rates[-10:]) > 1.5 * sum(rates[:10])


@pytest.mark.parametrize("text, said", [
    ("config.optimizer.learning_rate=log(0,1)", "learning_rate"),
    ("config.optimizer.learning_rate=log(1e-2,1e-3)", "low < high"),
    ("config.optimizer.learning_rat=log(1e-3,1e-2)", "learning_rate"),
    ("config.model.num_layers=linear(1.5,4)", "num_layers"),
])
def test_a_space_that_is_none(text, said):
    with pytest.raises(ValueError, match=said):
        search.parse_distribution(text)


def test_a_search_of_older_versions_has_no_seeds_and_no_pruner():
    assert search.Search.of(GOAL)[5:] == ((), "none")
    assert search.Search.of(GOAL | {"seeds": [3, 4], "prune": "median"})[5:] == ((3, 4), "median")


@pytest.mark.parametrize("change, said", [
    ({"sampler": "grid"}, "allowed are tpe, random"),
    ({"metric": "test_bleu"}, "a dev_ score"),
    ({"axes": AXES[:1] * 2}, "swept twice"),
    ({"axes": ["config.seed=0,1"], "seeds": [0, 1]}, "seed is swept twice"),
    ({"prune": "halvng"}, "--prune=halvng: allowed are none, median, percentile, halving; did you mean halv"),
])
def test_a_search_that_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        search.Search.of(GOAL | change)
