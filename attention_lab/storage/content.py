"""The content of the files that a config names: part of a run's name, checked whenever it is opened."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attention_lab.config import PATHS, Config, digest, get, name
from attention_lab.config.values import show
from attention_lab.storage.files import read_json, short_digest


@dataclasses.dataclass(frozen=True)
class Content:
    """The content of the files of a config.

    Fields:
      sha256: of the text of its corpus, as `sources.digest` gives it; "" for a corpus that is generated.
      files: sha256 of the other files, unpacked, by config field.
      packed: sha256 of those that are packed as they are, which is what older versions recorded.
      problem: why they can't be read, or "".
    """

    sha256: str = ""
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    packed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    problem: str = ""

    @property
    def name(self) -> str:
        """12 hexadecimal digits; "" where the config names no file, or they can't be read."""
        return self._name(self.files)

    @property
    def older_name(self) -> str:
        """The name as older versions made it, of packed files as they are."""
        return self._name({**self.files, **self.packed})

    def unpacked(self, recorded: Mapping[str, str]) -> dict[str, str]:
        """Recorded sha256 by config field; where one is of a packed file as it is, that of its content."""
        return {key: self.files[key] if key in self.packed and sha256 == self.packed[key] else sha256
                for key, sha256 in recorded.items()}

    def _name(self, files: Mapping[str, str]) -> str:
        known = self.sha256 or files
        return short_digest([self.sha256, dict(files)]) if known and not self.problem else ""


def folder_of(parent: str | Path, config: Config, content: Content) -> Path:
    """The folder of a run: named by config and content, or as older versions did.

    These named it by the config alone, or by packed files as they are; such a folder is only taken if its run
    was trained on this content. Where the content can't be read: the finished run of the same paths, if there
    is one, or else a name for these paths that no other run has.
    """
    older = Path(parent) / digest(config)
    if content.problem:
        finished = (folder for folder in _of_paths(parent, config) if (folder / "result.json").exists())
        nameless = older.with_name(name(config, short_digest([get(config, key) for key in PATHS])))
        return next(finished, nameless if older.exists() else older)
    newer = Path(parent) / name(config, content.name)
    named = (newer.with_name(name(config, content.older_name)), older)
    return newer if newer.exists() else next((folder for folder in named if _agrees(folder, content)), newer)


def of_other_content(parent: str | Path, config: Config, content: Content) -> list[Path]:
    """Folders of runs of this config and these paths that were trained on content that has changed since."""
    if not content.name:
        return []
    here = folder_of(parent, config, content)
    return [folder for folder in _of_paths(parent, config)
            if folder != here and not _agrees(folder, content) and (folder / "checkpoints").exists()]


def changed(recorded: Mapping[str, Any], now: Content, config: Config) -> str:
    """Describes the content that changed since a run was trained; "" if none did or it is not recorded.

    recorded: `data` in run.json.
    """
    if now.problem:
        return ""
    if now.sha256 and recorded.get("sha256", now.sha256) != now.sha256:
        given = [key for key in ("data.path", "data.directory") if get(config, key)]
        where = " and ".join(f"{key}={show(get(config, key))}" for key in given) or "the corpus"
        return (f"was trained on other data (its text has another sha256 than {where} has now: this was "
                "changed, or is another corpus)")
    before = now.unpacked(recorded.get("files", {}))
    for key, sha256 in now.files.items():
        if before.get(key, sha256) != sha256:
            return f"was trained by other content of {key} than that file has now (its sha256 differs)"
    return ""


def _of_paths(parent: str | Path, config: Config) -> list[Path]:
    """Folders of runs of a config and its paths, whatever the content of the files."""
    named = Path(parent).glob(name(config, "*"))
    paths = {key: get(config, key) for key in PATHS}
    return [folder for folder in (Path(parent) / digest(config), *sorted(named))
            if _read(folder / "config.json") and paths == _paths(_read(folder / "config.json"))]


def _paths(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tree.get(group, {}).get(field, "") for key in PATHS for group, field in [key.split(".")]}


def _agrees(folder: Path, content: Content) -> bool:
    """Whether a run folder records training on this content."""
    recorded = _read(folder / "run.json").get("data") or {}
    return recorded.get("sha256") == (content.sha256 or recorded.get("sha256")) and (
        content.unpacked(recorded.get("files", {})) == dict(content.files) and bool(recorded))


def _read(path: Path) -> dict[str, Any]:
    """A JSON object; {} where there is none that can be read."""
    try:
        return read_json(path)
    except (OSError, ValueError):
        return {}
