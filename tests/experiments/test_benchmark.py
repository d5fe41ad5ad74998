"""Benchmarks print every way beside the others."""

import dataclasses
import itertools
import json

import jax
import pytest

from attention_lab import attention
from attention_lab.attention.implementations import reference
from experiments import benchmark, benchmark_attention, benchmark_start, flags

pytestmark = pytest.mark.once

CONFIG = "--config=configs/recall.py:smoke"
ANYWHERE = {name for name, entry in attention.IMPLEMENTATIONS.items() if not entry.runs_on}


def test_each_way_has_a_line_and_a_ratio_to_the_loop(call, monkeypatch):
    monkeypatch.setattr("jax.local_device_count", lambda: 1)
    status, out, _ = call(benchmark, "sweep", CONFIG, "--config.training.devices=1",
                          "--config.model.num_layers=1", "--runs=2")
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in out.splitlines()}
    assert status == 0 and list(rows) == ["way", "loop", "map", "vmap"]
    loop, one = (float(rows["loop"][0]), float(rows["map"][0]))
    assert float(rows["loop"][1]) == 1.0 and float(rows["map"][1]) == pytest.approx(loop / one, rel=0.02)


def test_variants_of_a_config_are_timed_beside_it(call, tmp_path, monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr("experiments.benchmark_training.product_rate", lambda: 7e9)
    file = tmp_path / "training.json"
    status, out, err = call(benchmark, "training", "--config=configs/echo.py:smoke", "--variants=rnn",
                            "--steps=3", "--config.training.devices=1", f"--json={file}")
    assert status == 0, err
    head, *rows = [line.split("\t") for line in out.splitlines()]
    assert head == ["config", "precision", "way", "tokens_a_second", "quartiles", "times", "weights"]
    assert [row[:3] for row in rows] == [["configs/echo.py:smoke", "float32", "jax"],
                                         ["configs/echo.py:smoke,rnn", "float32", "jax"]]
    # 16 rows of 7 tokens in a second each; an RNN of 16 has three square maps and two biases.
    assert {row[3] for row in rows} == {"112"} and rows[1][5:] == ["1", f"{8 * 16 + 3 * 256 + 2 * 16}"]
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert [row["tokens_a_second"] for row in kept["rows"]] == [[112.0] * 3] * 2
    assert kept["machine"]["product_rate"] == {"jax": 7e9}


@pytest.mark.parametrize("argv, words", [
    ([], "name one benchmark: attention, training"),
    (["training", "--variants=har"], "variant 'har' is not known"),
    (["training", "--variants=gru", "--steps=0"], "--steps=0 is not an integer of at least 1"),
    (["speed"], "name one benchmark"),
    (["cost"], "--config=configs/recall.py:smoke is given, but benchmark cost reads no config"),
    (["attention", "--lengths=8,a"], "--lengths=8,a is not integers of at least 1"),
    (["attention", "--precision=half"], "--precision=half is not"),
    (["attention", "--lengths=0"], "--lengths=0 is not integers of at least 1"),
    (["sweep", "--runs=1"], "--runs=1 is not an integer of at least 2"),
    (["sweep", "--steps=3"], "--steps is given, but benchmark sweep reads --runs, --json"),
    (["start", "--json=nowhere/x.json"], "--json=nowhere/x.json: there is no folder nowhere"),
])
def test_what_is_refused(call, argv, words):
    status, _, err = call(benchmark, *argv, *[CONFIG] * (argv[:1] != ["attention"]))
    assert status == 2 and words in err


def test_attention_has_a_line_for_each_implementation_and_is_kept_with_the_machine(call, tmp_path):
    file = tmp_path / "attention.json"
    argv = ["attention", "--lengths=8", "--rounds=2", f"--json={file}"]
    status, out, err = call(benchmark, *argv)
    assert status == 0, err
    comment, head, *rows = out.splitlines()
    assert comment.startswith("# ") and "GFLOP/s" in comment and head.startswith("case\tway\tforward_ms")
    ways = {tuple(row.split("\t")[:2]) for row in rows}
    assert {way for case, way in ways if case == "8 tokens"} == ANYWHERE
    assert ("8 tokens, dropout", "xla") not in ways and ("8 tokens, dropout", "blockwise") in ways
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert len(kept["rows"]) == len(rows) and kept["machine"]["versions"]["jax"]
    low, median, high = kept["rows"][0]["forward_ms"]
    assert 0 < low <= median <= high and kept["rows"][0]["temporary_mib"] > 0
    status, _, err = call(benchmark, *argv)
    assert status == 2 and "exists: give a new file" in err


def test_attention_is_timed_in_half_precision(call, monkeypatch):
    types = []
    real = benchmark_attention.ours

    def ours(case, implementation):
        function = real(case, implementation)
        return lambda q, k, v: types.append({x.dtype.name for x in (q, k, v)}) or function(q, k, v)
    monkeypatch.setattr(benchmark_attention, "ours", ours)
    case = benchmark_attention.Case("8 tokens", 8)
    monkeypatch.setattr(benchmark_attention, "cases", lambda lengths: [case])
    status, out, err = call(benchmark, "attention", "--precision=bfloat16", "--rounds=1")
    assert status == 0, err
    assert types and all(of_call == {"bfloat16"} for of_call in types)
    assert {line.split("\t")[1] for line in out.splitlines()[2:]} == ANYWHERE


@pytest.fixture
def few_checks(monkeypatch):
    """A short sentence alone is checked."""
    case = benchmark_attention.Case("check", 13, B=2, H=2, K=5, V=7, mask="padding")
    monkeypatch.setattr(benchmark_attention, "CHECKS", [case])


def test_each_implementation_is_close_to_float64(call, few_checks):
    status, out, err = call(benchmark, "attention", "--check")
    for name, why in (("cudnn", "NVIDIA GPUs"), ("splash", "TPUs alone")):
        assert f"{name}, mask padding, float32: left out, for implementation '{name}' runs on {why}" in err
    rows = [line.split("\t") for line in out.splitlines()[1:]]
    assert status == 0 and len(rows) == 4 * len(ANYWHERE) and {row[0] for row in rows} == ANYWHERE
    for name, mask, values, dtype, _, context, gradients in rows:
        assert (mask, values) == ("padding", "7")
        assert 0 < max(float(context), float(gradients)) < (1e-5 if dtype == "float32" else 3e-2), name


@pytest.mark.parametrize("wrong", [
    lambda q, k, v, *rest: (jax.numpy.nan_to_num(v) + 0.1, None, {}),
    lambda q, k, v, *rest: (jax.lax.stop_gradient(reference.attention(q, k, v, *rest)[0]), None, {})])
def test_an_implementation_that_is_wrong_in_value_or_gradient_ends_with_status_1(
        call, few_checks, monkeypatch, wrong):
    monkeypatch.setitem(attention.IMPLEMENTATIONS, "reference", dataclasses.replace(
        attention.IMPLEMENTATIONS["reference"], function=wrong))
    status, out, _ = call(benchmark, "attention", "--check")
    assert status == 1 and any(line.startswith("reference") and "beyond" in line for line in out.splitlines())
    assert not any("beyond" in line for line in out.splitlines() if line.startswith("blockwise"))


def test_a_start_is_timed_by_what_the_cache_holds(call, tmp_path, monkeypatch):
    seconds = {"no cache": 7.0, "empty cache": 11.0, "filled cache": 3.0}
    in_turn = itertools.cycle(seconds.values())
    monkeypatch.setattr(benchmark_start, "first_step", lambda options, folder, settings: next(in_turn))
    file = tmp_path / "start.json"
    status, out, err = call(benchmark, "start", CONFIG, "--rounds=3", f"--json={file}")
    assert status == 0, err
    assert out.splitlines()[1:] == ["no cache\t7.00\t7.00-7.00", "empty cache\t11.00\t11.00-11.00",
                                    "filled cache\t3.00\t3.00-3.00"]
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert [row["way"] for row in kept["rows"]] == list(seconds) and kept["machine"]["processor"]
    status, _, err = call(benchmark, "start", CONFIG, f"--json={file}")
    assert status == 2 and "exists: give a new file" in err


def test_a_start_is_that_of_the_shells_command(tmp_path):
    def options(devices):
        return flags.parse(benchmark.PROGRAM, ["start", CONFIG, f"--config.training.devices={devices}"])

    assert 1.0 < benchmark_start.first_step(options(1), tmp_path, {}) < 500.0
    assert list((tmp_path / "cache" / "attention_lab" / "programs").glob("*/jit__update-*-cache"))
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match="it did not start: .*training.devices=97"):
        benchmark_start.first_step(options(97), tmp_path, {})
