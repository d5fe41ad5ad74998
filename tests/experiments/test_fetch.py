"""The fetch program, from file: URLs."""

import hashlib

from attention_lab.data import datasets
from experiments import fetch


def test_a_file_is_put_in_its_place_and_a_wrong_one_is_refused(call, tmp_path):
    source, goal = tmp_path / "a", tmp_path / "b" / "c"
    source.write_text("a\tb\n")
    right = hashlib.sha256(source.read_bytes()).hexdigest()
    words = [f"--url={source.as_uri()}", f"--path={goal}"]
    assert call(fetch, *words, f"--sha256={right}")[0] == 0
    assert goal.read_text() == "a\tb\n"
    status, _, err = call(fetch, *words[:1], f"--path={goal}2", f"--sha256={'0' * 64}")
    assert status == 2 and "nothing is kept" in err and not goal.with_name("c2").exists()
    status, _, err = call(fetch, *words)
    assert status == 2 and "--sha256: --url=" in err
    status, _, err = call(fetch, *words, f"--sha256={right}", "--unchecked")
    assert status == 2 and "--unchecked goes with a name" in err


def test_a_data_set_by_its_name_comes_with_its_licence(call, tmp_path, monkeypatch):
    (tmp_path / "there").write_text("text\n")
    file = datasets.File("text.tsv", (tmp_path / "there").as_uri())
    monkeypatch.setitem(datasets.DATASETS, "tatoeba", datasets.Dataset((file,), "page", "CC BY 2.0"))
    status, out, err = call(fetch, "tatoeba", f"--path={tmp_path / 'goal'}", "--unchecked")
    assert (status, out) == (0, f"{tmp_path}/goal/text.tsv\n")
    assert "licence: CC BY 2.0" in err and "(unchecked)" in err
    assert (tmp_path / "goal" / "text.tsv").read_text() == "text\n"


def test_what_is_refused(call, tmp_path):
    for words, said in (([], "one name (multi30k, coarsewsd, tatoeba) or --url"),
                        (["multi30k", "--url=x"], "not both"), (["multi30k", "tatoeba"], "one name"),
                        (["tatoeba"], "the sha256 of en-fr.txt.zip is not known"),
                        (["multi31k"], "name=multi31k is not one of multi30k, coarsewsd, tatoeba")):
        status, out, err = call(fetch, *words, f"--path={tmp_path / 'goal'}")
        assert (status, out) == (2, "") and said in err and not (tmp_path / "goal").exists()
