"""A finished run as one folder that other programs read: parameters, config and tokenizer.

    model.safetensors, model.npz   arrays by their names, joined by "/": "encoder_0/heads/query_kernel"
    model.bin and its like         instead: what `ctranslate2.Translator` reads; its tokens are ids as numbers
    attention_lab.json             the config, as a run's config.json has it
    tokenizer.json, classes.json   as the run has them; Hugging Face `tokenizers` reads the first
"""

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from attention_lab.config import to_dict
from attention_lab.config.choices import look_up
from attention_lab.storage import checksums
from attention_lab.storage.files import naming, write_json
from attention_lab.storage.later import Later
from attention_lab.tasks.load import Trained
from attention_lab.tasks.translation import to_ctranslate2

safetensors = Later("safetensors.numpy")
CONFIG = "attention_lab.json"


def named(params: Any) -> dict[str, np.ndarray]:
    """{name: array} of the leaves of a pytree of dicts, names joined by "/".

    >>> list(named({"norm": {"scale": np.ones(3)}, "embedding": np.ones((5, 3))}))
    ['embedding', 'norm/scale']
    """
    leaves = jax.tree_util.tree_leaves_with_path(params)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): np.asarray(leaf) for path, leaf in leaves}


def tree(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The pytree that `named` took apart."""
    whole: dict[str, Any] = {}
    for name, array in arrays.items():
        *folders, last = name.split("/")
        inner = whole
        for folder in folders:
            inner = inner.setdefault(folder, {})
        inner[last] = array
    return whole


def _safetensors(trained: Trained, folder: Path) -> None:
    arrays = {name: np.ascontiguousarray(array) for name, array in named(trained.params).items()}
    safetensors.save_file(arrays, folder / "model.safetensors")


def _npz(trained: Trained, folder: Path) -> None:
    np.savez(folder / "model.npz", **named(trained.params))


def _ctranslate2(trained: Trained, folder: Path) -> None:
    translator = trained.translator
    to_ctranslate2.convert(translator.model, trained.params, translator.hyper.attention_scale,
                           translator.tokenizer, folder)


class Format(NamedTuple):
    """Fields: write, (Trained, folder) -> None; package, that it needs and pip installs, "" for none."""

    write: Callable[[Trained, Path], None]
    package: str = ""


FORMATS = {
    "safetensors": Format(_safetensors, package="safetensors"),
    "npz": Format(_npz),
    "ctranslate2": Format(_ctranslate2, package="ctranslate2"),
}


def check(to: str) -> None:
    """ValueError for a format that is not in FORMATS, or whose package is not installed."""
    package = look_up(FORMATS, "to", to).package
    if package and importlib.util.find_spec(package) is None:
        raise ValueError(f"to={to}: {package} is not installed: pip install 'attention-lab[export]'")


def export(trained: Trained, to: str, folder: str | os.PathLike) -> list[str]:
    """Writes a trained model into a new folder, all or nothing; returns the names of its files.

    Args:
      to: a key of FORMATS.
    Raises:
      ValueError: as of `check`; a folder that is there; a model that the format does not have.
      OSError: the folder can't be written.
    """
    check(to)
    folder = Path(folder)
    if os.path.lexists(folder):
        raise ValueError(f"{folder} is there already: give the name of a new folder, for nothing is replaced")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with naming(folder), tempfile.TemporaryDirectory(prefix=".export-", dir=folder.parent) as beside:
        part = Path(beside) / "part"
        part.mkdir()
        FORMATS[to].write(trained, part)
        write_json(part / CONFIG, to_dict(trained.run.config))
        for name in checksums.MODEL:
            if (trained.run.folder / name).exists():
                shutil.copyfile(trained.run.folder / name, part / name)
        part.rename(folder)
    return sorted(path.name for path in folder.iterdir())


def read(folder: str | os.PathLike) -> Any:
    """The parameters in a folder that `export` wrote as safetensors or npz; ValueError for another."""
    folder = Path(folder)
    if (folder / "model.npz").exists():
        with np.load(folder / "model.npz") as arrays:
            return tree(dict(arrays))
    if (folder / "model.safetensors").exists():
        check("safetensors")
        return tree(safetensors.load_file(folder / "model.safetensors"))
    raise ValueError(f"{folder} has neither model.safetensors nor model.npz")
