"""Checkpoints that survive a kill, a full disk and a flipped byte.

    checkpoints/<step>/state/          arrays, written by orbax under their names in the state
                       host.json       the host's bookkeeping: best score, patience
                       manifest.json   sha256 of every other file

A checkpoint is written into a folder beside, flushed to disk and renamed into place, so that a
step's folder is whole or absent. When it is read the manifest is checked first: orbax restores a
flipped byte to wrong values without a word. One process writes; `restore` and `steps` write nothing.
"""

import contextlib
import errno
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from attention_lab.storage.files import digest

LOG = logging.getLogger(__name__)


class _Damaged(Exception):
    """A checkpoint that is not what was saved; the message says why."""


def save(folder: str | Path, step: int, state: Any, host: dict) -> None:
    """Writes one checkpoint, in place of one of the same step and of all later ones.

    Args:
      folder: the run's `checkpoints`, made where it is missing.
      step: optimizer steps done.
      state: a pytree of arrays that this process can address.
      host: what JSON can hold.

    Raises:
      OSError: it could not be written; the error names it, and earlier checkpoints are untouched.
    """
    folder = Path(folder)
    beside = folder / f".saving-{step}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _clean(folder)
        beside.mkdir()
        _write_arrays(beside / "state", state)
        (beside / "host.json").write_text(json.dumps(host, sort_keys=True) + "\n")
        files = {str(path.relative_to(beside)): digest(path) for path in _files(beside)}
        (beside / "manifest.json").write_text(
            json.dumps({"files": files}, indent=1, sort_keys=True) + "\n")
        for path in [*beside.rglob("*"), beside]:
            _flush(path)
        # What lies at this step or after it belongs to a past that was given up.
        for old in steps(folder):
            if old >= step:
                _set_aside(folder, old)
        beside.rename(folder / str(step))
        _flush(folder)
        _clean(folder)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise OSError(error.errno or errno.EIO, f"checkpoint not saved: {error.strerror or error}",
                      str(folder / str(step))) from error


def restore(folder: str | Path, template: Any, step: int | None = None
            ) -> tuple[int, Any, dict] | None:
    """Reads the newest checkpoint that is whole; each one that is not costs a line of warning.

    Args:
      folder: the run's `checkpoints`.
      template: a pytree of arrays or `jax.ShapeDtypeStruct`s: the shapes and types to expect, and
        the sharding to give (none: the first device), be it on other devices than those that saved.
      step: read this checkpoint and no other.

    Returns:
      (step, state, host), the state bit for bit as saved; None where nothing whole is there.

    Raises:
      ValueError: a whole checkpoint holds other arrays than the template.
    """
    found = steps(folder) if step is None else [step]
    for candidate in reversed(found):
        path = Path(folder) / str(candidate)
        try:
            _check(path)
        except _Damaged as damage:
            LOG.warning("checkpoint %s is skipped: %s", path, damage)
            continue
        state = _read_arrays(path / "state", template)
        return candidate, state, json.loads((path / "host.json").read_text())
    if found and step is None:
        LOG.warning("no checkpoint under %s is whole: there is nothing to go on from", folder)
    return None


def steps(folder: str | Path) -> list[int]:
    """Steps that have a checkpoint, rising; whether each is whole is not looked at."""
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
    """Holds a checkpoint against its manifest; raises _Damaged."""
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
        with _orbax(use_compression=False) as writer:
            writer.save(path.absolute(), arrays)
    except ValueError as error:  # tensorstore's OSError
        code = re.search(r"os_error_code='(\d+)'", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1])), str(path)) from None


def _reserve(path: Path, size: int) -> None:
    """Asks the disk for room and gives it back: OSError at once if there is none.

    Orbax meets a full disk in many threads at a time, which print a traceback each.
    """
    if hasattr(os, "posix_fallocate"):  # not on macOS
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        path.unlink()


def _read_arrays(path: Path, template: Any) -> Any:
    expected = {name: (tuple(leaf.shape), np.dtype(leaf.dtype))
                for name, leaf in _named(template).items()}
    with _orbax() as reader:
        stored = reader.metadata(path.absolute()).item_metadata.tree
        stored = {name: (tuple(leaf.shape), np.dtype(leaf.dtype)) for name, leaf in stored.items()}
        for name in sorted({*stored, *expected}):
            if stored.get(name) != expected.get(name):
                raise ValueError(f"checkpoint {path.parent} holds {name} as "
                                 f"{_text(stored.get(name))}, the model expects "
                                 f"{_text(expected.get(name))}")
        arrays = reader.restore(path.absolute())

    def place(key, leaf):
        name = jax.tree_util.keystr(key, simple=True, separator="/")
        array = arrays.get(name, np.zeros(leaf.shape, leaf.dtype))
        return jax.device_put(array, getattr(leaf, "sharding", None))

    return jax.tree_util.tree_map_with_path(place, template)


def _text(kind: tuple | None) -> str:
    return "nothing" if kind is None else f"{kind[1]}{list(kind[0])}"


@contextlib.contextmanager
def _orbax(**options) -> Iterator[Any]:
    """An orbax checkpointer whose log, tracebacks of its threads included, stays off the screen."""
    import orbax.checkpoint  # here, since it takes a second that --help need not wait for

    loggers = [logging.getLogger(name) for name in ("absl", "asyncio")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        with orbax.checkpoint.PyTreeCheckpointer(**options) as checkpointer:
            yield checkpointer
    finally:
        for logger, disabled in zip(loggers, before):
            logger.disabled = disabled


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _flush(path: Path) -> None:
    """Has the kernel put a file or a folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_aside(folder: Path, step: int) -> None:
    """Takes a checkpoint out of sight in one move, to be deleted at leisure by `_clean`."""
    (folder / str(step)).rename(folder / f".removing-{step}")


def _clean(folder: Path) -> None:
    """Deletes what a killed save or deletion left behind."""
    for pattern in (".saving-*", ".removing-*"):
        for path in folder.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)
