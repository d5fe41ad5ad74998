"""Benchmarks print every way beside the others."""

import itertools
import json

import pytest

from attention_lab import attention
from experiments import benchmark, timing

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
    ([], "name one benchmark: attention, decoding, together, configs, pytorch"),
    (["configs"], "--variants is needed"),
    (["configs", "--variants=har"], "variant 'har' is not known"),
    (["configs", "--variants=gru", "--steps=0"], "--steps=0 is not an integer of at least 1"),
    (["speed"], "name one benchmark"),
    (["pytorch", "--steps=0"], "--steps=0 is not an integer of at least 1"),
    (["attention", "--lengths=8,a"], "--lengths=8,a is not integers of at least 1"),
    (["attention", "--lengths=0"], "--lengths=0 is not integers of at least 1"),
    (["together", "--runs=1"], "--runs=1 is not an integer of at least 2"),
])
def test_what_is_refused(call, argv, words):
    status, _, err = call(benchmark, *argv, CONFIG)
    assert status == 2 and words in err


def test_attention_has_a_line_for_each_implementation_and_is_kept_with_the_machine(call, tmp_path):
    file = tmp_path / "attention.json"
    argv = ["attention", "--lengths=8", "--rounds=2", f"--json={file}"]
    status, out, err = call(benchmark, *argv)
    assert status == 0, err
    comment, head, *rows = out.splitlines()
    assert comment.startswith("# ") and "GFLOP/s" in comment and head.startswith("case\tway\tforward_ms")
    ways = {tuple(row.split("\t")[:2]) for row in rows}
    assert {way for case, way in ways if case == "8 tokens"} == set(attention.IMPLEMENTATIONS)
    assert ("8 tokens, dropout", "xla") not in ways and ("8 tokens, dropout", "blockwise") in ways
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert len(kept["rows"]) == len(rows) and kept["machine"]["versions"]["jax"]
    low, median, high = kept["rows"][0]["forward"]
    assert 0 < low <= median <= high and kept["rows"][0]["temporary_bytes"] > 0
    status, _, err = call(benchmark, *argv)
    assert status == 2 and "exists: give a new file" in err


def test_each_implementation_is_close_to_float64(call):
    status, out, _ = call(benchmark, "attention", "--check")
    errors = {tuple(line.split("\t")[:3]): float(line.split("\t")[3]) for line in out.splitlines()[1:]}
    assert status == 0 and len(errors) == 4 * len(attention.IMPLEMENTATIONS)
    assert all(0 < error < (1e-5 if dtype == "float32" else 1e-2) for (_, dtype, _), error in errors.items())


def test_each_way_is_timed_in_each_round_on_fresh_inputs(monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    calls = []
    ways = {name: lambda x, name=name: lambda: calls.append((name, x)) for name in "ab"}
    seconds = timing.interleaved(ways, lambda number: (number,), 2)
    assert calls == [("a", -1), ("b", -1), ("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    assert seconds == {"a": [1.0, 1.0], "b": [1.0, 1.0]}
    assert timing.quartiles([1.0, 2.0, 3.0]) == (1.5, 2.0, 2.5)
