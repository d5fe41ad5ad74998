"""The cells of a sweep as a durable queue, from which any number of processes on any host take work.

A cell is an Optuna trial: waiting, running under a lease, or ended. Run folders hold the truth: a cell that
is handed out twice finds its run finished or in use, and the queue can be rebuilt from them.
"""

import json
import os
import socket
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from attention_lab.config.parse import parse
from attention_lab.config.values import show
from attention_lab.storage.files import read_json
from attention_lab.sweeps.plan import Cell, Group
from attention_lab.sweeps.storage import open_storage

NAME = "attention_lab"
FRESH = "attention_lab fresh seeds"  # the best configs of a search, kept apart from what its sampler sees
MOST_DEATHS = 5  # of processes that run one cell, before it counts as failed


class Item(NamedTuple):
    """A cell that this process has taken.

    Fields:
      trial: its id in the storage. group: number of its group; -1 in a search.
      overrides: typed values by dotted key. cell: its name, by config and content; "" in a search.
    """

    trial: int
    group: int
    overrides: dict[str, Any]
    cell: str = ""


def holds(storage: optuna.storages.BaseStorage, study: str) -> bool:
    """Whether a storage has a study of this name."""
    return study in [one.study_name for one in storage.get_all_studies()]


class Queue:
    """One sweep in one storage.

    Args:
      location: as in `open_storage`.
      sweep: identifies the sweep, such as a digest of its plan; "" joins the one in the storage.
      older: its identifier in older versions.
      base: the digest of the config that all cells start from.
      lease: seconds without a beat after which another process takes over a cell.
      search: how cells are proposed, as JSON, for workers that join; None where they are given.
      study: NAME, or FRESH for what a search runs at its end in the same storage.
    Raises:
      ValueError: a storage that can't be reached, holds another sweep, or, when joining, none.
    """

    def __init__(self, location: str, sweep: str, base: str, lease: float = 60.0,
                 search: Mapping[str, Any] | None = None, older: str = "", study: str = NAME):
        self.lease = lease
        self.storage = open_storage(location)
        self._beats: dict[int, tuple[Any, float]] = {}  # by trial: its last beat, and when it was first seen
        if not sweep and not holds(self.storage, study):
            raise ValueError(f"--storage={location} holds no sweep to join: begin it by the same command "
                             "with --sweep and without --join")
        self.study = optuna.create_study(storage=self.storage, study_name=study, load_if_exists=True,
                                         direction="maximize")  # scores to lower are stored negated
        self.id = self.storage.get_study_id_from_name(study)
        stored = self.storage.get_study_user_attrs(self.id)
        attributes = {"sweep": sweep or stored.get("sweep"), "base": base}
        if sweep:
            attributes["search"] = json.loads(json.dumps(search))
        for name, value in attributes.items():
            if stored.get(name, value) not in (value, older if name == "sweep" and older else value):
                what = "sweep" if name == "sweep" else "sweep, of another --config,"
                raise ValueError(f"--storage={location} holds another {what}: give another file or database")
            if name not in stored:
                self.storage.set_study_user_attr(self.id, name, value)
        self.search = (stored | attributes).get("search")

    def fill(self, groups: Sequence[Group], parent: str | Path | None = None) -> None:
        """Adds each cell that is not waiting, running or finished; a cell that failed is tried again.

        Args:
          parent: the folder of the cells' folders: a finished cell is added again if its result is not there
            or its data lay elsewhere. None trusts the queue.
        """
        trials = self._by_cell()
        for number, group in enumerate(groups):
            for cell in group.cells:
                repeated = {TrialState.FAIL}
                if parent is not None and not _has_result(cell, cell.folder(parent)):
                    repeated.add(TrialState.COMPLETE)
                before = trials.get(cell.name, [])
                if repeated.issuperset(trial.state for trial in before):
                    self._add({"cell": cell.name, "group": number, "overrides": {
                        key: show(value) for key, value in cell.overrides.items()},
                        "after": before[-1].number if before else -1})

    def fill_search(self, count: int) -> None:
        """Adds cells, to be proposed when they are taken, until `count` wait, run or have ended."""
        counted = sum(trial.state != TrialState.FAIL or "diverged" in trial.user_attrs
                      for trial in self.trials())
        for _ in range(count - counted):
            self._add({})

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """All trials, or those in the given states."""
        return self.storage.get_all_trials(self.id, deepcopy=False, states=states or None)

    def claim(self, group: int = -1) -> Item | None:
        """Takes a waiting cell; None where none waits.

        Args:
          group: the one whose program this process has compiled: its cells come first, then those of the
            group with the fewest running cells.
        """
        running = Counter(map(_group, self.trials(TrialState.RUNNING)))

        def order(trial):
            return _group(trial) != group, running[_group(trial)], _group(trial), trial.number

        for trial in sorted(self.trials(TrialState.WAITING), key=order):
            identity = self._identity(trial)
            if not self._take(identity):
                continue
            if self._double(trial):
                self.end(identity, TrialState.FAIL, lost=True, double=True)
                continue
            self.note(identity, "worker", f"{socket.gethostname()} {os.getpid()}")
            self.beat(identity, 0)
            overrides = trial.user_attrs.get("overrides", {})
            return Item(identity, _group(trial), {key: parse(key, text) for key, text in overrides.items()},
                        trial.user_attrs.get("cell", ""))
        return None

    def beat(self, trial: int, step: int) -> None:
        """Records that the process is alive, and the current step of the run."""
        self.note(trial, "beat", [round(time.time(), 3), step])

    def end(self, trial: int, state: TrialState, values: Sequence[float] | None = None, **facts: Any) -> bool:
        """Ends a trial; False where another process has ended it already."""
        try:
            for name, value in facts.items():
                self.note(trial, name, value)
            self.storage.set_trial_state_values(trial, state, values)
        except optuna.exceptions.UpdateFinishedTrialError:
            return False
        return True

    def put_back(self, trial: int, died: bool = False) -> None:
        """Ends a running trial whose process is gone, and adds its cell again.

        A cell whose process has died MOST_DEATHS times, perhaps out of memory, fails instead.
        """
        frozen = self.storage.get_trial(trial)
        deaths = frozen.user_attrs.get("deaths", 0) + died
        if deaths >= MOST_DEATHS:
            self.end(trial, TrialState.FAIL, error=f"its process died {deaths} times")
        elif self.end(trial, TrialState.FAIL, lost=True, deaths=deaths):
            self._add_again(frozen, deaths)

    def reclaim(self) -> list[str]:
        """Puts back the cells of processes that died or sent no beat for the lease; returns their names."""
        silent = [trial for trial in self.trials(TrialState.RUNNING) if self._silent(trial)]
        for trial in silent:
            self.put_back(self._identity(trial), died=True)
        # A process may have died between ending a lost trial and adding its cell again.
        for trials in self._by_cell().values():
            if all(trial.state == TrialState.FAIL and trial.user_attrs.get("lost") for trial in trials):
                last = [trial for trial in trials if "double" not in trial.user_attrs][-1]
                self._add_again(last, last.user_attrs["deaths"])
        return [trial.user_attrs.get("worker", "a process that had just begun") for trial in silent]

    def drained(self) -> bool:
        """Whether no cell waits or runs."""
        return not self.trials(TrialState.WAITING, TrialState.RUNNING)

    def note(self, trial: int, name: str, value: Any) -> None:
        """Writes a fact beside a trial, as JSON."""
        self.storage.set_trial_user_attr(trial, name, json.loads(json.dumps(value)))

    def _by_cell(self) -> dict[str, list[FrozenTrial]]:
        cells: dict[str, list[FrozenTrial]] = {}
        for trial in self.trials():
            if "cell" in trial.user_attrs:
                cells.setdefault(trial.user_attrs["cell"], []).append(trial)
        return cells

    def _double(self, trial) -> bool:
        """Whether two processes added the same cell after the same event, and this is the later trial."""
        def event(trial):
            return trial.user_attrs.get("cell"), trial.user_attrs.get("after")

        return "after" in trial.user_attrs and any(
            event(other) == event(trial) and other.number < trial.number for other in self.trials())

    def _identity(self, trial) -> int:
        return self.storage.get_trial_id_from_study_id_trial_number(self.id, trial.number)

    def _take(self, trial: int) -> bool:
        """Whether this process turned a waiting trial into a running one: the storage lets only one do so."""
        try:
            return self.storage.set_trial_state_values(trial, TrialState.RUNNING)
        except optuna.exceptions.UpdateFinishedTrialError:
            return False

    def _silent(self, trial) -> bool:
        host, _, process = trial.user_attrs.get("worker", "").partition(" ")
        if host == socket.gethostname() and not _alive(int(process)):
            return True
        # Clocks of hosts differ: what counts is how long this process has seen the same beat.
        beat, now = trial.user_attrs.get("beat"), time.monotonic()
        before, since = self._beats.setdefault(trial.number, (beat, now))
        if before != beat:
            self._beats[trial.number] = beat, now
            return False
        return now - since > self.lease

    def _add_again(self, trial, deaths) -> None:
        kept = {name: trial.user_attrs[name] for name in ("cell", "group", "overrides")
                if name in trial.user_attrs}
        self._add(kept | {"deaths": deaths, "after": trial.number}, trial.params)

    def _add(self, attributes: Mapping[str, Any], params: Mapping[str, Any] | None = None) -> None:
        self.storage.create_new_trial(self.id, create_trial(
            state=TrialState.WAITING, user_attrs=dict(attributes),
            system_attrs={"fixed_params": dict(params)} if params else {}))


def _group(trial: FrozenTrial) -> int:
    return trial.user_attrs.get("group", -1)


def _has_result(cell: Cell, folder: Path) -> bool:
    """Whether a run folder has a result, trained on the cell's data, or else from where its config says."""
    if not (folder / "result.json").exists():
        return False
    if cell.content.name:
        return True  # the folder is that of this content
    try:
        stored = read_json(folder / "config.json")["data"]
        return all(stored[name] == getattr(cell.config.data, name) for name in ("path", "directory"))
    except (ValueError, OSError, KeyError, TypeError):
        return False  # damaged: running the cell reports it


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # A dead child whose parent has not waited for it still has a number.
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True
