"""Data sets by name from a server on loopback: whole, broken off, of another content, and there already."""

import io
import re
import zipfile

import pytest

from attention_lab.data import datasets
from attention_lab.data.datasets import DATASETS, Dataset, File, fetch_named
from attention_lab.data.readers import tsv
from tests.data.test_fetch import CONTENT, RIGHT, server  # noqa: F401: a fixture


@pytest.fixture
def named(server, monkeypatch):  # noqa: F811
    """A function that puts a data set named "some" of (path, page, sha256) in the place of the table."""
    def put(*files, makes=None):
        monkeypatch.setattr(datasets, "DATASETS", {"some": Dataset(
            tuple(File(path, server.url + page, sha256) for path, page, sha256 in files), "page", "licence",
            makes)})
    put.server = server
    return put


def test_each_file_is_put_in_its_place_once(named, tmp_path):
    named(("a/one", "/good", RIGHT), ("two", "/good", RIGHT))
    for _ in range(2):
        known = dict(fetch_named("some", str(tmp_path / "new")))
        assert known == {f"{tmp_path}/new/{name}": f"sha256 {RIGHT} (computed from a local copy; no "
                         "published checksum confirms it)" for name in ("a/one", "two")}
    assert (tmp_path / "new" / "a" / "one").read_bytes() == CONTENT
    assert named.server.requests == ["/good", "/good"]


@pytest.mark.parametrize("page, sha256, message", [
    ("/good", "0" * 64, "nothing is kept"), ("/short", RIGHT, "broke off"), ("/missing", RIGHT, "Not Found")])
def test_a_file_that_fails_leaves_those_before_it(named, tmp_path, page, sha256, message):
    named(("one", "/good", RIGHT), ("two", page, sha256))
    with pytest.raises(ValueError, match=message):
        list(fetch_named("some", str(tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    named(("one", "/good", RIGHT), ("two", "/good", RIGHT))
    assert len(list(fetch_named("some", str(tmp_path)))) == 2
    assert named.server.requests == ["/good", page, "/good"]


def test_another_file_in_its_place_stays(named, tmp_path):
    named(("one", "/good", RIGHT))
    (tmp_path / "one").write_bytes(b"mine")
    with pytest.raises(ValueError, match="one: its sha256 is .*, not .*: move it away"):
        list(fetch_named("some", str(tmp_path)))
    assert (tmp_path / "one").read_bytes() == b"mine" and named.server.requests == []


def test_a_checksum_that_the_table_lacks_is_the_users(named, tmp_path):
    named(("one", "/good", ""))
    with pytest.raises(ValueError, match="the sha256 of one is not known: give it as --sha256=HEX"):
        list(fetch_named("some", str(tmp_path)))
    with pytest.raises(ValueError, match="nothing is kept"):
        list(fetch_named("some", str(tmp_path), sha256="0" * 64))
    assert list(tmp_path.iterdir()) == []
    assert list(fetch_named("some", str(tmp_path), sha256=RIGHT.upper())) == [
        (f"{tmp_path}/one", f"sha256 {RIGHT} (given by you)")]
    assert list(fetch_named("some", str(tmp_path), unchecked=True)) == [
        (f"{tmp_path}/one", f"sha256 {RIGHT} (unchecked)")]
    named(("one", "/good", RIGHT))
    for given in ({"sha256": RIGHT}, {"unchecked": True}):
        with pytest.raises(ValueError, match="do not go with it"):
            list(fetch_named("some", str(tmp_path), **given))


def packed(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for side, text in members.items():
            archive.writestr(f"Tatoeba.en-fr.{side}", text)


def test_pairs_are_made_of_the_zip_and_kept(named, tmp_path):
    packed(tmp_path / "en-fr.txt.zip", en="Go.\nA\tb.\n\nHi. \n", fr="Va !\nC.\nD.\nSalut.\n")
    named(("en-fr.txt.zip", "/good", ""), makes=("pairs.tsv", datasets.parallel))
    for known in ("made of en-fr.txt.zip", "was there already, kept"):
        *_, last = fetch_named("some", str(tmp_path), unchecked=True)
        assert last == (f"{tmp_path}/pairs.tsv", known)
        pairs = tsv.read(tmp_path / "pairs.tsv")
        assert (pairs.source, pairs.target) == (["Go.", "Hi."], ["Va !", "Salut."])


@pytest.mark.parametrize("members, message", [
    ({"en": "a\n"}, "is no zip with Tatoeba.en-fr.en and Tatoeba.en-fr.fr"),
    ({"en": "a\nb\n", "fr": "c\n"}, "Tatoeba.en-fr.en has 3 lines, Tatoeba.en-fr.fr 2")])
def test_another_zip_is_refused(tmp_path, members, message):
    packed(tmp_path / "en-fr.txt.zip", **members)
    with pytest.raises(ValueError, match=message):
        datasets.parallel(str(tmp_path))
    (tmp_path / "en-fr.txt.zip").write_bytes(io.BytesIO(b"none").read())
    with pytest.raises(ValueError, match="is no zip with"):
        datasets.parallel(str(tmp_path))


def test_the_table_is_whole():
    for name, dataset in DATASETS.items():
        assert len({file.path for file in dataset.files}) == len(dataset.files) and dataset.licence
        for file in dataset.files:
            assert file.url.startswith("https://") and file.url.endswith("/" + file.path), name
            assert re.fullmatch("[0-9a-f]{64}|", file.sha256)
    assert [len(dataset.files) for dataset in DATASETS.values()] == [12, 60, 1]


def test_the_table_has_the_checksums_of_the_files_that_are_here(data_folder):
    """Those that are there as the publisher has them: the tokenised files of Multi30k are packed here."""
    folders = {"multi30k": data_folder / "multi30k",
               "coarsewsd": data_folder / "coarsewsd20" / "CoarseWSD-20"}
    for name, folder in folders.items():
        there = [file for file in DATASETS[name].files if (folder / file.path).exists()]
        assert len(there) in (6, 60)
        for file in there:
            assert datasets.digest(folder / file.path) == file.sha256
