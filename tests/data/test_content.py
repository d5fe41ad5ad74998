"""The content of the files that configs name: what changes it, and what can't be read."""

import gzip
import json

import pytest

from attention_lab.config import Config, replace
from attention_lab.data.content import content_of
from attention_lab.storage.files import digest

PAIRS = "".join(f"a dog {i}\tun chien {i}\n" for i in range(30))


def config(**fields):
    return replace(Config(), {"data.dev_size": 4, "data.test_size": 4} | {
        name.replace("__", "."): value for name, value in fields.items()})


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text(PAIRS)
    return path


def test_what_is_generated_has_none():
    assert content_of(Config()).name == "" == content_of(config(data__source="recall")).name


def test_text_is_content_and_its_place_and_packing_are_not(pairs, tmp_path):
    packed, same = tmp_path / "other.gz", tmp_path / "same.tsv"
    packed.write_bytes(gzip.compress(PAIRS.encode()))
    same.write_text(PAIRS)
    names = {content_of(config(data__source="tsv", data__path=str(path))).name
             for path in (pairs, packed, same)}
    assert len(names) == 1 and names != {""}


def test_a_file_that_is_edited_in_place_is_other_content(pairs):
    before = content_of(config(data__source="tsv", data__path=str(pairs)))
    pairs.write_text(PAIRS.replace("dog 7", "cat 7"))
    assert content_of(config(data__source="tsv", data__path=str(pairs))).name != before.name


def test_a_file_of_a_folder_is_content(tmp_path):
    for name in ("pos", "neg"):
        (tmp_path / f"film.{name}").write_text("".join(f"{name} film {i}\n" for i in range(20)))
    folder = config(data__source="sentiment_files", data__directory=str(tmp_path))
    before = content_of(folder)
    (tmp_path / "film.neg").write_text("".join(f"bad film {i}\n" for i in range(20)))
    after = content_of(folder)
    assert "" not in (before.name, after.name) and before.name != after.name
    (tmp_path / "labels.txt").write_text("pos\nneg\n")
    assert content_of(folder) == after


def test_a_folder_behind_a_link_is_content(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data" / "raw").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "above").symlink_to(tmp_path / "data")
    for name in ("train", "val", "test_2016_flickr"):
        for side in ("en", "fr"):
            (tmp_path / "elsewhere" / f"{name}.{side}").write_text(f"{name} {side}\n" * 3)
    folder = config(data__source="multi30k", data__directory=str(tmp_path / "data"), data__text="raw")
    before = content_of(folder)
    (tmp_path / "elsewhere" / "train.fr").write_text("other\n" * 3)
    assert "" not in (before.name, content_of(folder).name) and content_of(folder).name != before.name


def test_vectors_and_the_guide_are_content(tmp_path):
    (tmp_path / "guide").mkdir()
    for text in ("1", "2"):
        (tmp_path / "v.vec").write_text(f"a {text}\n")
        (tmp_path / "guide" / "result.json").write_text(json.dumps({"steps": text}))
    given = config(data__source="senses", data__vectors=str(tmp_path / "v.vec"),
                   attention__guide=str(tmp_path / "guide"))
    before = content_of(given)
    assert before.sha256 == "" and set(before.files) == {"data.vectors", "attention.guide"}
    for path in (tmp_path / "v.vec", tmp_path / "guide" / "result.json"):
        path.write_text("changed")
        assert content_of(given).name != before.name
        before = content_of(given)


def test_packing_vectors_is_no_other_content_and_its_digest_is_kept_for_older_runs(tmp_path):
    plain, packed, again = tmp_path / "v.vec", tmp_path / "v.vec.gz", tmp_path / "again.vec.gz"
    plain.write_bytes(b"a 1 2\n")
    packed.write_bytes(gzip.compress(plain.read_bytes(), mtime=1))
    again.write_bytes(gzip.compress(plain.read_bytes(), 1, mtime=2))
    contents = [content_of(config(data__source="senses", data__vectors=str(path)))
                for path in (plain, packed, again)]
    assert len({content.name for content in contents}) == 1
    assert contents[0].files == {"data.vectors": digest(plain)} and contents[0].packed == {}
    assert [content.packed for content in contents[1:]] == [
        {"data.vectors": digest(path)} for path in (packed, again)]
    packed.write_bytes(packed.read_bytes()[:-9])
    damaged = content_of(config(data__source="senses", data__vectors=str(packed)))
    assert "v.vec.gz: damaged gzip" in damaged.problem


@pytest.mark.parametrize("fields, problem", [
    ({"data__source": "tsv", "data__path": "none.tsv"}, "none.tsv: can't be read: No such file"),
    ({"data__source": "tsv"}, "data.path: not given"),
    ({"data__source": "multi30k", "data__directory": "none"}, "data.directory: none: No such file"),
    ({"data__source": "senses", "data__vectors": "none.vec"}, "data.vectors=none.vec: can't be read"),
    ({"data__source": "senses", "attention__guide": "none"}, "attention.guide=none: can't be read"),
])
def test_what_can_not_be_read_is_said(fields, problem):
    content = content_of(config(**fields))
    assert content.name == "" and content.problem.startswith(problem)
