"""Costs of a training step against sizes, their exponents, and the page that shows them."""

import json
import re

import numpy as np
import pytest

from experiments import benchmark, benchmark_cost, benchmark_page


def test_the_exponent_is_that_of_the_largest_values_with_an_interval_over_rounds():
    rng = np.random.default_rng(0)
    values = [1, 2, 4, 8, 16]
    exact = [[3.0 * n ** 1.5] * 4 for n in values]
    exact[0] = [100.0] * 4  # overhead, which the fit leaves out
    assert benchmark_cost.exponent(values, exact) == pytest.approx((1.5, 1.5, 1.5))
    noisy = [[seconds * np.exp(rng.normal(0, 0.1)) for seconds in row] for row in exact]
    low, mean, high = benchmark_cost.exponent(values, noisy)
    assert low < mean < high and mean == pytest.approx(1.5, abs=0.3)


def test_each_value_of_each_axis_has_a_line(call, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_cost, "BASE", benchmark_cost.BASE | {
        "model.width": 8, "model.hidden": 8, "model.num_layers": 1, "model.num_heads": 1, "data.distance": 2,
        "data.answers": 3, "data.train_size": 16, "training.batch_tokens": 5 * 4})
    monkeypatch.setattr(benchmark_cost, "AXES", {
        "heads": ((1, 2), lambda n: {"model.num_heads": n}), "runs in one program": ((1, 2), lambda n: {}),
        "devices": ((1, 1000), lambda n: {"training.devices": n})})
    monkeypatch.setattr("attention_lab.storage.xla.add", lambda flags: None)
    file = tmp_path / "cost.json"
    status, out, err = call(benchmark, "cost", "--rounds=2", f"--json={file}")
    assert status == 0, err
    lines = [line.split("\t") for line in out.splitlines()[2:]]
    assert [line[:2] for line in lines] == [["heads", "1"], ["heads", "2"], ["runs in one program", "1"],
                                            ["runs in one program", "2"], ["devices", "1"]]
    assert all(float(line[2]) > 0 for line in lines) and " to " in lines[0][5] and not lines[4][4]
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert [row["way"] for row in kept["rows"]] == ["1", "2", "1", "2", "1"] and "cost" in kept["command"]


def test_the_page_is_written_from_the_committed_files(call, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_page, "RESULTS", tmp_path)
    monkeypatch.setattr(benchmark_page, "PAGE", tmp_path / "benchmark.md")
    status, _, err = call(benchmark, "page")
    assert status == 2 and "has no results" in err
    machine = {"processor": "a processor", "cores": 2, "product_rate": {"jax": 2e9, "torch": 3.4e9},
               "torch": {"version": "2.1", "threads": 2}, "versions": {"python": "3.12.1", "jax": "0.12"},
               "jax_settings": {"xla_flags": ""}, "commit": "0123456789abcdef", "uncommitted_changes": True}
    rows = [{"case": "heads", "way": str(n), "step_ms": [n, 2.0 * n, 1234.5 * n],
             "exponent": [0.9, 1.0, 1.1], "empty": None} for n in (1, 2)]
    (tmp_path / "cost.json").write_text(json.dumps(
        {"command": "python -m experiments.benchmark cost", "machine": machine, "rows": rows}))
    status, out, err = call(benchmark, "page")
    page = (tmp_path / "benchmark.md").read_text(encoding="utf-8")
    assert status == 0 and out.splitlines() == [str(tmp_path / name) for name in (
        "benchmark.md", "benchmark_cost.png")], err
    assert "| case | way | step ms | exponent |\n| --- | --- | ---: | ---: |" in page
    assert "| heads | 2 | 4 (2 to 2,469) | 1 (0.9 to 1.1) |\n" in page
    assert ("a processor, 2 cores; matrix products: jax 2 GFLOP/s, torch 3 GFLOP/s; Python 3.12.1, "
            "jax 0.12, torch 2.1 on 2 threads; commit 0123456789 with uncommitted changes.\n") in page


def test_the_committed_page_is_what_the_command_writes():
    results = benchmark_page.read()
    assert benchmark_page.PAGE.read_text(encoding="utf-8") == benchmark_page.text(results)
    titles = re.findall(r"^## (.+)$", benchmark_page.text(results), re.MULTILINE)
    assert titles == [name.replace("_", " ") for name in results]
