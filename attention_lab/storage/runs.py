"""One run = one folder: opened, locked, found finished or continued, and read back.

    config.json     the resolved Config        run.json      command, versions, commit, device
    metrics.jsonl   a line per logged step     timing.jsonl  wall-clock, kept apart from metrics
    result.json     written last, atomically: the run is finished
"""

import dataclasses
import fcntl
import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from attention_lab.config import Config, differences, digest, from_dict, get, to_dict
from attention_lab.config.rules import check, show
from attention_lab.storage import environment
from attention_lab.storage.files import naming, plain, read_json, write_json

LOCK = "run.lock"


class InUse(ValueError):
    """Another process has the run folder open."""


@dataclasses.dataclass
class Run:
    """A run folder.

    Fields:
      folder: where it lives.
      config: what the run does.
      facts: what run.json says.
      result: what result.json says; None while unfinished.
      data_moved: whether the data's path is another than when the run began.
      warnings: what a user should know before going on with a folder that was there already.
    """

    folder: Path
    config: Config
    facts: dict[str, Any]
    result: dict[str, Any] | None = None
    warnings: list[str] = dataclasses.field(default_factory=list)
    data_moved: bool = False
    lock: IO | None = None

    @property
    def finished(self) -> bool:
        """Whether result.json, which is written last, is there."""
        return self.result is not None

    def note(self, facts: Mapping[str, Any]) -> None:
        """Adds facts to run.json, such as what the data turned out to be."""
        self.facts |= plain(facts)
        write_json(self.folder / "run.json", self.facts)

    def finish(self, result: Mapping[str, Any]) -> None:
        """Writes result.json: call it when everything else is written."""
        self.result = plain(result)
        write_json(self.folder / "result.json", self.result)

    def close(self) -> None:
        """Lets another process open the folder, as the end of this one does, however it ends."""
        if self.lock is not None:
            self.lock.close()
            self.lock = None


def default_folder(experiment: str, config: Config) -> Path:
    """runs/<experiment>/<hash>, where a run lives unless it is told otherwise."""
    return Path("runs") / experiment / digest(config)


def open_run(folder: str | Path, config: Config, command: str,
             facts: Mapping[str, Any] | None = None, rerun: bool = False) -> Run:
    """Opens the folder of a new run or of one begun before, and keeps other processes out of it.

    A finished run comes back with its result and nothing is written. One begun before keeps its
    run.json; where code or machine differ, that is among the warnings and added to run.json.

    Args:
      folder: made if it is not there.
      config: what the run is to do.
      command: the line that started it.
      facts: more for run.json, beside what environment.py finds out.
      rerun: moves a folder that is there aside (to `folder.1`, `.2` ...) and starts anew.
    Raises:
      ValueError: the folder holds another config, or files that are no run; or settings of jax that change
        numbers are others than when the run began.
      InUse: a ValueError too, where another process has it open.
      OSError: it can't be made or written; the error names the file.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file: give a folder, or a name that is not taken")
    if rerun and (folder / "config.json").exists():
        _move_aside(folder)
    if not (folder / "config.json").exists():
        environment.check_settings()
    folder.mkdir(parents=True, exist_ok=True)
    lock = _locked(folder)
    try:
        now = {"command": command, "hash": digest(config), "seed": config.seed,
               **environment.software(), **plain(facts or {})}
        if (folder / "config.json").exists():
            return _reopened(Run(folder, config, now, lock=lock))
        return _begun(Run(folder, config, now, lock=lock))
    except BaseException:
        lock.close()
        raise


def load_run(folder: str | Path, finished: bool = True) -> Run:
    """Reads a run folder back, for programs that only look: nothing is locked or written.

    Raises:
      ValueError: there is no run, its files are damaged, or it is unfinished; with finished=False
        an unfinished one is given too.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a run folder: there is no such folder")
    if not (folder / "config.json").exists():
        raise ValueError(f"{folder} is not a run folder: it has no config.json")
    facts = read_json(folder / "run.json") if (folder / "run.json").exists() else {}
    run = Run(folder, _read_config(folder), facts)
    if (folder / "result.json").exists():
        run.result = read_json(folder / "result.json")
    elif finished:
        raise ValueError(f"{folder} is unfinished (it has no result.json): to finish it, repeat "
                         f"{facts.get('command', 'the command that began it')}")
    return run


def collect(parent: str | Path) -> tuple[list[Run], list[str]]:
    """Every run under a folder, by path, the unfinished ones too; and a line for each that is damaged.

    Raises:
      ValueError: there is no such folder.
    """
    parent = Path(parent)
    if not parent.is_dir():
        raise ValueError(f"{parent} is not a folder of runs: there is no such folder")
    found, damaged = [], []
    for path in sorted(parent.rglob("config.json")):
        try:
            found.append(load_run(path.parent, finished=False))
        except ValueError as error:
            damaged.append(str(error))
    return found, damaged


def _begun(run: Run) -> Run:
    others = [path.name for path in sorted(run.folder.iterdir()) if not _leftover(path.name)]
    if others:
        raise ValueError(f"{run.folder} holds {others[0]} but no config.json, so it is no run: "
                         "give an empty folder, or a name that is not taken")
    run.note(environment.hardware())
    write_json(run.folder / "config.json", to_dict(run.config))
    return run


def _reopened(run: Run) -> Run:
    # Where nothing is trained yet, as after data that could not be read, nothing has to match.
    trained = any((run.folder / name).exists() for name in ("result.json", "metrics.jsonl",
                                                            "checkpoints"))
    if not trained:
        environment.check_settings()
        run.note(environment.hardware())
        write_json(run.folder / "config.json", to_dict(run.config))
        return run
    held = _read_config(run.folder)
    changed = differences(held, run.config)
    if changed:
        said = [f"{key} is {show(was)} there and {show(now)} here"
                for key, (was, now) in list(changed.items())[:3]]
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise ValueError(f"{run.folder} holds another config: {'; '.join(said)}{more}. Give "
                         "another folder, or --rerun to move this one aside")
    if (run.folder / "result.json").exists():
        run.result = read_json(run.folder / "result.json")
    else:
        run.facts |= environment.hardware()
    now, before = run.facts, {}
    if (run.folder / "run.json").exists():
        before = read_json(run.folder / "run.json")
    if not run.finished:
        environment.check_settings(before.get("jax_settings", {}))
    names = [name for name in ("commit", "uncommitted_changes", "versions", "device", "devices", "cores",
                               "jax_settings") if name in before and name in now]
    moved = {name: now[name] for name in names if now[name] != before[name]}
    run.warnings = _data_moved(held, run.config)
    run.data_moved = bool(run.warnings)
    run.warnings += [
        f"{name} was {was} when the run began and is {is_now} now"
        for name, value in moved.items() for was, is_now in [_unlike(before[name], value)]]
    run.facts = now | before
    if not run.finished:
        if held != run.config:
            write_json(run.folder / "config.json", to_dict(run.config))
        if moved or not before:
            run.note({"continued": [*before.get("continued", []), moved]} if before else {})
    return run


def _data_moved(held: Config, config: Config) -> list[str]:
    # Paths do not name a run, so a finished run on other sentences would pass for this one unseen.
    return [f"{key} was {show(get(held, key))} when the run began and is {show(get(config, key))} now"
            for key in ("data.directory", "data.path") if get(held, key) != get(config, key)]


def _unlike(was: Any, now: Any) -> tuple[Any, Any]:
    """Two values, or of two dicts the entries that differ."""
    if not (isinstance(was, dict) and isinstance(now, dict)):
        return was, now
    names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    return {name: was.get(name) for name in names}, {name: now.get(name) for name in names}


def _read_config(folder: Path) -> Config:
    path = folder / "config.json"
    tree = read_json(path)
    try:
        config = from_dict(tree)
        check(config)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return config


def _leftover(name: str) -> bool:
    """Whether a file may stand in a folder whose run was stopped before its config was written."""
    return name in (LOCK, "run.json", ".run.json.part", ".config.json.part")


def _locked(folder: Path) -> IO:
    """The lock file, held until closed: the system lets go of it when the process ends."""
    path = folder / LOCK
    with naming(path):
        file = open(path, "a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between open and lock another process may have moved the folder aside.
        if path.stat().st_ino != os.fstat(file.fileno()).st_ino:
            raise BlockingIOError
    except (BlockingIOError, FileNotFoundError):
        file.seek(0)
        holder = file.read().strip()
        file.close()
        who = f" ({holder})" if holder else ""
        raise InUse(f"{folder} is in use by another process{who}: wait for it to end, or give "
                    "another folder") from None
    with naming(path):
        file.truncate(0)
        file.write(f"process {os.getpid()}\n")
        file.flush()
    return file


def _move_aside(folder: Path) -> None:
    lock = _locked(folder)
    whole = folder.absolute()
    numbered = (whole.with_name(f"{whole.name}.{number}") for number in itertools.count(1))
    whole.rename(next(name for name in numbered if not name.exists()))
    lock.close()
