"""The model in PyTorch begins with our loss; without PyTorch the benchmark says what to install."""

import sys

import numpy as np
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


@pytest.mark.parametrize("mask", ["none", "causal", "padding", "window"])
def test_pytorchs_attention_is_timed_on_the_same_numbers(mask):
    torch = pytest.importorskip("torch")
    from experiments import benchmark_attention, benchmark_torch_attention
    case = benchmark_attention.Case("", 9, B=2, H=3, K=5, V=5, mask=mask)
    of_case = benchmark_attention.masks(case)
    arrays = benchmark_attention.arrays(case, 0)
    ours = [prepared(*arrays)() for prepared in benchmark_attention.programs(
        benchmark_attention.ours(case, "blockwise"))]
    theirs = [prepared(*arrays)() for prepared in benchmark_torch_attention.programs(case, of_case)]
    for a, b in zip((ours[0], *ours[1]), (theirs[0], *theirs[1]), strict=True):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-4, atol=1e-5)
    assert torch.get_num_threads() == benchmark_torch_attention.facts()["threads"]
