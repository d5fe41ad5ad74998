"""The reader of Multi30k folders, on folders made here and on the real one."""

import gzip
import os

import pytest

from attention_lab.data.readers import multi30k

REAL = os.environ.get("ATTENTION_LAB_DATA")


def put(path, text: str):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


@pytest.mark.parametrize("layout", ["{}.gz", "{}", "tok/{}", "data/task1/tok/{}.gz"])
def test_finds_each_layout(tmp_path, layout):
    put(tmp_path / layout.format("val.lc.norm.tok.en"), "a dog .\n")
    put(tmp_path / layout.format("val.lc.norm.tok.fr"), "un chien .\n")
    read = multi30k.read(tmp_path, "dev", "tokenized")
    assert (read.source, read.target) == (["a dog ."], ["un chien ."])


def test_each_split_and_text_has_its_file(tmp_path):
    for name in ("train", "val", "test_2016_flickr"):
        for ending in ("", ".lc.norm.tok"):
            for side in ("en", "fr"):
                put(tmp_path / f"{name}{ending}.{side}.gz", f"{name}{ending}.{side}\n")
    for split, name in (("train", "train"), ("dev", "val"), ("test", "test_2016_flickr")):
        for text, ending in (("raw", ""), ("tokenized", ".lc.norm.tok")):
            read = multi30k.read(tmp_path, split, text)
            assert read.source + read.target == [f"{name}{ending}.en", f"{name}{ending}.fr"]


def test_a_missing_folder_tells_what_was_looked_for(tmp_path):
    with pytest.raises(ValueError, match="nowhere: No such file.* looked for train.en.gz and"):
        multi30k.read(tmp_path / "nowhere", "train", "raw")


def test_a_missing_file_is_named(tmp_path):
    put(tmp_path / "val.en", "a\n")
    with pytest.raises(ValueError, match=r"lacks a file; looked for val.fr.gz and val.fr"):
        multi30k.read(tmp_path, "dev", "raw")


def test_an_unreadable_folder_is_refused(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "listdir", refuse)  # root may read anything, so the error is simulated
    with pytest.raises(ValueError, match="data.directory: .*: Permission denied; looked for"):
        multi30k.read(tmp_path, "dev", "raw")


@pytest.mark.parametrize("split, text, key", [("val", "raw", "data.split"),
                                              ("dev", "tok", "data.text")])
def test_other_names_are_refused_with_what_is_allowed(tmp_path, split, text, key):
    with pytest.raises(ValueError, match=f"{key}=.* is not one of "):
        multi30k.read(tmp_path, split, text)


@pytest.mark.skipif(not REAL, reason="ATTENTION_LAB_DATA is not set")
@pytest.mark.parametrize("split, size", [("train", 29000), ("dev", 1014), ("test", 1000)])
@pytest.mark.parametrize("text", ["raw", "tokenized"])
def test_the_real_folder_is_complete(split, size, text):
    read = multi30k.read(os.path.join(REAL, "multi30k"), split, text)
    assert len(read.source) == len(read.target) == size
    assert read.counts["empty_lines"] == 0
