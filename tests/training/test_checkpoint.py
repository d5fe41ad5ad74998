"""Checkpoints: bit for bit, whole or absent, on any number of devices."""

import errno
import json
import logging
import os
import resource
import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from attention_lab.training import checkpoint
from attention_lab.training.state import State, create

HOST = {"best_score": 0.1 + 0.2, "best_step": 5, "patience": 2}


def a_state(seed: int = 0) -> State:
    keys = iter(jax.random.split(jax.random.key(seed), 8))
    params = {"encoder": {"layer_0": {"kernel": jax.random.normal(next(keys), (7, 11)),
                                      "bias": jnp.array([-0.0, jnp.nan, jnp.inf, 1e-45])}},
              "half": jax.random.normal(next(keys), (5, 3), jnp.bfloat16),
              "hash": jnp.array([2**32 - 1, 7], jnp.uint32),
              "gain": jnp.float32(0.1),
              "list": [jnp.array([True, False]), jnp.arange(13, dtype=jnp.int8)],
              "empty": jnp.zeros((0, 3))}
    floats = {name: params[name] for name in ("encoder", "half", "gain")}
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3))
    state = create(floats, optimizer, average_decay=0.9)
    return State(jnp.int32(17), params, state.opt_state, state.average)


def bits(tree) -> list:
    return [(jax.tree_util.keystr(path), str(leaf.dtype), leaf.shape, np.asarray(leaf).tobytes())
            for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]


@pytest.fixture(name="three", scope="module")
def _three(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    for step in (5, 10, 20):
        checkpoint.save(folder, step, a_state(step), {**HOST, "at": step})
    return folder


@pytest.fixture(name="folder")
def _folder(three, tmp_path) -> Path:
    """A folder with checkpoints of steps 5, 10 and 20, each of its own arrays."""
    return shutil.copytree(three, tmp_path / "checkpoints")


def biggest(folder: Path) -> Path:
    return max((path for path in folder.rglob("*") if path.is_file()),
               key=lambda path: path.stat().st_size)


def test_restored_is_saved_bit_for_bit(tmp_path):
    state = a_state()
    checkpoint.save(tmp_path, 17, state, HOST)
    template = jax.eval_shape(a_state)
    step, restored, host = checkpoint.restore(tmp_path, template)
    assert (step, host) == (17, HOST)
    assert bits(restored) == bits(state)
    assert jax.tree.structure(restored) == jax.tree.structure(state)
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(restored))


def test_nothing_saved_is_none_and_silent(tmp_path, caplog):
    assert checkpoint.restore(tmp_path / "absent", a_state()) is None
    assert checkpoint.steps(tmp_path / "absent") == []
    assert not caplog.records


def test_newest_or_the_step_asked_for(folder):
    assert checkpoint.restore(folder, a_state())[0] == 20
    step, state, host = checkpoint.restore(folder, a_state(), step=10)
    assert step == 10 and host["at"] == 10 and bits(state) == bits(a_state(10))
    assert checkpoint.restore(folder, a_state(), step=11) is None


def flip(folder):
    path = biggest(folder)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(folder):
    os.truncate(biggest(folder), 10)


def lose_manifest(folder):
    (folder / "manifest.json").unlink()


def lose_array_file(folder):
    biggest(folder).unlink()


def garble_manifest(folder):
    (folder / "manifest.json").write_text('{"files": {"host.js')


def change_host(folder):
    (folder / "host.json").write_text('{"best_score": 1.0}')


@pytest.mark.parametrize("harm", [flip, truncate, lose_manifest, lose_array_file, garble_manifest,
                                  change_host])
def test_damage_falls_back_with_one_line(folder, caplog, capfd, harm):
    harm(folder / "20")
    with caplog.at_level(logging.INFO):
        step, state, host = checkpoint.restore(folder, a_state())
    assert step == 10 and host["at"] == 10 and bits(state) == bits(a_state(10))
    line, = [record.getMessage() for record in caplog.records]
    assert str(folder / "20") in line and "\n" not in line
    assert "Traceback" not in capfd.readouterr().err


def test_all_damaged_is_none_with_a_warning(folder, caplog):
    for step in checkpoint.steps(folder):
        truncate(folder / str(step))
    assert checkpoint.restore(folder, a_state()) is None
    assert len(caplog.records) == 4 and "nothing to continue from" in caplog.records[-1].getMessage()


def test_a_new_save_replaces_damaged_later_steps(folder):
    flip(folder / "20")
    checkpoint.save(folder, 15, a_state(15), HOST)
    assert checkpoint.steps(folder) == [5, 10, 15]
    checkpoint.prune(folder, keep=1)
    assert bits(checkpoint.restore(folder, a_state())[1]) == bits(a_state(15))


def test_saving_a_step_again_replaces_it(folder):
    checkpoint.save(folder, 20, a_state(99), {})
    step, state, host = checkpoint.restore(folder, a_state())
    assert (step, host) == (20, {}) and bits(state) == bits(a_state(99))


def test_prune_keeps_the_newest_and_the_best(folder):
    checkpoint.save(folder, 30, a_state(30), HOST)
    checkpoint.prune(folder, keep=2, best_step=5)
    assert sorted(path.name for path in folder.iterdir()) == ["20", "30", "5"]
    checkpoint.prune(folder, keep=2)
    assert checkpoint.steps(folder) == [20, 30]
    checkpoint.prune(folder, keep=5)
    assert checkpoint.steps(folder) == [20, 30]


def test_left_overs_of_a_killed_save_are_ignored_then_cleaned(folder):
    (folder / ".saving-30" / "state").mkdir(parents=True)
    (folder / ".saving-30" / "host.json").write_text("{}")
    (folder / ".removing-1").mkdir()
    assert checkpoint.restore(folder, a_state())[0] == 20
    checkpoint.save(folder, 40, a_state(), HOST)
    assert sorted(path.name for path in folder.iterdir()) == ["10", "20", "40", "5"]


@pytest.mark.parametrize("name", ["os.fsync", "os.posix_fallocate", "pathlib.Path.rename",
                                  "pathlib.Path.write_text"])
def test_a_full_disk_is_an_error_and_loses_nothing(folder, monkeypatch, name):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(name, full)
        with pytest.raises(OSError, match="No space left") as caught:
            checkpoint.save(folder, 30, a_state(), HOST)
    assert caught.value.errno == errno.ENOSPC and str(folder / "30") in str(caught.value)
    assert sorted(path.name for path in folder.iterdir()) == ["10", "20", "5"]
    assert bits(checkpoint.restore(folder, a_state())[1]) == bits(a_state(20))


def test_a_disk_that_refuses_is_told_without_tracebacks(folder, capfd):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    try:
        with pytest.raises(OSError, match="not saved") as caught:
            checkpoint.save(folder, 30, {"x": jnp.ones((700, 701))}, HOST)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.errno == errno.EFBIG
    assert capfd.readouterr().err == ""
    assert checkpoint.steps(folder) == [5, 10, 20]


def test_other_arrays_than_the_model_expects_are_refused(folder):
    wrong = a_state()
    wrong.params["encoder"]["layer_0"]["kernel"] = jnp.ones((7, 13))
    with pytest.raises(ValueError, match=r"params/encoder/layer_0/kernel as float32\[7, 11\]"):
        checkpoint.restore(folder, wrong)
    wrong = a_state()
    wrong.params["hash"] = wrong.params["hash"].astype(jnp.int32)
    with pytest.raises(ValueError, match="params/hash as uint32"):
        checkpoint.restore(folder, wrong)
    wrong = a_state()
    del wrong.params["gain"]
    with pytest.raises(ValueError, match="params/gain .* expects nothing"):
        checkpoint.restore(folder, wrong)


def test_other_devices_than_those_that_saved(tmp_path):
    rng = np.random.default_rng(0)
    state = {name: jnp.asarray(rng.normal(size=size).astype(np.float32))
             for name, size in {"rows": (8, 3), "all": (32, 32)}.items()}
    checkpoint.save(tmp_path, 3, state, {})

    mesh = jax.make_mesh((4,), ("data",), axis_types=(AxisType.Auto,))
    places = {"rows": NamedSharding(mesh, PartitionSpec("data")),
              "all": NamedSharding(mesh, PartitionSpec())}
    template = {name: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=places[name])
                for name, leaf in state.items()}
    _, spread, _ = checkpoint.restore(tmp_path, template)
    assert {name: leaf.sharding for name, leaf in spread.items()} == places
    # Donated, as the loop does: replicas that shared memory would be doubled twice.
    spread = jax.jit(lambda tree: jax.tree.map(lambda x: x * 2, tree), donate_argnums=0)(spread)
    for one in spread["all"].addressable_shards:
        assert np.array_equal(one.data, 2 * np.asarray(state["all"]))
    checkpoint.save(tmp_path, 4, spread, {})

    step, twice, _ = checkpoint.restore(tmp_path, state)
    assert step == 4 and all(len(leaf.devices()) == 1 for leaf in twice.values())
    assert bits(twice) == bits(jax.tree.map(lambda x: x * 2, state))


def test_manifest_lists_every_file(folder):
    files = json.loads((folder / "20" / "manifest.json").read_text())["files"]
    present = {str(path.relative_to(folder / "20")) for path in (folder / "20").rglob("*")
               if path.is_file()}
    assert present == {"manifest.json", *files}


@pytest.mark.parametrize("name", ["x[1]", "a*b", "a**b", "a?b", "a b", "é中", "50%", "a%20b", "a\\b", "gs:",
                                  "{1}", "s3:", "q'\"", "a\nb", "#1", "[!a]", "\udcff"])
def test_any_folder_name_can_be_read_back(tmp_path, name):
    folder = tmp_path / name / "checkpoints"
    (tmp_path / "x1" / "checkpoints").mkdir(parents=True)  # what x[1] means as a pattern
    state = {"x": jnp.arange(3), "y": jnp.ones((2, 2))}
    checkpoint.save(folder, 3, state, HOST)
    checkpoint.read_back(folder, 3, state)
    step, restored, host = checkpoint.restore(folder, state)
    assert (step, host) == (3, HOST) and bits(restored) == bits(state)
    assert {path.name for path in tmp_path.iterdir()} == {"x1", name}


@pytest.mark.parametrize("fault", [
    lambda self, path: (_ for _ in ()).throw(AttributeError("'NoneType' object has no attribute 'tree'")),
    lambda self, path: {"x": np.arange(3) + 1}])
def test_what_cannot_be_read_back_is_told_and_deleted(folder, monkeypatch, fault):
    state = {"x": jnp.arange(3)}
    checkpoint.save(folder, 30, state, HOST)
    monkeypatch.setattr("orbax.checkpoint.Checkpointer.restore", fault)
    with pytest.raises(OSError, match="can't be read back .*: give another folder") as caught:
        checkpoint.read_back(folder, 30, state)
    assert caught.value.filename == str(folder / "30") and "\n" not in str(caught.value)
    assert checkpoint.steps(folder) == [5, 10, 20]


def test_a_checkpoint_that_orbax_cannot_read_is_skipped(folder, monkeypatch, caplog):
    read = orbax.checkpoint.Checkpointer.restore

    def restore(self, path):
        if path.parent.name == "20":
            raise KeyError("chunk")
        return read(self, path)

    monkeypatch.setattr("orbax.checkpoint.Checkpointer.restore", restore)
    assert checkpoint.restore(folder, a_state())[0] == 10
    assert "20 is skipped: orbax can't read it: KeyError: 'chunk'" in caplog.text
