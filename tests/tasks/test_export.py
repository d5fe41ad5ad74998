"""Finished runs in the formats of other programs: read back they are the same, and nothing is replaced."""

import importlib.util
import json

import jax
import numpy as np
import pytest
import tokenizers

import attention_lab
from attention_lab.config import from_dict
from attention_lab.tasks import export
from configs.disambiguation import get_config as get_senses

PLAIN = {"training.steps": 2, "training.devices": 1}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A translator and a classifier."""
    parent = tmp_path_factory.mktemp("runs")
    return {"translator": attention_lab.train("configs/translation.py:smoke", parent / "t", **PLAIN),
            "classifier": attention_lab.train(get_senses("smoke"), parent / "c", **PLAIN)}


@pytest.mark.parametrize("name, more", [("translator", []), ("classifier", ["classes.json"])])
@pytest.mark.parametrize("to", ["safetensors", "npz"])
def test_what_is_read_back_is_what_was_trained(runs, tmp_path, name, more, to):
    if to == "safetensors":
        pytest.importorskip("safetensors", reason="safetensors is not installed")
    trained, folder = runs[name], tmp_path / "new" / "out"
    files = export.export(trained, to, folder)
    assert files == sorted(["attention_lab.json", f"model.{to}", "tokenizer.json", *more])
    read = export.read(folder)
    assert jax.tree.structure(read) == jax.tree.structure(trained.params)
    for ours, theirs in zip(jax.tree.leaves(trained.params), jax.tree.leaves(read)):
        assert theirs.dtype == ours.dtype
        np.testing.assert_array_equal(theirs, ours)
    assert from_dict(json.loads((folder / "attention_lab.json").read_text())) == trained.run.config
    theirs = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert theirs.encode("the dog", add_special_tokens=False).ids == trained.model.tokenizer.encode(
        ["the dog"])[0]
    assert [path.name for path in folder.parent.iterdir()] == ["out"]


def test_ctranslate2_translates_alike(runs, tmp_path):
    ctranslate2 = pytest.importorskip("ctranslate2", reason="ctranslate2 is not installed")
    trained = runs["translator"]
    files = export.export(trained, "ctranslate2", tmp_path / "out")
    assert {"attention_lab.json", "model.bin", "config.json", "tokenizer.json"} <= set(files)
    sentences = ["the dog sees a cat .", "the cats sleep ."]
    ids = trained.model.tokenizer.encode(sentences)
    theirs = ctranslate2.Translator(str(tmp_path / "out"), compute_type="float32").translate_batch(
        [[str(token) for token in row] for row in ids], beam_size=1, min_decoding_length=0,
        max_decoding_length=trained.config.decoding.max_length)
    found = trained.model.tokenizer.decode([[int(token) for token in one.hypotheses[0]] for one in theirs])
    assert found == trained.model.translate(trained.params, sentences, 1).texts
    with pytest.raises(ValueError, match="does not translate"):
        export.export(runs["classifier"], "ctranslate2", tmp_path / "classifier")
    assert not (tmp_path / "classifier").exists()


def test_what_can_not_be_is_refused_and_nothing_replaced(runs, tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    for trained, to, folder, said in (
            (runs["translator"], "onnx", "other", "to=onnx is not one of safetensors, npz, ctranslate2"),
            (runs["translator"], "npz", "out", "out is there already")):
        with pytest.raises(ValueError, match=said):
            export.export(trained, to, tmp_path / folder)
    with pytest.raises(ValueError, match="neither model.safetensors nor model.npz"):
        export.read(tmp_path / "out")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"safetensors is not installed: pip install .*\[export\]"):
        export.export(runs["translator"], "safetensors", tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and not list((tmp_path / "out").iterdir())


def test_a_write_that_fails_leaves_nothing(runs, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "write_json", full)
    with pytest.raises(OSError, match="No space left"):
        export.export(runs["translator"], "npz", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
