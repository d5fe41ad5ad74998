"""Reads the content of the files that a config names; storage/content.py says what it is used for."""

import functools
import hashlib
import os
from pathlib import Path

from attention_lab.config import Config, Data, get
from attention_lab.config.registries import SOURCES
from attention_lab.data import sources
from attention_lab.data.lines import check_file, unpacked
from attention_lab.storage.content import Content
from attention_lab.storage.files import digest

READ = 16  # corpora whose digests are kept
GUIDE = "result.json"  # written last, once and for all, so it tells one finished run from any other


def content_of(config: Config) -> Content:
    """The content of the files of a config; one that can't be read has a `problem` instead of an error."""
    try:
        sha256 = ""
        source = SOURCES[config.data.source]
        location = source.location
        if location and (get(config, location) or not source.generated):
            sha256 = _corpus_digest(config.data, _stamp(get(config, location)))
        of_files = _files(config)
        return Content(sha256, {key: text for key, (text, _) in of_files.items()},
                       {key: packed for key, (text, packed) in of_files.items() if packed != text})
    except ValueError as error:
        return Content(problem=str(error))


def files(config: Config) -> dict[str, str]:
    """{config field: sha256} of the files besides the corpus that a run is trained with, unpacked.

    Raises:
      ValueError: one that can't be read, or a guide that is no finished run.
    """
    return {key: text for key, (text, _) in _files(config).items()}


def _files(config: Config) -> dict[str, tuple[str, str]]:
    """{config field: sha256 of the unpacked file, and of the file as it is}."""
    named = {"data.vectors": config.data.vectors, "attention.guide": config.attention.guide}
    digests = {}
    for key, path in named.items():
        try:
            if path:
                check_file(path)
                file = str(Path(path) / GUIDE) if key == "attention.guide" else path
                digests[key] = _digests(file, _stamp(file))
        except OSError as error:
            raise ValueError(f"{key}={path}: can't be read: {error.strerror}") from error
    return digests


@functools.lru_cache(READ)
def _digests(path: str, stamp: tuple) -> tuple[str, str]:
    """sha256 of a file's content, unpacked and as it is."""
    as_it_is = digest(path)
    with unpacked(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), as_it_is


@functools.lru_cache(READ)
def _corpus_digest(data: Data, stamp: tuple) -> str:
    """`sources.digest` of the splits that a run reads."""
    splits = tuple(dict.fromkeys(("train", "dev", data.split)))
    corpus = sources.load(data, splits)
    return sources.digest({split: corpus[split] for split in splits})


def _stamp(path: str) -> tuple:
    """Size, time and inode of a file or of all files of a folder: they change with the content."""
    below, seen = [], set()
    for folder, folders, names in os.walk(path, followlinks=True):
        seen.add(os.path.realpath(folder))
        # A link to a folder above would never end.
        folders[:] = [name for name in folders if os.path.realpath(os.path.join(folder, name)) not in seen]
        below += [os.path.join(folder, file) for file in names]
    stamps = []
    for file in sorted(below) or [path]:
        try:
            status = os.stat(file)
            stamps.append((file, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino))
        except OSError:
            pass  # reading the file raises the error
    return tuple(stamps)
