"""Estimates: parameters by hand, memory and operations in proportion."""

import pytest

from attention_lab import config as configs
from attention_lab.tasks.translation import task as translation
from attention_lab.training import estimate
from configs.translation import get_config


def told(**changes):
    config = configs.replace(get_config("smoke"), changes)
    return estimate.estimate(translation.build(config), config)


def test_a_longer_run_takes_longer_and_no_more_memory(monkeypatch):
    monkeypatch.setattr(estimate, "_product_rate", lambda: 1e9)
    once, twice = told(), told(**{"training.steps": 12})
    assert once["parameters"] == twice["parameters"] == 15872
    assert once["training_flops"] == pytest.approx(6 * 15872 * 6 * 256, rel=0.01)
    assert twice["training_flops"] == pytest.approx(2 * once["training_flops"], rel=0.01)
    assert once["minutes"] == pytest.approx(once["training_flops"] / 0.25e9 / 60, rel=0.05)
    assert once["memory_megabytes"] == twice["memory_megabytes"] > 0.3


def test_accumulation_and_a_moving_average_show_in_memory(monkeypatch):
    monkeypatch.setattr(estimate, "_product_rate", lambda: 1e9)
    plain = told()["memory_megabytes"]
    assert told(**{"training.accumulate": 2})["memory_megabytes"] < 0.8 * plain
    wide = {"model.width": 64, "model.hidden": 256}
    averaged = wide | {"training.average_decay": 0.9}
    assert told(**averaged)["memory_megabytes"] > told(**wide)["memory_megabytes"]


def test_minutes_have_no_steps(monkeypatch):
    found = told(**{"training.steps": None, "training.max_minutes": 1.0})
    assert found["steps"] is None and found["minutes"] is None and found["training_flops"] is None
