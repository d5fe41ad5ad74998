"""Atomic writes that survive a kill at any moment, and sha256; an OSError names its file."""

import contextlib
import errno
import hashlib
import json
import math
import os
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


def write_text(path: str | Path, text: str) -> None:
    """Writes text in UTF-8 as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | Path, content: bytes) -> None:
    """Writes a file so that a reader sees the old one or the new one, never a part."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.part")
    with naming(path):
        partial.write_bytes(content)
        flush(partial)
        os.replace(partial, path)
        flush(path.parent)


def append(path: str | Path, content: bytes) -> None:
    """Appends bytes to a file and passes all of them to the operating system."""
    with naming(path), open(path, "ab", buffering=0) as file:
        while content:
            # A full disk accepts a part without an error; the next write raises.
            content = content[file.write(content):]


def flush(path: str | Path) -> None:
    """Flushes a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: str | Path, value: Mapping[str, Any]) -> None:
    """Writes one JSON object as `write_text` does; nan and inf, which JSON lacks, become null."""
    write_text(path, json.dumps(plain(value), indent=2, allow_nan=False) + "\n")


def read_json(path: str | Path, needed: Mapping[str, type] = types.MappingProxyType({}),
              optional: Mapping[str, type] = types.MappingProxyType({})) -> dict[str, Any]:
    """The JSON object that a file holds.

    Args:
      needed: the types of values that it must have, by key. optional: of those that it may have.
    Raises:
      ValueError: it holds none, or a value is missing or of another type; the error names the file.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} is damaged: it holds no JSON object")
    for key, kind in {**optional, **needed}.items():
        if key not in value and key in needed:
            raise ValueError(f"{path} is damaged: it has no {key}")
        if key in value and not isinstance(value[key], kind):
            raise ValueError(f"{path} is damaged: its {key} is {json.dumps(value[key])[:40]}")
    return value


def user_cache() -> Path:
    """The folder of attention_lab in the user's cache, which may not exist; OSError without a home folder."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "attention_lab"
    except RuntimeError as error:
        raise FileNotFoundError(errno.ENOENT, "there is no home folder", "~") from error


def digest(path: str | Path) -> str:
    """sha256 of a file's content, in hexadecimal digits."""
    with naming(path), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def text_digest(parts: Iterable[str]) -> str:
    """sha256 of the concatenation of texts, in hexadecimal digits."""
    content = hashlib.sha256()
    for part in parts:
        content.update(part.encode())
    return content.hexdigest()


def short_digest(value: Any) -> str:
    """12 hexadecimal digits that name a value which JSON can hold; the order of keys does not matter."""
    return text_digest([json.dumps(value, sort_keys=True)])[:12]


class JsonLines:
    """A file of JSON objects, one on each line, that grows except when a run returns to a checkpoint.

    Each line is written at once, so that a killed process leaves at most one torn line, the last.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def append(self, record: Mapping[str, Any]) -> None:
        """Adds one line; `record` has a `step`. Numbers that JSON can't hold become null."""
        append(self.path, (json.dumps(plain(record), allow_nan=False) + "\n").encode())

    def rewind(self, step: int) -> None:
        """Drops the lines of steps after `step` and a torn last line; the rest keeps its bytes."""
        if not self.path.exists():
            return
        with naming(self.path), open(self.path, "r+b") as file:
            kept = 0
            for line in file:
                record = _parsed(line)
                if record is None or record["step"] > step:
                    break
                kept += len(line)
            file.truncate(kept)

    def read(self) -> list[dict[str, Any]]:
        """Its lines as records, none where there is no file; a torn last line is left out."""
        if not self.path.exists():
            return []
        with open(self.path, "rb") as file:
            records = [_parsed(line) for line in file]
        return [record for record in records if record is not None]


def plain(value: Any) -> Any:
    """A value as JSON spells it: numpy's and jax's numbers as Python's, nan and inf as None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


@contextlib.contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Puts the file's name into an OSError that lacks one, as that of a full disk does."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("step"), int) else None
