"""Bad input: refused in one line with status 2 and nothing lost, or counted and gone on with."""

import errno
import gzip
import json
import os

import pytest

from experiments import evaluate, train, translate

pytestmark = pytest.mark.once

SMOKE = "--config=:smoke"
# Greedy: a beam search would be compiled for every size of vocabulary.
SMALL = ["--config.data.dev_size=3", "--config.data.test_size=3", "--config.decoding.beam=1"]
TSV = ["--config=:tsv,smoke", "--config.data.tokenizer=word", *SMALL]


def refused(answer, *parts):
    status, out, err = answer
    assert status == 2 and out == ""
    last = err.strip().splitlines()[-1]
    assert "Traceback" not in err and ": error: " in last
    for part in parts:
        assert part in last, last


@pytest.mark.parametrize("flag, parts", [
    ("--config.model.num_headz=2", ["model.num_headz", "model.num_heads"]),
    ("--config.model.width=wide", ["model.width", "wide", "an integer"]),
    ("--config.model.num_heads=3", ["model.num_heads=3", "model.width=16", "1,2,4,8,16"]),
    ("--config.training.dropout=2", ["training.dropout=2", "from 0 to 0.95"]),
    ("--config.model.norm=middle", ["model.norm=middle", "pre, post, none"]),
    ("--workdri=x", ["--workdri", "--workdir"]),
    ("--config.training.devices=99", ["training.devices=99", "4 are visible"]),
    ("--config.training.accumulate=3", ["training.accumulate=3", "rows in multiples of 16"]),
])
def test_a_wrong_flag(call, tmp_path, flag, parts):
    refused(call(train, SMOKE, f"--workdir={tmp_path}/run", flag), *parts)
    assert not (tmp_path / "run" / "metrics.jsonl").exists() or not (
        tmp_path / "run" / "metrics.jsonl").read_text()


def test_a_config_file_or_variant_that_is_not_there(call):
    refused(call(train, "--config=configs/translations.py"), "translations.py", "translation.py")
    refused(call(train, "--config=:smok"), "smok", "smoke")


def multi30k(folder, english, french, names=("train", "val", "test_2016_flickr")):
    folder.mkdir()
    for name in names:
        (folder / f"{name}.lc.norm.tok.en").write_bytes(english)
        (folder / f"{name}.lc.norm.tok.fr").write_bytes(french)
    return f"--config.data.directory={folder}"


def test_a_data_folder_that_cannot_be_used(call, tmp_path):
    command = [train, "--config=:multi30k,smoke", f"--workdir={tmp_path}/run"]
    refused(call(*command), "data.directory is not set")
    refused(call(*command, f"--config.data.directory={tmp_path}/none"), f"{tmp_path}/none", "No such file")
    (tmp_path / "file").write_text("")
    refused(call(*command, f"--config.data.directory={tmp_path}/file"), "Not a directory")
    refused(call(*command, multi30k(tmp_path / "a", b"a\nb\n", b"a\n")), "has 2 lines", "has 1;")
    refused(call(*command, multi30k(tmp_path / "b", b"a\nb\xff\n", b"a\nb\n")),
            "line 2 is not UTF-8 (byte 0xff)")
    refused(call(*command, multi30k(tmp_path / "c", b"\n", b"\n")), "empty corpus")
    refused(call(*command, multi30k(tmp_path / "d", b"a\n", b"b\n", ("train", "val"))), "lacks a file")
    half = gzip.compress(b"a\n" * 99)[:-9]
    flag = multi30k(tmp_path / "e", half, half)
    refused(call(*command, flag), "damaged gzip")


@pytest.mark.parametrize("content, parts", [
    (b"a\tb\nno tab\n", ["line 2 has no tab"]),
    (b"a\tb\tc\n", ["line 1 has 2 tabs"]),
    (b"", ["empty corpus"]),
    (b"a\tb\nc\td\n", ["data.dev_size=3", "leave none of 2"]),
    (b"a\tb\n\xe9\td\n", ["line 2 is not UTF-8 (byte 0xe9)"]),
])
def test_a_tsv_that_cannot_be_used(call, tsv, tmp_path, content, parts):
    refused(call(train, *TSV, f"--config.data.path={tsv(content)}",
                 f"--workdir={tmp_path}/run"), *parts)


def test_a_folder_that_holds_another_config(call, tmp_path):
    run = f"--workdir={tmp_path}/run"
    assert call(train, SMOKE, run)[0] == 0
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    refused(call(train, SMOKE, run, "--config.seed=1"), "seed is 0 there and 1 here", "--rerun")
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before
    status, out, err = call(train, SMOKE, run)
    assert status == 0 and "is finished" in err and "dev_bleu" in out


def test_translate_and_evaluate_want_a_finished_run(call, tmp_path):
    refused(call(translate, f"--run={tmp_path}/none"), "there is no such folder")
    refused(call(translate, f"--run={tmp_path}"), "it has no config.json")
    refused(call(translate), "--run is required")
    assert call(train, SMOKE, f"--workdir={tmp_path}/run")[0] == 0
    (tmp_path / "run" / "result.json").rename(tmp_path / "result.json")
    for program in (translate, evaluate):
        refused(call(program, f"--run={tmp_path}/run", stdin=b"a\n"), "unfinished",
                "python -m experiments.train")
    (tmp_path / "run" / "result.json").write_text('{"status": "diverged"}')
    refused(call(translate, f"--run={tmp_path}/run"), "diverged")


def test_a_full_disk_is_one_line_and_the_run_goes_on_later(call, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    run = f"--workdir={tmp_path}/run"
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        refused(call(train, SMOKE, run), "No space left on device", f"{tmp_path}/run")
    assert call(train, SMOKE, run)[0] == 0


def test_a_folder_that_cannot_be_written(call, tmp_path):
    (tmp_path / "taken").write_text("")
    refused(call(train, SMOKE, f"--workdir={tmp_path}/taken"), f"{tmp_path}/taken is a file")
    refused(call(train, SMOKE, f"--workdir={tmp_path}/taken/run"), "Not a directory")


def test_oddities_are_counted_and_gone_on_with(call, tsv, tmp_path):
    lines = [f"the dog {i} sees\tle chien {i} voit" for i in range(40)]
    lines[3] += "\r"
    lines[5:5] = ["", " \t "]
    lines += ["the " * 60 + "\t" + "le " * 60]
    status, out, err = call(train, *TSV, f"--workdir={tmp_path}/run",
                            f"--config.data.path={tsv(chr(10).join(lines).encode())}")
    assert status == 0
    assert "1 cr line end, 2 empty lines" in err
    assert "1 pair is longer than 16 tokens and left out" in err
    assert " never seen in training" in err
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["data"]["too_long"] == 1 and facts["data"]["train_empty_lines"] == 2


def test_a_damaged_checkpoint_costs_one_line(call, tmp_path):
    run, whole = tmp_path / "run", tmp_path / "whole"
    for folder in (run, whole):
        assert call(train, SMOKE, f"--workdir={folder}")[0] == 0
    (run / "result.json").unlink()
    newest = max((run / "checkpoints").iterdir(), key=lambda path: int(path.name))
    victim = max((path for path in newest.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    status, out, err = call(train, SMOKE, f"--workdir={run}")
    assert status == 0 and "Traceback" not in err and "continuing from step 3" in err
    assert (run / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()
    assert (run / "predictions.tsv").read_bytes() == (whole / "predictions.tsv").read_bytes()


def test_a_refused_command_does_not_stand_in_the_way_of_the_right_one(call, tsv, tmp_path):
    command = [train, "--config=:tsv,smoke", *SMALL, f"--config.data.path={tmp_path}/pairs.tsv",
               f"--workdir={tmp_path}/run"]
    refused(call(*command, "--config.data.vocabulary_size=8"), "data.vocabulary_size: 8 is too small")
    assert call(*command, "--config.data.vocabulary_size=80")[0] == 0


def test_another_file_is_not_taken_for_the_same_run(call, tsv, tmp_path):
    path = tsv(b"".join(f"the dog {i} sees\tle chien {i} voit\n".encode() for i in range(40)))
    command = [train, *TSV, f"--workdir={tmp_path}/run"]
    assert call(*command, f"--config.data.path={path}")[0] == 0
    other = tmp_path / "other.tsv"
    other.write_bytes(path.read_bytes().replace(b"dog", b"cat"))
    refused(call(*command, f"--config.data.path={other}"), "was trained on other data", "--rerun")
    other.write_bytes(path.read_bytes())
    assert call(*command, f"--config.data.path={other}")[0] == 0
    (tmp_path / "run" / "result.json").unlink()
    path.write_bytes(path.read_bytes().replace(b"dog", b"cat"))
    refused(call(*command, f"--config.data.path={path}"), "was trained on other data")


def test_a_damaged_best_checkpoint_leaves_a_run_that_translates(call, tmp_path):
    run = tmp_path / "run"
    assert call(train, SMOKE, f"--workdir={run}")[0] == 0
    result = json.loads((run / "result.json").read_text())
    best = run / "checkpoints" / str(result["best_step"])
    (run / "result.json").unlink()
    (best / "host.json").write_text("{}")
    status, _, err = call(train, SMOKE, f"--workdir={run}")
    assert status == 0 and "Traceback" not in err
    status, out, _ = call(translate, f"--run={run}", stdin=b"the dog sees .\n")
    assert status == 0 and out.count("\n") == 1


def test_minutes_are_said_to_be_beyond_repeating(call, tmp_path):
    refused(call(train, SMOKE, "--config.training.max_minutes=1", "--config.optimizer.schedule=cosine"),
            "optimizer.schedule=cosine has to know its end")
    status, _, err = call(train, SMOKE, "--config.training.max_minutes=0.0001", f"--workdir={tmp_path}/run")
    assert status == 0 and "can't be reproduced" in err


@pytest.mark.parametrize("flags, parts", [
    (["--config.data.keys=12", "--config.data.values=9"],
     ["data.keys=12 and data.values=9 overlap", "20 ids"]),
    (["--config.data.pairs=11"], ["data.pairs=11", "10 keys", "at least 26 ids"]),
    (["--config.data.queries=5"], ["data.queries=5", "at most 4"]),
])
def test_keys_and_values_that_do_not_fit(call, tmp_path, flags, parts):
    refused(call(train, "--config=configs/recall.py:mqar,smoke", f"--workdir={tmp_path}/run", *flags), *parts)
    assert not (tmp_path / "run" / "metrics.jsonl").exists()
