"""Benchmarks print every way beside the others."""

import itertools

import pytest

from experiments import benchmark

CONFIG = "--config=configs/recall.py:smoke"


def test_each_way_has_a_line_and_a_ratio_to_the_loop(call, monkeypatch):
    monkeypatch.setattr("jax.local_device_count", lambda: 1)
    status, out, _ = call(benchmark, "together", CONFIG, "--config.training.devices=1",
                          "--config.model.num_layers=1", "--runs=2")
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in out.splitlines()}
    assert status == 0 and list(rows) == ["way", "loop", "map", "vmap"]
    loop, one = (float(rows["loop"][0]), float(rows["map"][0]))
    assert float(rows["loop"][1]) == 1.0 and float(rows["map"][1]) == pytest.approx(loop / one, rel=0.02)


def test_variants_of_a_config_are_timed_beside_it(call, monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    status, out, err = call(benchmark, "configs", "--config=configs/echo.py:smoke", "--variants=rnn",
                            "--steps=3", "--config.training.devices=1")
    assert status == 0, err
    head, *rows = [line.split("\t") for line in out.splitlines()]
    assert head == ["config", "tokens_a_second", "times_the_first", "weights"]
    assert [row[0] for row in rows] == ["configs/echo.py:smoke", "configs/echo.py:smoke,rnn"]
    # 16 rows of 7 tokens in a second each; an RNN of 16 has three square maps and two biases.
    assert {row[1] for row in rows} == {"112"} and rows[1][2:] == ["1", f"{8 * 16 + 3 * 256 + 2 * 16}"]


@pytest.mark.parametrize("argv, words", [
    ([], "name one benchmark: together, configs, pytorch"),
    (["configs"], "--variants is needed"),
    (["configs", "--variants=har"], "variant 'har' is not known"),
    (["configs", "--variants=gru", "--steps=0"], "--steps=0 is not an integer of at least 1"),
    (["speed"], "name one benchmark"),
    (["pytorch", "--steps=0"], "--steps=0 is not an integer of at least 1"),
    (["together", "--runs=1"], "--runs=1 is not an integer of at least 2"),
])
def test_what_is_refused(call, argv, words):
    status, _, err = call(benchmark, *argv, CONFIG)
    assert status == 2 and words in err
