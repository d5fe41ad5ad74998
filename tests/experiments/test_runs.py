"""The table of runs, on a sweep of two cells and one run that was stopped; samples of a run."""

import csv
import io
import json

import pytest

from attention_lab.config import Config, replace, to_dict
from attention_lab.storage import checksums, predictions
from attention_lab.storage.files import write_json
from experiments import runs, train


@pytest.fixture
def folder(call, tmp_path):
    for seed in (0, 1):
        assert call(train, "--config=:smoke", f"--config.seed={seed}", f"--workdir={tmp_path}/{seed}")[0] == 0
    (tmp_path / "1" / "result.json").unlink()
    return tmp_path


def test_list_show_and_diff(call, folder):
    status, out, err = call(runs, "list", str(folder))
    rows = [line.split("\t") for line in out.splitlines()]
    assert status == 0 and rows[0] == ["folder", "status", "seed", "dev_bleu", "test_bleu", "train_seconds"]
    assert [row[:3] for row in rows[1:]] == [
        [f"{folder}/0", "finished", "0"], [f"{folder}/1", "unfinished", "1"]]
    status, out, _ = call(runs, "list", str(folder), "--columns=steps", "--sort=steps")
    assert status == 0 and [line.split("\t")[-1] for line in out.splitlines()] == ["steps", "6", "none"]
    status, out, _ = call(runs, "show", f"{folder}/0")
    assert status == 0 and "config.model.width\t16\t(default 128)" in out and "status\tfinished" in out
    assert "command\tpython -m experiments.train" in out
    status, out, _ = call(runs, "diff", f"{folder}/0", f"{folder}/1")
    assert status == 0 and out.splitlines()[:2] == ["config.seed\t0\t1", "status\tfinished\tunfinished"]
    status, out, _ = call(runs, "export", str(folder), f"--out={folder}/all.csv")
    finished, unfinished = csv.DictReader(io.StringIO((folder / "all.csv").read_text()))
    assert (status, out) == (0, f"{folder}/all.csv\n")
    result = json.loads((folder / "0" / "result.json").read_text())
    assert finished["folder"] == f"{folder}/0" and finished["config.model.width"] == "16"
    assert {name: finished[name] for name in result} == {
        name: "" if value is None else str(value) for name, value in result.items()}
    assert unfinished["status"] == "unfinished" and unfinished["config.seed"] == "1"
    assert unfinished["dev_bleu"] == "" and len(finished["text_sha256"]) == 64
    status, _, err = call(runs, "export", str(folder), f"--out={folder}/all.csv")
    assert status == 2 and "is there already" in err
    (folder / "0" / "result.json").write_text('{"status": "fin')
    status, out, err = call(runs, "list", str(folder))
    assert status == 1 and "result.json is damaged" in err and f"{folder}/1" in out


def test_samples_are_what_the_run_wrote(call, tmp_path):
    write_json(tmp_path / "config.json", to_dict(replace(Config(), {"data.text": "raw"})))
    write_json(tmp_path / "result.json", {"status": "finished"})
    predictions.write(tmp_path / "predictions.tsv", [{"source": r"\\server"}])
    older = call(runs, "samples", str(tmp_path))
    assert older[:2] == (0, "source       \\server\n\n")  # an escaped backslash
    write_json(tmp_path / "run.json", {"files": checksums.of(tmp_path, ["predictions.tsv"])})
    assert call(runs, "samples", str(tmp_path))[:2] == (0, "source       \\\\server\n\n")
    predictions.write(tmp_path / "predictions.tsv", [{"source": "another"}])
    status, out, err = call(runs, "samples", str(tmp_path))
    assert (status, out) == (2, "") and "predictions.tsv is not the file that the run wrote" in err


@pytest.mark.parametrize("argv, words", [
    ([], "is not one of list, show, diff"),
    (["lsit"], "'lsit' is not one of list, show, diff"),
    (["show"], "show with 0 folders"),
    (["list", "nowhere"], "nowhere is not a folder of runs"),
    (["list", ".", "--sort=x"], "--sort=x is not among --columns"),
    (["export"], "--out is not given: export writes --out=FILE.csv"),
    (["export", "--out=x.txt"], "x.txt ends in .txt"),
])
def test_what_is_refused(call, argv, words):
    status, _, err = call(runs, *argv)
    assert status == 2 and words in err
