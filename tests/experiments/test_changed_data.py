"""Data that changed under a name, and data of one content under two names, from the command line."""

import json
from types import SimpleNamespace

import pytest

from attention_lab.config import Config, replace, to_dict
from attention_lab.evaluation.bleu import corpus_chrf
from attention_lab.storage.content import Content
from attention_lab.storage.files import write_json
from experiments import evaluate, runs, sweep, sweep_run, train, translate

pytestmark = pytest.mark.once

SMALL = ["--config=:tsv,smoke", "--config.data.vocabulary_size=60", "--config.data.dev_size=4",
         "--config.data.test_size=4", "--config.training.steps=2", "--config.decoding.beam=1"]


def numbers(out):
    return dict(line.split("\t") for line in out.splitlines())


def test_a_finished_run_says_so_only_of_its_own_data(call, tsv, tmp_path):
    path = tmp_path / "pairs.tsv"
    command = [train, *SMALL, f"--config.data.path={path}", f"--workdir={tmp_path}/run"]
    assert call(*command)[0] == 0
    status, out, err = call(*command)
    assert status == 0 and "is finished" in err and "status\tfinished" in out
    text = path.read_bytes()
    tsv(text.replace(b"dog 3", b"cat 3"))
    status, out, err = call(*command)
    assert (status, out) == (2, "") and "is finished" not in err
    assert f"was trained on other data (its text has another sha256 than data.path={path} has now" in err
    path.unlink()
    status, out, err = call(*command)
    assert status == 0 and "is finished" in err and "status\tfinished" in out
    assert "whether its data has changed since training can't be checked: " in err


def test_a_sweep_over_files_has_a_run_for_each_content(call, tsv, tmp_path):
    a, b = tmp_path / "a.tsv", tmp_path / "b.tsv"
    a.write_bytes((tmp_path / "pairs.tsv").read_bytes())
    b.write_bytes(a.read_bytes().replace(b"dog", b"cat"))
    command = [sweep, *SMALL, f"--sweep=config.data.path={a},{b}", f"--workdir={tmp_path}/runs"]
    status, out, err = call(*command)
    assert status == 0, err
    folders = [line.split("\t")[0] for line in out.splitlines()]
    digests = {json.loads(open(f"{folder}/run.json").read())["data"]["sha256"] for folder in folders}
    assert len(set(folders)) == len(digests) == 2
    before = out
    a.write_bytes((tmp_path / "b.tsv").read_bytes())
    status, out, err = call(*command)
    assert status == 2 and "come to the same config and files of the same content" in err
    a.unlink()
    status, out, err = call(*command)
    assert (status, out) == (0, before) and "can't be checked" in err
    command[-2] += f",{tmp_path}/none.tsv"
    status, out, err = call(*command)
    assert status == 1 and out.startswith(before) and out.count("finished") == 2
    assert f"{tmp_path}/none.tsv failed: {tmp_path}/none.tsv: can't be read" in err


def test_a_list_of_runs_tells_texts_of_one_file_apart(call, tmp_path):
    config = replace(Config(), {"data.source": "tsv", "data.path": "p.tsv"})
    for seed, text in enumerate(("a", "b")):
        folder = tmp_path / str(seed)
        folder.mkdir()
        write_json(folder / "config.json", to_dict(replace(config, {"seed": seed})))
        write_json(folder / "run.json", {"data": {"sha256": text * 64}})
    lines = call(runs, "list", str(tmp_path))[1].splitlines()
    assert [line.split("\t")[2] for line in lines] == ["text", "a" * 12, "b" * 12]
    write_json(folder / "run.json", {"data": {"sha256": "a" * 64}})
    assert call(runs, "list", str(tmp_path))[1].splitlines()[0].split("\t")[2] == "seed"


PACKED = Content("a", {"data.vectors": "c"}, {"data.vectors": "d"})
GONE = Content(problem="gone")


@pytest.mark.parametrize("first, second, content, mixed", [
    ({"sha256": "a"}, {"sha256": "b"}, GONE, True), ({"sha256": "a"}, {"sha256": "a"}, GONE, False),
    ({"sha256": "a"}, {}, GONE, False),
    ({"sha256": "a", "files": {"data.vectors": "c"}}, {"sha256": "a", "files": {"data.vectors": "d"}},
     GONE, True),
    ({"sha256": "a", "files": {"data.vectors": "c"}}, {"sha256": "a", "files": {"data.vectors": "d"}},
     PACKED, False)])
def test_cells_of_different_content_are_not_tabled_together(tmp_path, capsys, first, second, content, mixed):
    config, outcomes = replace(Config(), {"data.source": "tsv", "data.path": "p.tsv"}), []
    for seed, recorded in enumerate((first, second)):
        folder = tmp_path / str(seed)
        folder.mkdir()
        write_json(folder / "run.json", {"data": recorded})
        cell = SimpleNamespace(config=replace(config, {"seed": seed}), overrides={"seed": seed},
                               content=content)
        outcomes.append(SimpleNamespace(cell=cell, folder=folder, result={"status": "finished"}))
    assert sweep_run.report(outcomes, "again") == (1 if mixed else 0)
    assert capsys.readouterr().out == ("" if mixed else "(no override)\t2 seeds\n")


def test_a_tsv_that_was_changed_is_not_scored_as_held_out(call, tsv, tmp_path):
    lines = [f'the "dog" {i} sees \\ \tle "chien" {i} voit \\ \n'.encode() for i in range(50)]
    path, folder = tsv(b"".join(lines[:40])), tmp_path / "run"
    status, _, err = call(train, "--config=:tsv,smoke", f"--config.data.path={path}", f"--workdir={folder}",
                          "--config.data.dev_size=4", "--config.data.test_size=4",
                          "--config.data.vocabulary_size=60", "--config.decoding.beam=1")
    assert status == 0, err
    source, target, made = zip(*(line.split("\t") for line in (folder / "predictions.tsv").read_text()
                                 .splitlines()[1:]))
    assert all(f"{s}\t{t}" in path.read_text().replace(" \t", "\t") for s, t in zip(source, target))
    result = json.loads((folder / "result.json").read_text())
    assert round(corpus_chrf(made, target, "raw").score, 4) == result["test_chrf"] > 0
    assert call(evaluate, f"--run={folder}")[0] == 0
    own = call(evaluate, f"--run={folder}")[1]
    new = tmp_path / "new.tsv"
    path.rename(new)
    assert call(evaluate, f"--run={folder}", f"--config.data.path={new}")[1] == own  # by its content
    new.write_bytes(b"".join(lines[:41]))
    more = [evaluate, f"--run={folder}", f"--config.data.path={new}"]
    for before in (None, b"".join(lines)):  # what was trained on is gone, or has changed
        if before:
            tsv(before)
        status, out, err = call(*more)
        assert (status, out) == (2, "") and "can't be left out" in err and "--with_trained scores all" in err
    status, out, err = call(*more, "--with_trained")
    assert status == 0 and numbers(out)["pairs"] == "41" and "seen_in_training" not in out
    status, out, err = call(evaluate, f"--run={folder}")
    assert (status, out) == (2, "") and "was changed after" in err
    tsv(b"".join(lines[:40]))
    status, out, err = call(translate, f"--run={folder}", "--senses", stdin=b"the bank .\n")
    assert status == 0 and out.count("\n") == 1 and "--senses: data.source=tsv" in err
    status, out, err = call(*more)
    assert numbers(out)["pairs"] == "9" and numbers(out)["seen_in_training"] == "32"  # dev, test, a new line
