"""Run folders: refused, continued, finished, moved aside; a full disk; two processes at once."""

import errno
import json
import os
import subprocess
import sys

import jax
import pytest

from attention_lab.config import Config, digest, replace, to_dict
from attention_lab.storage import environment, runs

CONFIG = replace(Config(), {"model.width": 32})
COMMAND = "python -m experiments.train --config=x.py"


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A fixed machine, so that a test can change it, and git and jax aren't asked each time."""
    facts = {"versions": {"python": "3.11.7", "jax": "0.7.0"}, "commit": "aaaa",
             "uncommitted_changes": False}
    monkeypatch.setattr(environment, "software", lambda: dict(facts))
    monkeypatch.setattr(environment, "hardware",
                        lambda: {"device": "cpu", "devices": 1, "cores": 2})
    return facts


def begin(folder, config=CONFIG, **keywords):
    """Opens a run and lets go of it."""
    run = runs.open_run(folder, config, COMMAND, **keywords)
    run.close()
    return run


def begin_to_train(folder, config=CONFIG):
    """Opens a run and leaves the log of a first step in it."""
    run = begin(folder, config)
    (run.folder / "metrics.jsonl").write_text('{"step": 1}\n')
    return run


def test_a_new_folder_holds_config_and_facts(tmp_path):
    run = begin(tmp_path / "a" / "b", facts={"train_pairs": 7})
    assert json.loads((run.folder / "config.json").read_text()) == json.loads(
        json.dumps(to_dict(CONFIG)))
    facts = json.loads((run.folder / "run.json").read_text())
    assert facts["command"] == COMMAND and facts["hash"] == digest(CONFIG) and facts["seed"] == 0
    assert facts["train_pairs"] == 7 and facts["cores"] == 2 and facts["versions"]["jax"] == "0.7.0"
    assert not run.finished and run.warnings == []


def test_the_facts_of_this_machine(monkeypatch):
    monkeypatch.undo()
    software, hardware = environment.software(), environment.hardware()
    assert software["versions"]["python"] == sys.version.split()[0]
    assert all(software["versions"][name] for name in ("jax", "flax", "optax"))
    assert hardware["devices"] >= 1 and hardware["cores"] >= 1 and hardware["device"]
    assert software["commit"] is None or len(software["commit"]) == 40
    assert {name: hardware["jax_settings"][name] for name in environment.SETTINGS} == environment.SETTINGS
    assert hardware["jax_settings"]["xla_flags"] == os.environ["XLA_FLAGS"]


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


@pytest.fixture
def setting(machine, monkeypatch):
    """Sets one of jax's settings for the test, and has the machine tell of it."""
    before = {name: jax.config.values[name] for name in environment.SETTINGS}

    def change(name, value):
        jax.config.update(name, value)
        monkeypatch.setattr(environment, "hardware", lambda: {
            "device": "cpu", "devices": 1, "cores": 2, "jax_settings": environment.settings()})

    yield change
    for name, value in before.items():
        jax.config.update(name, value)


OTHERS = [("jax_enable_x64", True), ("jax_default_prng_impl", "rbg"), ("jax_threefry_partitionable", False),
          ("jax_default_matmul_precision", "bfloat16"), ("jax_random_seed_offset", 3),
          ("jax_disable_most_optimizations", True)]


@pytest.mark.parametrize("name, value", OTHERS)
@pytest.mark.parametrize("known", [True, False], ids=["recorded", "of an older version"])
def test_a_run_does_not_go_on_under_other_settings_of_jax(tmp_path, setting, name, value, known):
    default = environment.SETTINGS[name]
    assert jax.config.values[name] == default
    if known:
        setting(name, default)
    begin_to_train(tmp_path / "run")
    setting(name, value)
    said = f"{name.upper()} was {default} when the run began and is {value} .*: unset it"
    with pytest.raises(ValueError, match=said):
        begin(tmp_path / "run")
    setting(name, default)
    assert begin(tmp_path / "run").warnings == []


def test_a_run_that_began_under_other_settings_goes_on_under_them_alone(tmp_path, setting):
    setting("jax_default_prng_impl", "rbg")
    run = begin_to_train(tmp_path / "run")
    facts = json.loads((run.folder / "run.json").read_text())
    assert facts["jax_settings"]["jax_default_prng_impl"] == "rbg"
    assert begin(tmp_path / "run").warnings == []
    setting("jax_default_prng_impl", "threefry2x32")
    with pytest.raises(ValueError, match="JAX_DEFAULT_PRNG_IMPL was rbg when the run began and is threefry"):
        begin(tmp_path / "run")


def test_64_bits_are_refused_before_a_folder_is_made(tmp_path, setting):
    setting("jax_enable_x64", True)
    with pytest.raises(ValueError, match="JAX_ENABLE_X64 is set"):
        begin(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_that_began_in_64_bits_goes_on_in_them(tmp_path, setting):
    run = begin_to_train(tmp_path / "run")
    facts = json.loads((run.folder / "run.json").read_text())
    (run.folder / "run.json").write_text(json.dumps(facts | {"jax_settings": {"jax_enable_x64": True}}))
    with pytest.raises(ValueError, match="JAX_ENABLE_X64 was True when the run began and is False now"):
        begin(tmp_path / "run")
    setting("jax_enable_x64", True)
    begin(tmp_path / "run")


def test_a_finished_run_is_left_alone_under_any_settings(tmp_path, setting):
    run = runs.open_run(tmp_path / "run", CONFIG, COMMAND)
    run.finish({"status": "finished"})
    run.close()
    setting("jax_default_prng_impl", "rbg")
    assert begin(tmp_path / "run").finished


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
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="thesis.txt"):
        begin(tmp_path, rerun=True)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("left", ["run.json", ".config.json.part", runs.LOCK])
def test_a_folder_whose_run_was_killed_at_birth_is_begun_anew(tmp_path, left):
    (tmp_path / left).write_text("{")
    run = begin(tmp_path)
    assert runs.load_run(run.folder, finished=False).config == CONFIG


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(ValueError, match="is a file"):
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
    run.finish({"steps": 3})
    back = runs.load_run(run.folder)
    assert back.config == CONFIG and back.result == {"steps": 3} and back.facts["seed"] == 0


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
