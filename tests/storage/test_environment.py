"""What this machine is, and the settings of jax under which a run may begin and continue."""

import json
import os
import sys

import jax
import pytest

from attention_lab.storage import environment, runs
from tests.storage.conftest import COMMAND, CONFIG, begin, begin_to_train


def test_the_facts_of_this_machine():
    software, hardware = environment.software(), environment.hardware()
    assert software["versions"]["python"] == sys.version.split()[0]
    assert all(software["versions"][name] for name in ("jax", "flax", "optax"))
    assert hardware["devices"] >= 1 and hardware["cores"] >= 1 and hardware["device"]
    assert software["commit"] is None or len(software["commit"]) == 40
    assert {name: hardware["jax_settings"][name] for name in environment.SETTINGS} == environment.SETTINGS
    assert hardware["jax_settings"]["xla_flags"] == os.environ["XLA_FLAGS"]


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
