"""The benchmark of sampling writes the same tokens with a cache and by reading all of them again."""

import json

import pytest

from experiments import benchmark, benchmark_sampling

CONFIG = "--config=configs/language.py:smoke"


@pytest.fixture(autouse=True)
def small_product(monkeypatch):
    monkeypatch.setattr("attention_lab.training.profile.PRODUCT", 64)


def test_each_way_has_a_line_for_each_case(call, tmp_path):
    file = tmp_path / "sampling.json"
    status, out, err = call(benchmark, "sampling", CONFIG, "--rounds=2", f"--json={file}")
    assert status == 0, err
    comment, head, *rows = [line.split("\t") for line in out.splitlines()]
    assert comment[0].startswith("# ") and head[:3] == ["case", "way", "tokens_a_second"]
    assert [row[:2] for row in rows] == [[f"{case} a context of 16", way] for case in ("within", "beyond")
                                         for way in ("cache", "reading again")]
    assert rows[0][5] == "1.0000" and rows[1][4] == rows[3][4] == "1.00"
    kept = json.loads(file.read_text(encoding="utf-8"))["rows"]
    for row in kept:
        assert row["tokens_a_second"] == pytest.approx(16 / row["seconds"][1])
    assert kept[0]["share_of_reading_again"] == pytest.approx(kept[1]["seconds"][1] / kept[0]["seconds"][1])


def test_other_tokens_end_with_status_1(call, monkeypatch):
    real = benchmark_sampling.read_again
    monkeypatch.setattr(benchmark_sampling, "read_again", lambda *arguments: 1 - real(*arguments))
    assert call(benchmark, "sampling", CONFIG, "--rounds=1")[0] == 1


def test_only_text_is_sampled(call):
    status, _, err = call(benchmark, "sampling", "--config=configs/recall.py:smoke")
    assert status == 2 and "data.source=recall: benchmark sampling takes text" in err
