"""One run = one folder: opened and locked, continued unless it is finished, and read back.

    config.json     the resolved Config        run.json      command, versions, commit, device
    metrics.jsonl   a line per logged step     timing.jsonl  wall-clock, kept apart from metrics
    result.json     written last, atomically: the run is finished
"""

import dataclasses
import fcntl
import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from attention_lab.config import PATHS, Config, differences, digest, from_dict, get, to_dict
from attention_lab.config.rules import check
from attention_lab.config.values import show
from attention_lab.storage import checksums, environment
from attention_lab.storage.content import Content
from attention_lab.storage.content import changed as changed_content
from attention_lab.storage.content import folder_of
from attention_lab.storage.errors import one_line
from attention_lab.storage.files import naming, plain, read_json, write_json

LOCK = "run.lock"
# Facts of run.json whose change a user is warned of.
COMPARED = ("commit", "uncommitted_changes", "versions", "device", "devices", "cores", "jax_settings")
# Files that a run writes after its config, besides events.*.
FILES = ("metrics.jsonl", "timing.jsonl", "tokenizer.json", "classes.json", "checkpoints", "predictions.tsv",
         "attention.npz", "attention.png", "curves.png", "view.html", "views", "result.json")
CONFIG_KEYS = ("data", "model", "training")  # in every version's config.json, and in that of no other program
FACTS = {"command": str, "versions": dict, "jax_settings": dict, "data": dict, "continued": list, "how": str,
         "files": dict, "config": str}


class InUse(ValueError):
    """Another process has the run folder open."""


@dataclasses.dataclass
class Run:
    """A run folder.

    Fields:
      facts: what run.json says. result: what result.json says; None while unfinished.
      content: present content of the files that the config names; empty where it was not read.
      warnings: lines for the user, before the run is continued.
    """

    folder: Path
    config: Config
    facts: dict[str, Any]
    result: dict[str, Any] | None = None
    warnings: list[str] = dataclasses.field(default_factory=list)
    content: Content = Content()
    lock: IO | None = None

    @property
    def finished(self) -> bool:
        """Whether result.json, which is written last, is there."""
        return self.result is not None

    def note(self, facts: Mapping[str, Any]) -> None:
        """Adds facts to run.json, such as sizes of the data."""
        self.facts |= plain(facts)
        write_json(self.folder / "run.json", self.facts)

    def finish(self, result: Mapping[str, Any]) -> None:
        """Writes result.json: call it when everything else is written."""
        self.result = plain(result)
        write_json(self.folder / "result.json", self.result)

    def close(self) -> None:
        """Releases the lock, as the end of the process does, so that another one may open the folder."""
        if self.lock is not None:
            self.lock.close()
            self.lock = None


def default_folder(experiment: str, config: Config, content: Content = Content()) -> Path:
    """runs/<experiment>/<name>, the folder of a run without --workdir; see `folder_of`."""
    return folder_of(Path("runs") / experiment, config, content)


def open_run(folder: str | Path, config: Config, command: str, rerun: bool = False,
             content: Content = Content()) -> Run:
    """Opens and locks the folder of a new run or of an earlier one.

    A finished run is returned with its result; nothing is written. An unfinished one keeps its run.json;
    differences in code or machine are added to run.json and to the warnings.

    Args:
      folder: made if it is missing.
      command: the line that started it.
      rerun: moves an existing run aside (to `folder.1`, `.2` ...) and starts anew.
      content: of the files that the config names, compared with that on which the run was trained.
    Raises:
      ValueError: the folder holds another config, a run that was trained on other content, files named like
        a run's without a config, other files than the run wrote, or another run; or settings of jax that
        change numbers differ from those under which the run began.
      InUse: a ValueError, if another process has it open.
      OSError: it can't be made or written; the error names the file.
    """
    folder = Path(folder)
    if os.path.lexists(folder) and not folder.is_dir():
        what = "a link that leads to no folder" if folder.is_symlink() else "a file"
        raise ValueError(f"{folder} is {what}: give a folder, or a name that is not taken")
    if rerun and (folder / "config.json").exists():
        _move_aside(folder)
    if not _trained(folder):
        environment.check_settings()
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(folder, config, {"command": command, "hash": digest(config), "seed": config.seed,
                               **environment.software()}, content=content, lock=_locked(folder))
    try:
        if _trained(folder):
            _continue(run)
        else:
            _begin(run)
    except BaseException:
        run.close()
        raise
    return run


def load_run(folder: str | Path, finished: bool = True) -> Run:
    """Reads a run folder; nothing is locked or written.

    Raises:
      ValueError: there is no run, its files are damaged, or it is unfinished and `finished` is True.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a run folder: there is no such folder")
    if not (folder / "config.json").exists():
        raise ValueError(f"{folder} is not a run folder: it has no config.json")
    facts = _read_facts(folder)
    run = Run(folder, _read_config(folder), facts)
    if (folder / "result.json").exists():
        run.result = read_result(folder)
    elif finished:
        raise ValueError(f"{folder} is unfinished (it has no result.json): to finish it, repeat "
                         f"{facts.get('command', 'the command that began it')}")
    return run


def collect(parent: str | Path) -> tuple[list[Run], list[str]]:
    """Every run under a folder, unfinished ones included, by path; and a line for each unreadable run."""
    parent = Path(parent)
    if not parent.is_dir():
        raise ValueError(f"{parent} is not a folder of runs: there is no such folder")
    runs, damaged = [], []
    walk = os.walk(parent, onerror=lambda error: damaged.append(one_line(error)))
    for folder in sorted(Path(folder) for folder, _, names in walk if "config.json" in names):
        try:
            runs.append(load_run(folder, finished=False))
        except (ValueError, OSError) as error:
            damaged.append(one_line(error))
    return runs, damaged


def read_result(folder: str | Path) -> dict[str, Any]:
    """The content of result.json of a run folder; ValueError, naming it, if it is not a run's result."""
    return read_json(Path(folder) / "result.json", {"status": str}, {"steps": int, "best_step": int})


def _read_facts(folder: Path) -> dict[str, Any]:
    """The content of run.json; {} if there is none."""
    path = folder / "run.json"
    return read_json(path, optional=FACTS) if path.exists() else {}


def _trained(folder: Path) -> bool:
    return (folder / "config.json").exists() and any(
        (folder / name).exists() for name in ("result.json", "metrics.jsonl", "checkpoints"))


def _begin(run: Run) -> None:
    """Writes config and facts; those of an earlier start that trained nothing need not match."""
    for name, keys in (("config.json", CONFIG_KEYS), ("run.json", ["command"])):
        if (run.folder / name).exists() and not _has_keys(run.folder / name, keys):
            raise ValueError(f"{run.folder} holds a {name} that is no run's and would be written over: give "
                             "another folder")
    if not (run.folder / "config.json").exists():
        for path in sorted(run.folder.iterdir()):
            if _like_a_run(path):
                raise ValueError(f"{run.folder} holds {path.name} but no config.json, so it is no run and "
                                 f"{path.name} would be taken for this run's: give another folder")
    run.note(environment.hardware())
    write_json(run.folder / "config.json", to_dict(run.config))


def _continue(run: Run) -> None:
    """Reads a run's records and warns of differences; nothing is written into a finished run."""
    recorded = _read_config(run.folder)
    fields = {key: pair for key, pair in differences(recorded, run.config).items() if key not in PATHS}
    if fields:
        listed = [f"{key} is {show(there)} there and {show(here)} here"
                  for key, (there, here) in list(fields.items())[:3]]
        more = f" and {len(fields) - 3} more" if len(fields) > 3 else ""
        raise ValueError(f"{run.folder} holds another config: {'; '.join(listed)}{more}. Give "
                         "another folder, or --rerun to move this one aside")
    before = _read_facts(run.folder)
    if (run.folder / "result.json").exists():
        run.result = read_result(run.folder)
    else:
        run.facts |= environment.hardware()
        environment.check_settings(before.get("jax_settings", {}))
        if (run.folder / "checkpoints").exists():  # without one they are made again
            checksums.check(run.folder, before, checksums.MODEL)
    changed = {name: run.facts[name] for name in COMPARED
               if name in before and name in run.facts and run.facts[name] != before[name]}
    # Paths are not part of a run's name, so a finished run on other sentences would be taken for this one.
    if trained_on := changed_content(before.get("data", {}), run.content, run.config):
        raise ValueError(f"{run.folder} {trained_on}: give another --workdir, or --rerun to move this one "
                         "aside")
    moved = {key: (get(recorded, key), get(run.config, key)) for key in PATHS
             if get(recorded, key) != get(run.config, key)}
    if moved and run.content.problem:
        raise ValueError(run.content.problem)
    pairs = {key: (show(was), show(now)) for key, (was, now) in moved.items()} | {
        name: _unlike(before[name], now) for name, now in changed.items()}
    run.warnings = [f"{name} was {was} when the run began and is {now} now"
                    for name, (was, now) in pairs.items()]
    if run.finished and run.content.problem:
        run.warnings.append("whether its data has changed since training can't be checked: "
                            f"{run.content.problem}")
    run.facts |= before
    if not run.finished:
        if recorded != run.config:
            write_json(run.folder / "config.json", to_dict(run.config))
        if changed or not before:
            run.note({"continued": [*before.get("continued", []), changed]} if before else {})


def _unlike(was: Any, now: Any) -> tuple[Any, Any]:
    """Two values; of two dicts, only the entries that differ."""
    if not (isinstance(was, dict) and isinstance(now, dict)):
        return was, now
    names = [name for name in was | now if was.get(name) != now.get(name)]
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


def _has_keys(path: Path, keys: Sequence[str]) -> bool:
    """Whether a file holds a JSON object with these keys, whatever else."""
    try:
        return set(keys) <= read_json(path).keys()
    except (OSError, ValueError):
        return False


def _like_a_run(path: Path) -> bool:
    """Whether a file could be taken for one of a run, or is the folder of another run.

    False for files of a run that was stopped before its config was written, and for unrelated files.
    """
    return path.name.startswith("events.") or path.name in FILES or (path / "config.json").exists()


def _locked(folder: Path) -> IO:
    """The lock file, locked until it is closed, by the system when the process ends."""
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
