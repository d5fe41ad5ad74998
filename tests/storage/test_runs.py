"""Run folders: refused, continued, finished, moved aside; a full disk; two processes at once."""

import errno
import json
import os
import subprocess
import sys

import pytest

from attention_lab.config import digest, replace, to_dict
from attention_lab.storage import environment, runs
from tests.storage.conftest import COMMAND, CONFIG, begin, begin_to_train

pytestmark = pytest.mark.usefixtures("machine")


def test_a_new_folder_holds_config_and_facts(tmp_path):
    run = begin(tmp_path / "a" / "b")
    assert json.loads((run.folder / "config.json").read_text()) == json.loads(
        json.dumps(to_dict(CONFIG)))
    facts = json.loads((run.folder / "run.json").read_text())
    assert facts["command"] == COMMAND and facts["hash"] == digest(CONFIG) and facts["seed"] == 0
    assert facts["cores"] == 2 and facts["versions"]["jax"] == "0.7.0"
    assert not run.finished and run.warnings == []


def test_an_unfinished_run_goes_on_without_a_word(tmp_path):
    first = begin_to_train(tmp_path / "run")
    before = (first.folder / "run.json").read_bytes()
    again = begin(tmp_path / "run")
    assert again.warnings == [] and not again.finished
    assert (first.folder / "run.json").read_bytes() == before


def test_a_finished_run_is_found_finished_and_left_alone(tmp_path):
    run = runs.open_run(tmp_path / "run", CONFIG, COMMAND)
    run.finish({"status": "finished", "dev_bleu": 12.5, "loss": float("nan")})
    run.close()
    files = {path: path.read_bytes() for path in run.folder.iterdir() if path.name != runs.LOCK}
    again = begin(tmp_path / "run", replace(CONFIG, {"training.log_every": 7}))
    assert again.finished and again.result == {"status": "finished", "dev_bleu": 12.5, "loss": None}
    assert files == {path: path.read_bytes() for path in files}


def test_another_config_is_refused_by_key_and_both_values(tmp_path):
    begin(tmp_path / "run")
    (tmp_path / "run" / "metrics.jsonl").touch()
    other = replace(CONFIG, {"model.num_heads": 8, "training.steps": 2000})
    with pytest.raises(ValueError, match="another config") as refused:
        begin(tmp_path / "run", other)
    assert "model.num_heads is 4 there and 8 here" in str(refused.value)
    assert "training.steps is 1000 there and 2000 here" in str(refused.value)


def test_paths_and_logging_are_not_another_config_but_paths_are_told(tmp_path):
    config = replace(CONFIG, {"data.source": "tsv", "data.path": "a.tsv"})
    begin_to_train(tmp_path / "run", config)
    run = begin(tmp_path / "run", replace(config, {"training.log_every": 7}))
    assert run.warnings == []
    assert runs.load_run(run.folder, finished=False).config.training.log_every == 7
    run = begin(tmp_path / "run", replace(config, {"data.path": "b.tsv"}))
    assert len(run.warnings) == 1 and "data.path was a.tsv" in run.warnings[0]


def test_another_commit_or_version_is_told_and_noted(tmp_path, machine):
    begin_to_train(tmp_path / "run")
    machine["commit"] = "bbbb"
    machine["versions"] = {"python": "3.11.7", "jax": "0.8.0"}
    run = begin(tmp_path / "run")
    assert "commit was aaaa when the run began and is bbbb now" in run.warnings
    assert any("'jax': '0.7.0'" in one and "python" not in one for one in run.warnings)
    facts = json.loads((run.folder / "run.json").read_text())
    assert facts["commit"] == "aaaa" and facts["continued"][0]["commit"] == "bbbb"


def test_what_differs_is_no_matter_where_nothing_was_trained(tmp_path, machine):
    config = replace(CONFIG, {"data.source": "tsv", "data.path": "mistyped.tsv"})
    begin(tmp_path / "run", config)
    machine["commit"] = "bbbb"
    run = begin(tmp_path / "run", replace(config, {"data.path": "right.tsv"}))
    assert run.warnings == []
    assert json.loads((run.folder / "run.json").read_text())["commit"] == "bbbb"
    assert runs.load_run(run.folder, finished=False).config.data.path == "right.tsv"


def test_rerun_moves_aside_and_deletes_nothing(tmp_path):
    for number in range(3):
        run = runs.open_run(tmp_path / "run", CONFIG, COMMAND, rerun=True)
        assert not run.finished
        run.finish({"number": number})
        run.close()
    found = {path.name: json.loads((path / "result.json").read_text())["number"]
             for path in tmp_path.iterdir()}
    assert found == {"run.1": 0, "run.2": 1, "run": 2}


def test_rerun_moves_no_folder_that_is_not_a_run(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.jsonl").write_text("mine")
    with pytest.raises(ValueError, match="metrics.jsonl"):
        begin(tmp_path / "run", rerun=True)
    assert (tmp_path / "run" / "metrics.jsonl").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("name", ["log.txt", "slurm-17.out", ".gitignore", "notes/a.md", "metrics.jsonl.txt",
                                  "errors.log", "data.json", "pairs.tsv", "profile.png"])
def test_foreign_files_do_no_harm_and_take_none(tmp_path, name):
    path = tmp_path / "run" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    run = runs.open_run(tmp_path / "run", CONFIG, COMMAND)
    run.finish({"status": "finished"})
    run.close()
    assert begin(tmp_path / "run").finished and path.read_text() == "mine"


@pytest.mark.parametrize("name", ["metrics.jsonl", "timing.jsonl", "checkpoints/3/a", "result.json",
                                  "tokenizer.json", "classes.json", "predictions.tsv", "attention.npz",
                                  "attention.png", "curves.png", "view.html", "views/3/a",
                                  "events.out.tfevents.1.2", "abc/config.json"])
def test_foreign_files_that_could_be_a_runs_are_refused_by_name(tmp_path, name):
    path = tmp_path / "run" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(ValueError, match=f"holds {name.partition('/')[0]} but no config.json"):
        begin(tmp_path / "run")
    assert path.read_text() == "mine" and not (tmp_path / "run" / "config.json").exists()


@pytest.mark.parametrize("name", ["config.json", "run.json"])
@pytest.mark.parametrize("text", ['{"model_type": "bert", "model": 1}', "// mine\n{}", "[]", ""])
def test_a_config_of_another_program_is_not_written_over(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=f"holds a {name} that is no run's"):
        begin(tmp_path)
    assert (tmp_path / name).read_text() == text


@pytest.mark.parametrize("left", ["run.json", ".config.json.part", runs.LOCK])
def test_a_folder_whose_run_was_killed_at_birth_is_begun_anew(tmp_path, left):
    (tmp_path / left).write_text('{"command": "train"}')
    run = begin(tmp_path)
    assert runs.load_run(run.folder, finished=False).config == CONFIG


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(ValueError, match="is a file"):
        begin(tmp_path / "run")


@pytest.mark.parametrize("target", ["nowhere", "run"])
def test_a_link_that_leads_nowhere_is_called_one(tmp_path, target):
    (tmp_path / "run").symlink_to(tmp_path / target)
    with pytest.raises(ValueError, match="run is a link that leads to no folder"):
        begin(tmp_path / "run")


def test_two_openings_of_one_folder_are_refused(tmp_path):
    run = runs.open_run(tmp_path / "run", CONFIG, COMMAND)
    with pytest.raises(ValueError, match=f"in use by another process .process {os.getpid()}"):
        runs.open_run(tmp_path / "run", CONFIG, COMMAND)
    with pytest.raises(ValueError, match="in use"):
        runs.open_run(tmp_path / "run", CONFIG, COMMAND, rerun=True)
    run.close()
    begin(tmp_path / "run")


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    code = ("import pathlib, sys; from attention_lab.storage import runs\n"
            "lock = runs._locked(pathlib.Path(sys.argv[1])); print('held', flush=True)\n"
            "sys.stdin.read()")
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match=f"process {child.pid}"):
            begin(tmp_path)
    finally:
        child.kill()
        child.communicate()
    begin(tmp_path)


def test_a_run_is_read_back(tmp_path):
    run = runs.open_run(tmp_path / "run", CONFIG, COMMAND)
    with pytest.raises(ValueError, match="unfinished.*repeat python -m experiments.train"):
        runs.load_run(run.folder)
    assert runs.load_run(run.folder, finished=False).result is None
    run.finish({"status": "finished", "steps": 3})
    back = runs.load_run(run.folder)
    assert back.config == CONFIG and back.result == run.result and back.facts["seed"] == 0


@pytest.mark.parametrize("name, text, said", [
    ("result.json", "{}", "it has no status"), ("result.json", "[]", "no JSON object"),
    ("result.json", "3", "no JSON object"), ("result.json", '{"stat', "damaged"),
    ("result.json", '{"status": null}', "its status is null"),
    ("result.json", '{"status": "finished", "steps": "many"}', 'its steps is "many"'),
    ("result.json", "[" * 100_000, "damaged"), ("run.json", "[]", "no JSON object"),
    ("run.json", '{"data": []}', r"its data is \[\]"),
    ("run.json", '{"jax_settings": 3}', "its jax_settings is 3"),
    ("run.json", '{"continued": {}}', "its continued is {}"), ("run.json", "\0\1", "damaged"),
    ("config.json", "{}", "it is no config of a run")])
def test_a_damaged_file_is_one_line_that_names_it_to_whoever_reads_the_run(tmp_path, name, text, said):
    run = runs.open_run(tmp_path / "run", CONFIG, COMMAND)
    run.finish({"status": "finished", "steps": 3})
    run.close()
    (run.folder / name).write_text(text)
    for read in (runs.load_run, begin):
        with pytest.raises(ValueError, match=f"{name}.*{said}") as error:
            read(run.folder)
        assert "\n" not in str(error.value)
    assert runs.collect(tmp_path) == ([], [str(error.value)])


def test_a_binary_file_is_damaged_and_an_unfinished_run_without_facts_goes_on(tmp_path):
    run = begin_to_train(tmp_path / "run")
    (run.folder / "run.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(ValueError, match="run.json is damaged"):
        begin(run.folder)
    (run.folder / "run.json").write_text("{}")
    assert begin(run.folder).facts["command"] == COMMAND


@pytest.mark.parametrize("text, said", [
    ("{", "damaged"), ("[]", "no JSON object"), ('{"schema": 99}', "schema=99"),
    ('{"schema": 2, "model": {"widht": 3}}', "model.widht"),
    ('{"schema": 2, "model": {"width": "3"}}', "model.width=3 is not an integer"),
    ('{"schema": 2, "model": 3}', "model"),
])
def test_a_damaged_config_is_refused_by_name(tmp_path, text, said):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match="config.json") as refused:
        runs.load_run(tmp_path)
    assert said in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("folder, said", [("none", "no such folder"), ("", "no config.json")])
def test_what_is_not_a_run_is_refused(tmp_path, folder, said):
    with pytest.raises(ValueError, match=said):
        runs.load_run(tmp_path / folder)


def test_a_full_disk_names_its_file_and_leaves_the_folder_free(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError) as raised:
        begin(tmp_path / "run")
    assert raised.value.filename == str(tmp_path / "run" / "run.json")
    monkeypatch.undo()
    monkeypatch.setattr(environment, "hardware", dict)
    begin(tmp_path / "run")


def test_a_damaged_result_is_not_taken_for_a_finished_run(tmp_path):
    run = begin(tmp_path / "run")
    (run.folder / "result.json").write_text("")
    with pytest.raises(ValueError, match="result.json is damaged"):
        begin(tmp_path / "run")


def test_the_default_folder_is_named_by_what_was_changed():
    folder = runs.default_folder("translation", CONFIG)
    assert folder.parts == ("runs", "translation", digest(CONFIG))


def test_another_config_takes_over_a_folder_where_nothing_was_trained(tmp_path):
    begin(tmp_path / "run").close()
    other = replace(CONFIG, {"model.num_heads": 8})
    begin(tmp_path / "run", other).close()
    assert runs.load_run(tmp_path / "run", finished=False).config == other


def test_a_folder_that_cannot_be_searched_is_said(tmp_path, monkeypatch):
    begin(tmp_path / "a" / "run")
    (tmp_path / "b").mkdir()
    real = os.scandir

    def scandir(path):
        if os.path.basename(path) == "b":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found, damaged = runs.collect(tmp_path)
    assert [run.folder.name for run in found] == ["run"]
    assert damaged == [f"{tmp_path}/b: Permission denied"]
