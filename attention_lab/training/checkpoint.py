"""Checkpoints that survive a kill, a full disk and a flipped byte.

    checkpoints/<step>/state/          arrays, written by orbax under their names in the state
                       host.json       the host's progress: best score, patience
                       manifest.json   sha256 of every other file

A checkpoint is written into a temporary folder, flushed to disk and renamed, so that a step's folder is
complete or absent. When it is read the manifest is checked first: orbax restores a flipped byte to wrong
values without an error. `read_back` detects what the manifest can't: that orbax can't read what it wrote. One
process writes; `restore` and `steps` write nothing.
"""

import contextlib
import errno
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from attention_lab.storage.errors import one_line
from attention_lab.storage.files import digest, flush
from attention_lab.storage.later import Later

orbax = Later("orbax.checkpoint")
LOG = logging.getLogger(__name__)


class _Damaged(Exception):
    """A checkpoint that differs from what was saved; the message gives the reason."""


def save(folder: str | Path, step: int, state: Any, host: dict) -> None:
    """Writes one checkpoint, which replaces those of the same and of later steps.

    Args:
      folder: the run's `checkpoints`, made where it is missing.
      state: a pytree of arrays that this process can address. host: what JSON can hold.
    Raises:
      OSError: it could not be written; the error names it, and earlier checkpoints are untouched.
    """
    folder = Path(folder)
    partial = folder / f".saving-{step}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _clean(folder)
        partial.mkdir()
        _write_arrays(partial / "state", state)
        (partial / "host.json").write_text(json.dumps(host, sort_keys=True) + "\n")
        files = {str(path.relative_to(partial)): digest(path)
                 for path in partial.rglob("*") if path.is_file()}
        (partial / "manifest.json").write_text(json.dumps({"files": files}, indent=1, sort_keys=True) + "\n")
        for path in [*partial.rglob("*"), partial]:
            flush(path)
        # Checkpoints of this step or later are from before the run went back to an earlier one.
        for old in steps(folder):
            if old >= step:
                _set_aside(folder, old)
        partial.rename(folder / str(step))
        flush(folder)
        _clean(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise OSError(error.errno or errno.EIO, f"checkpoint not saved: {error.strerror or error}",
                      str(folder / str(step))) from error


def restore(folder: str | Path, template: Any, step: int | None = None
            ) -> tuple[int, Any, dict] | None:
    """Reads the newest intact checkpoint; warns of each damaged one.

    Args:
      folder: the run's `checkpoints`.
      template: a pytree of arrays or `jax.ShapeDtypeStruct`s: the shapes and types to expect, and the
        sharding to restore to (none: the first device), perhaps on other devices than those that saved.
      step: read this checkpoint and no other.
    Returns:
      (step, state, host), the state bit for bit as saved; None if there is no intact checkpoint.
    Raises:
      ValueError: an intact checkpoint holds other arrays than the template.
    """
    candidates = steps(folder) if step is None else [step]
    for candidate in reversed(candidates):
        path = Path(folder) / str(candidate)
        try:
            _check(path)
            state = _read_arrays(path / "state", template)
        except _Damaged as damage:
            LOG.warning("checkpoint %s is skipped: %s", path, damage)
            continue
        return candidate, state, json.loads((path / "host.json").read_text())
    if candidates and step is None:
        LOG.warning("no checkpoint under %s is whole: there is nothing to continue from", folder)
    return None


def read_back(folder: str | Path, step: int, state: Any) -> None:
    """Reads a checkpoint just saved and compares it with its state; what differs is deleted.

    Raises:
      OSError: it can't be read, or is not the state bit for bit.
    """
    path = Path(folder) / str(step)
    try:
        _check(path)
        read = _read_arrays(path / "state", state)
        same = jax.tree.map(lambda a, b: np.asarray(a).tobytes() == np.asarray(b).tobytes(), read, state)
        problem = "" if all(jax.tree.leaves(same)) else "other numbers than were written"
    except (_Damaged, ValueError) as error:
        problem = one_line(error)
    if problem:
        _set_aside(Path(folder), step)
        _clean(Path(folder))
        raise OSError(errno.EIO, f"a checkpoint written here can't be read back ({problem}): give another "
                                 "folder", str(path))


def steps(folder: str | Path) -> list[int]:
    """Steps that have a checkpoint, rising; damaged ones are included."""
    if not Path(folder).is_dir():
        return []
    return sorted(int(path.name) for path in Path(folder).iterdir()
                  if path.name.isascii() and path.name.isdigit())


def prune(folder: str | Path, keep: int, best_step: int | None = None) -> None:
    """Deletes all checkpoints but the newest `keep` and the one of `best_step`."""
    for step in steps(folder)[:-keep]:
        if step != best_step:
            _set_aside(Path(folder), step)
    _clean(Path(folder))


def _check(path: Path) -> None:
    """Compares a checkpoint with its manifest; raises _Damaged."""
    try:
        files = json.loads((path / "manifest.json").read_bytes())["files"]
        for name in {"host.json", *files}:
            if digest(path / name) != files[name]:
                raise _Damaged(f"{name} is not the file that was saved")
    except FileNotFoundError as error:
        raise _Damaged(f"{Path(error.filename).relative_to(path)} is missing") from error
    except OSError as error:
        raise _Damaged(f"can't be read: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _Damaged("manifest.json is garbled") from error


def _named(tree: Any) -> dict[str, Any]:
    """Leaves by their path, such as `params/encoder/kernel`; orbax can't store those of size 0."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf
            for path, leaf in leaves if 0 not in np.shape(leaf)}


def _write_arrays(path: Path, state: Any) -> None:
    # Host copies take orbax half the time of device arrays, and random weights don't compress.
    arrays = {name: np.asarray(leaf) for name, leaf in jax.device_get(_named(state)).items()}
    _reserve(path.parent / "room", sum(array.nbytes for array in arrays.values()) + 2**20)
    try:
        with _orbax(use_compression=False) as writer, _plain(path) as plain:
            writer.save(plain, arrays)
    except ValueError as error:  # tensorstore's OSError
        code = re.search(r"os_error_code='(\d+)'", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1])), str(path)) from None


def _reserve(path: Path, size: int) -> None:
    """OSError if the disk is full: orbax would notice it in many threads, which print a traceback each."""
    if hasattr(os, "posix_fallocate"):  # not on macOS
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        path.unlink()


def _read_arrays(path: Path, template: Any) -> Any:
    expected = _kinds(_named(template))
    with _orbax() as reader, _plain(path) as plain:
        with _as_damage():
            stored = _kinds(reader.metadata(plain).item_metadata.tree)
        for name in sorted({*stored, *expected}):
            if stored.get(name) != expected.get(name):
                raise ValueError(f"checkpoint {path.parent} holds {name} as {stored.get(name, 'nothing')}, "
                                 f"the model expects {expected.get(name, 'nothing')}")
        with _as_damage():
            arrays = reader.restore(plain)

    def to_device(key, leaf):
        name = jax.tree_util.keystr(key, simple=True, separator="/")
        array = arrays.get(name, np.zeros(leaf.shape, leaf.dtype))
        return jax.device_put(array, getattr(leaf, "sharding", None))

    return jax.tree_util.tree_map_with_path(to_device, template)


def _kinds(leaves: dict[str, Any]) -> dict[str, str]:
    """Types and shapes, such as float32[7, 11]."""
    return {name: f"{np.dtype(leaf.dtype)}{list(leaf.shape)}" for name, leaf in leaves.items()}


@contextlib.contextmanager
def _plain(path: Path) -> Iterator[Path]:
    """The same path under a name that orbax takes as it is.

    orbax reads `[1]`, `*` and a backslash as a pattern and `gs:/` as a protocol, in any folder above.
    """
    path = path.absolute()
    if re.fullmatch(r"[\w/.,+=@ -]*", str(path), re.ASCII):
        yield path
        return
    with tempfile.TemporaryDirectory() as beside:
        link = Path(beside) / "checkpoint"
        link.symlink_to(path.parent, target_is_directory=True)
        yield link / path.name


@contextlib.contextmanager
def _as_damage() -> Iterator[None]:
    """Converts any exception of orbax while reading into _Damaged."""
    try:
        yield
    except Exception as error:
        raise _Damaged(f"orbax can't read it: {type(error).__name__}: {one_line(error)}") from error


@contextlib.contextmanager
def _orbax(**options) -> Iterator[Any]:
    """An orbax checkpointer of this process; its log, tracebacks of threads included, is off the screen."""
    alone = orbax.options.MultiprocessingOptions(
        primary_host=jax.process_index(), active_processes={jax.process_index()})
    loggers = [logging.getLogger(name) for name in ("absl", "asyncio")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        handler = orbax.PyTreeCheckpointHandler(multiprocessing_options=alone, **options)
        with orbax.Checkpointer(handler, multiprocessing_options=alone) as checkpointer:
            yield checkpointer
    finally:
        for logger, disabled in zip(loggers, before):
            logger.disabled = disabled


def _set_aside(folder: Path, step: int) -> None:
    """Hides a checkpoint in one move, so that `_clean` may delete it."""
    (folder / str(step)).rename(folder / f".removing-{step}")


def _clean(folder: Path) -> None:
    """Deletes the remains of a killed save or deletion."""
    for pattern in (".saving-*", ".removing-*"):
        for path in folder.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)
