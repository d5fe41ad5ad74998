"""view, and the pages of train, translate and disambiguate: what they show, what is refused in one line."""

import json
import os
import re

import pytest

import attention_lab
from attention_lab.tasks.load import load
from configs.disambiguation import get_config as get_senses
from configs.recall import get_config as get_recall
from experiments import disambiguate, translate, view

pytestmark = pytest.mark.once

SMALL = {"training.steps": 6, "training.devices": 1, "training.keep_views": 2}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """{name: folder of a finished run}."""
    parent = tmp_path_factory.mktemp("runs")
    configs = {"translation": "configs/translation.py:smoke",
               "gru": "configs/translation.py:gru_bahdanau,smoke",
               "plain": "configs/translation.py:gru,smoke", "senses": get_senses("smoke"),
               "recall": get_recall("smoke")}
    for name, config in configs.items():
        attention_lab.train(config, parent / name, **SMALL)
    return {name: parent / name for name in configs}


def data(path):
    """The data of a page."""
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1])


def refused(answer, *parts):
    status, out, err = answer
    assert status == 2 and out == ""
    last = err.strip().splitlines()[-1]
    assert "Traceback" not in err and "view: error: " in last
    for part in parts:
        assert part in last, last


def test_a_run_leaves_a_page_with_its_checkpoints(runs):
    for name, kinds in (("translation", {"cross", "encoder", "decoder"}), ("gru", {"cross"}),
                        ("senses", {"encoder"})):
        page = data(runs[name] / "view.html")
        assert page["steps"] == [0, 1, 3, 6] and len(page["sentences"]) == 8
        assert page["steps"][page["selected"]] == load(runs[name]).run.result["best_step"]
        assert {kind for sentence in page["sentences"] for kind in sentence["maps"]} == kinds
    assert not (runs["plain"] / "view.html").exists() and not (runs["recall"] / "view.html").exists()
    assert (runs["plain"] / "views").exists()  # kept all the same


def test_without_kept_views_a_run_leaves_a_page_of_one_checkpoint(call, tmp_path):
    trained = attention_lab.train("configs/translation.py:gru_bahdanau,smoke", tmp_path / "run",
                                  **SMALL | {"training.keep_views": 0})
    page = data(tmp_path / "run" / "view.html")
    assert page["steps"] == [trained.run.result["best_step"]] and page["selected"] == 0
    status, _, _ = call(view, f"--run={tmp_path}/run", f"--out={tmp_path}/view.html")
    assert status == 0 and data(tmp_path / "view.html")["steps"] == [0, 3, 6]


def test_a_page_of_the_run_is_that_which_it_left(call, runs, tmp_path):
    for name in ("translation", "gru", "senses"):
        status, out, _ = call(view, f"--run={runs[name]}", f"--out={tmp_path}/view.html")
        assert status == 0 and out == f"{tmp_path}/view.html\n"
        assert (tmp_path / "view.html").read_bytes() == (runs[name] / "view.html").read_bytes()


def test_sentences_of_a_file(call, runs, tmp_path):
    (tmp_path / "lines.txt").write_text("The dog sees a cat.\n\n<b>The</b> &amp; </script>dog\n")
    status, _, err = call(view, f"--run={runs['translation']}", f"--sentences={tmp_path}/lines.txt",
                          f"--out={tmp_path}/view.html")
    page = data(tmp_path / "view.html")
    assert status == 0 and "1 of 3 lines" in err
    assert page["sentences"][0]["text"] == "the dog sees a cat ." and len(page["sentences"]) == 2
    assert page["sentences"][1]["text"].startswith("< b > the <")  # tokenised, as the training text is
    assert page["sentences"][0]["note"] == "the model's translation"
    # It is read along with the model's own translation.
    own = load(runs["translation"]).translate(["The dog sees a cat."])[0].split()
    assert page["sentences"][0]["written"][-1] == "</s>" and len(page["sentences"][0]["written"]) >= len(own)


def test_words_in_sentences_of_a_file(call, runs, tmp_path):
    (tmp_path / "lines.txt").write_text("the bank that the lawyer robs is old .\nnothing .\n")
    status, _, err = call(view, f"--run={runs['senses']}", f"--sentences={tmp_path}/lines.txt",
                          f"--out={tmp_path}/view.html")
    assert status == 0 and "1 of 2 sentences is without a word that the run knows" in err
    assert [one["text"] for one in data(tmp_path / "view.html")["sentences"]] == [
        "the bank that the lawyer robs is old ."]


def test_translate_and_disambiguate_write_pages(call, runs, tmp_path):
    path = tmp_path / "view.html"
    status, out, _ = call(translate, f"--run={runs['gru']}", f"--attention={path}",
                          stdin=b"the dog .\na cat .\n")
    assert status == 0 and len(out.splitlines()) == 2
    assert len(data(path)["sentences"]) == 2
    status, out, _ = call(disambiguate, f"--run={runs['senses']}", f"--attention={path}",
                          stdin=b"the bank .\nthe old bank .\n")
    assert status == 0
    assert [one["text"] for one in data(path)["sentences"]] == ["the bank .", "the old bank ."]


def test_sentences_that_do_not_fit_on_a_page_are_answered_all_the_same(call, runs, tmp_path):
    path, long = tmp_path / "view.html", b"the bank " + b"old " * 62
    for program, name in ((translate, "translation"), (disambiguate, "senses")):
        status, out, err = call(program, f"--run={runs[name]}", f"--attention={path}",
                                stdin=b"the bank .\n\n" + long + b"\nthe old bank .\n")
        assert status == 0 and len(out.splitlines()) == 4
        assert re.search(r"line 3( or its translation)? has (6[5-9]|[7-9]\d) tokens, end mark included: at "
                         "most 64 fit on a page, which leaves it out", err), err
        assert [one["text"] for one in data(path)["sentences"]] == ["the bank .", "the old bank ."]


def test_bad_input(call, runs, tmp_path):
    def answer(name, text=None, out="view.html"):
        more = []
        if text is not None:
            (tmp_path / "lines.txt").write_text(text)
            more = [f"--sentences={tmp_path}/lines.txt"]
        return call(view, f"--run={runs[name]}", f"--out={tmp_path}/{out}", *more)

    refused(answer("plain"), "has no attention to view", "model.kind=gru", "attention.compatibility=none")
    refused(answer("recall"), "data.source=recall: view shows translators and classifiers")
    refused(answer("translation", "the dog .\n" * 33), "33 sentences: from 1 to 32 fit on a page")
    for name in ("translation", "senses"):
        refused(answer(name, "the bank .\n\nthe bank " + "old " * 63),
                f"line 3 of {tmp_path}/lines.txt has 66 tokens", "at most 64")
    refused(answer("senses", "bank " * 33), "33 words to classify: from 1 to 32 fit on a page")
    refused(answer("senses", "none\n"), "0 words to classify: from 1 to 32")
    refused(answer("translation", "\n \n"), "it has no sentence")
    refused(answer("translation", out="view.pdf"), "--out=", "a .html in an existing folder is needed")
    refused(answer("translation", out="none/view.html"), "--out=", "existing folder")
    (tmp_path / "folder.html").mkdir()
    refused(answer("translation", out="folder.html"), "--out=", "can't be written")
    refused(call(view, f"--run={runs['translation']}", f"--sentences={tmp_path}/no.txt"), "no.txt")
    refused(call(view, f"--run={tmp_path}"), "is not a run folder")
    assert not (tmp_path / "view.html").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_can_not_be_written(call, runs, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    path = tmp_path / "closed" / "view.html"
    refused(call(view, f"--run={runs['translation']}", f"--out={path}"), "can't be written")
