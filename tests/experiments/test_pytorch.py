"""The model in PyTorch begins with our loss; without PyTorch the benchmark says what to install."""

import sys

import numpy as np
import pytest

from experiments import benchmark

CONFIG = "--config=:lstm_luong,smoke"


@pytest.mark.parametrize("variant, changes", [
    ("lstm_luong", []), ("", ["--config.model.norm=post", "--config.model.num_layers=2"]),
    ("", ["--config.model.norm=pre", "--config.training.average_decay=0.9"])])
def test_both_begin_with_the_same_loss(call, variant, changes):
    pytest.importorskip("torch")
    config = f"--config=:{variant},smoke" if variant else "--config=:smoke"
    status, out, err = call(benchmark, "training", config, "--steps=2", "--peers",
                            "--config.training.devices=1", *changes)
    assert status == 0, err
    ways = [line.split("\t")[1:3] for line in out.splitlines()[1:]]
    assert ways == [["float32", "jax"], ["float32", "pytorch"]]
    assert float(err.split("differ by ")[1].split()[0]) < 1e-4


@pytest.mark.parametrize("variant, changes, words", [
    ("gru_luong,", [], "model.kind=gru: the PyTorch models are lstm, transformer"),
    ("", ["--config.model.positions=rotary"], "model.positions=rotary: the PyTorch model has sinusoidal"),
    ("", ["--config.model.norm=none"], "model.norm=none: the PyTorch model has this part in every layer"),
    ("", ["--config.attention.window=0"], "attention.window=0: the PyTorch model has None"),
    ("", ["--config.attention.scale=0.7"], "attention.scale=0.7: the PyTorch model has 1/sqrt(width/num_")])
def test_an_architecture_that_the_peer_lacks_is_refused(call, variant, changes, words):
    pytest.importorskip("torch")
    status, _, err = call(benchmark, "training", f"--config=:{variant}smoke", "--peers", *changes)
    assert status == 2 and words in err


def test_without_it_one_line_says_what_to_install_and_ours_is_timed(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "experiments.benchmark_pytorch", raising=False)
    status, out, err = call(benchmark, "training", CONFIG, "--peers", "--steps=1")
    assert status == 0 and "torch is not timed, for it is not installed: pip install -e '.[peers]'" in err
    assert [line.split("\t")[2] for line in out.splitlines()] == ["way", "jax"]


@pytest.mark.parametrize("mask, dtype, rtol, atol", [
    ("none", "float32", 1e-4, 1e-5), ("causal", "float32", 1e-4, 1e-5), ("padding", "float32", 1e-4, 1e-5),
    ("window", "float32", 1e-4, 1e-5), ("none", "bfloat16", 0.05, 0.05)])
def test_pytorchs_attention_is_timed_on_the_same_numbers(mask, dtype, rtol, atol):
    torch = pytest.importorskip("torch")
    from experiments import benchmark_attention, benchmark_torch_attention
    case = benchmark_attention.Case("", 9, B=2, H=3, K=5, V=5, mask=mask, dtype=dtype)
    of_case = benchmark_attention.masks(case)
    arrays = benchmark_attention.arrays(case, 0)
    ours = [prepared(*arrays)() for prepared in benchmark_attention.programs(
        benchmark_attention.ours(case, "blockwise"), dtype)]
    theirs = [prepared(*arrays)() for prepared in benchmark_torch_attention.programs(case, of_case)]
    for a, b in zip((ours[0], *ours[1]), (theirs[0], *theirs[1]), strict=True):
        assert a.dtype.name == str(b.dtype).removeprefix("torch.") == dtype
        np.testing.assert_allclose(np.float32(a), b.detach().float().numpy(), rtol=rtol, atol=atol)
    assert torch.get_num_threads() == benchmark_torch_attention.facts()["threads"]
