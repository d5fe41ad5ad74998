"""The benchmark of decoding compares rates only where outputs are the same, and names a missing peer."""

import importlib.util
import json
import types

import jax
import pytest

from attention_lab.data import sources
from attention_lab.tasks import text
from attention_lab.tasks.translation.translator import Translator
from configs.translation import get_config
from experiments import benchmark


@pytest.fixture(scope="module")
def trained():
    config = get_config("smoke")
    train = sources.load(config.data, ("train",))["train"]
    translator = Translator(config, text.tokenizer_of(config, None, train.source + train.target), (16,))
    return types.SimpleNamespace(config=config, translator=translator,
                                 params=translator.model.init(jax.random.key(0)))


@pytest.fixture
def decoding(call, trained, monkeypatch):
    """decoding(*argv) -> (status, lines of stdout, stderr), of 9 sentences and one round."""
    from experiments import benchmark_decoding
    monkeypatch.setattr(benchmark_decoding, "load", lambda *a, **more: trained)
    monkeypatch.setattr("attention_lab.training.profile.PRODUCT", 64)

    def called(*argv):
        status, out, err = call(benchmark, "decoding", "--run=DIR", "--sentences=9", "--rounds=1", *argv)
        return status, [line.split("\t") for line in out.splitlines()], err
    return called


def test_ours_has_a_line_for_each_search_and_missing_peers_are_named(decoding, monkeypatch, tmp_path):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda name, *a: None if name in ("ctranslate2", "joeynmt") else find(name, *a))
    status, (comment, head, *rows), err = decoding("--peers", f"--json={tmp_path / 'decoding.json'}")
    assert status == 0 and comment[0].startswith("# ") and head[:3] == ["case", "way", "sentences_a_second"]
    assert [row[:2] for row in rows] == [["greedy, 9 sentences", "attention_lab"],
                                         ["beam 5, 9 sentences", "attention_lab"]]
    for name in ("ctranslate2", "joeynmt"):
        assert f"{name} is not timed, for it is not installed: pip install " in err
    kept = json.loads((tmp_path / "decoding.json").read_text(encoding="utf-8"))
    assert len(kept["rows"]) == 2 and kept["rows"][0]["same_outputs"] == 1.0
    assert kept["machine"]["versions"]["jax"] and kept["machine"]["product_rate"]["jax"] > 0
    assert decoding(f"--json={tmp_path / 'decoding.json'}")[0] == 2


def test_rates_of_other_outputs_are_not_compared(decoding, monkeypatch):
    from experiments import benchmark_decoding
    other = types.SimpleNamespace(
        facts=dict, translator=lambda sentences, beam: lambda: [""] * len(sentences), least={1: 1.0, 5: 0.5})
    monkeypatch.setattr(benchmark_decoding, "_peer", lambda name, _: other if name == "joeynmt" else None)
    status, (_, _, *rows), err = decoding("--peers")
    assert status == 1
    assert "joeynmt gives 0.0000 of the outputs of attention_lab, at least 1.0 are needed" in err
    assert [row[1] for row in rows] == ["attention_lab", "joeynmt"] * 2
    assert all(row[6] == "" for row in rows if row[1] == "joeynmt")


def test_ctranslate2_is_timed_beside_ours(decoding):
    pytest.importorskip("ctranslate2")
    _, (_, _, *rows), _ = decoding("--peers")
    rows = [row for row in rows if row[1] != "joeynmt"]
    assert [row[1] for row in rows] == ["attention_lab", "ctranslate2"] * 2
    # Of random weights: what is cut at the limit is ranked otherwise, see test_ctranslate2.py.
    assert all(float(row[2]) > 0 and float(row[5]) > 0.4 for row in rows)


def test_a_run_is_needed(call):
    status, _, err = call(benchmark, "decoding")
    assert status == 2 and "--run is needed" in err
