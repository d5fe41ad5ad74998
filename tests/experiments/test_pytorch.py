"""The model in PyTorch begins with our loss; without PyTorch the benchmark says what to install."""

import sys

import pytest

from experiments import benchmark

CONFIG = "--config=:lstm_luong,smoke"


def test_both_begin_with_the_same_loss(call):
    pytest.importorskip("torch")
    status, out, _ = call(benchmark, "pytorch", CONFIG, "--steps=2")
    assert status == 0 and [line.split("\t")[0] for line in out.splitlines()[:3]] == ["way", "jax", "pytorch"]
    assert float(out.split("differ by ")[1].split()[0]) < 1e-4
    status, _, err = call(benchmark, "pytorch", "--config=:gru_luong,smoke")
    assert status == 2 and "model.kind=gru: the PyTorch model has lstm" in err


def test_without_it_one_line_says_what_to_install(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "experiments.benchmark_pytorch", raising=False)
    status, out, err = call(benchmark, "pytorch", CONFIG)
    assert status == 2 and not out and "torch is not installed: pip install -e '.[pytorch]'" in err
