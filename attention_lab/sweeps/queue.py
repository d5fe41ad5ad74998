"""The cells of a sweep as a durable queue, from which any number of processes on any host take work.

A cell is a trial of Optuna's: waiting, running under a lease, or ended. Run folders stay the truth: a
cell that is handed out twice finds its run finished or in use, and the queue can be rebuilt from them.
"""

import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import optuna
from optuna.trial import TrialState, create_trial

from attention_lab.config.parse import parse
from attention_lab.config.rules import show
from attention_lab.storage.files import read_json
from attention_lab.sweeps.plan import Cell, Group
from attention_lab.sweeps.storage import open_storage

NAME = "attention_lab"
MOST_DEATHS = 5  # of processes at one cell, before it counts as failed


class Item(NamedTuple):
    """A cell that this process has taken.

    Fields:
      trial: its id in the storage.
      group: number of the group whose program it runs; -1 in a search.
      overrides: typed values by dotted key.
    """

    trial: int
    group: int
    overrides: dict[str, Any]


class Queue:
    """One sweep in one storage.

    Args:
      place: as of `open_storage`.
      sweep: what tells this sweep from others, such as a digest of its plan; "" joins whatever is there.
      base: the digest of the config that all cells start from.
      lease: seconds without a sign of life after which another process takes a cell over.
      search: how cells are proposed, as JSON, for those who join; None where they are given.
    Raises:
      ValueError: a storage that can't be reached, holds another sweep, or, when joining, none.
    """

    def __init__(self, place: str, sweep: str, base: str, lease: float = 60.0,
                 search: Mapping[str, Any] | None = None):
        self.lease = lease
        self.storage = open_storage(place)
        self._seen: dict[int, tuple[Any, float]] = {}
        if not sweep and NAME not in [one.study_name for one in self.storage.get_all_studies()]:
            raise ValueError(f"--storage={place} holds no sweep to join: begin it by the same command "
                             "with --sweep and without --join")
        self.study = optuna.create_study(storage=self.storage, study_name=NAME, load_if_exists=True,
                                         direction="maximize")  # scores to lower are stored negated
        self.id = self.storage.get_study_id_from_name(NAME)
        held = self.storage.get_study_user_attrs(self.id)
        wanted = {"sweep": sweep or held.get("sweep"), "base": base}
        if sweep:
            wanted["search"] = json.loads(json.dumps(search))
        for name, value in wanted.items():
            if held.get(name, value) != value:
                what = "sweep" if name == "sweep" else "sweep, of another --config,"
                raise ValueError(f"--storage={place} holds another {what}: give another file or database")
            if name not in held:
                self.storage.set_study_user_attr(self.id, name, value)
        self.search = self.storage.get_study_user_attrs(self.id).get("search")

    def fill(self, groups: Sequence[Group], parent: str | Path | None = None) -> None:
        """Puts in each cell that is not waiting, running or finished; one that failed gets another try.

        Args:
          groups: of `plan`.
          parent: the folder of the cells' folders: one that the queue calls finished and that has no
            result there, since it was taken away, or whose data lay elsewhere, is put in again. None takes
            the queue's word.
        """
        held = self._by_cell()
        for number, group in enumerate(groups):
            for cell in group.cells:
                gone = {TrialState.FAIL}
                if parent is not None and not _stands(cell, cell.folder(parent)):
                    gone.add(TrialState.COMPLETE)
                before = held.get(cell.name, [])
                if gone.issuperset(one.state for one in before):
                    self._put({"cell": cell.name, "group": number, "overrides": {
                        key: show(value) for key, value in cell.overrides.items()},
                        "after": before[-1].number if before else -1})

    def fill_search(self, count: int) -> None:
        """Puts in cells to be proposed when they are taken, until `count` wait, run or have ended."""
        ended = [one for one in self.trials() if one.state != TrialState.FAIL or "diverged" in one.user_attrs]
        for _ in range(count - len(ended)):
            self._put({})

    def trials(self, *states: TrialState) -> list[optuna.trial.FrozenTrial]:
        """All trials, or those in the given states."""
        return self.storage.get_all_trials(self.id, deepcopy=False, states=states or None)

    def claim(self, group: int = -1) -> Item | None:
        """Takes a waiting cell; None where none waits.

        Args:
          group: the one whose program this process has compiled: its cells come first, then those of
            the group that the fewest processes are at.
        """
        busy: dict[int, int] = {}
        for trial in self.trials(TrialState.RUNNING):
            busy[trial.user_attrs.get("group", -1)] = busy.get(trial.user_attrs.get("group", -1), 0) + 1

        def order(trial):
            its = trial.user_attrs.get("group", -1)
            return its != group, busy.get(its, 0), its, trial.number

        for trial in sorted(self.trials(TrialState.WAITING), key=order):
            # The storage lets one process alone through here.
            identity = self._identity(trial)
            if self._taken(identity):
                if self._double(trial):
                    self.end(identity, TrialState.FAIL, lost=True, double=True)
                    continue
                self.note(identity, "worker", f"{socket.gethostname()} {os.getpid()}")
                self.beat(identity, 0)
                given = trial.user_attrs.get("overrides", {})
                return Item(identity, trial.user_attrs.get("group", -1),
                            {key: parse(key, text) for key, text in given.items()})
        return None

    def beat(self, trial: int, step: int) -> None:
        """A sign of life, with the step that the run is at."""
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
        """Ends a running trial that nobody carries on, and lets its cell wait again.

        A cell whose process has died MOST_DEATHS times, for want of memory perhaps, fails instead.
        """
        found = self.storage.get_trial(trial)
        deaths = found.user_attrs.get("deaths", 0) + died
        if deaths >= MOST_DEATHS:
            self.end(trial, TrialState.FAIL, error=f"its process died {deaths} times")
        elif self.end(trial, TrialState.FAIL, lost=True, deaths=deaths):
            self._again(found, deaths)

    def reclaim(self) -> list[str]:
        """Puts back the cells of processes that have died or been silent for the lease; whose they were."""
        gone = []
        for trial in self.trials(TrialState.RUNNING):
            if self._silent(trial):
                gone.append(trial.user_attrs.get("worker", "a process that had just begun"))
                self.put_back(self._identity(trial), died=True)
        # A process may have died between ending a lost trial and putting its cell back.
        for trials in self._by_cell().values():
            if all(one.state == TrialState.FAIL and one.user_attrs.get("lost") for one in trials):
                last = [one for one in trials if "double" not in one.user_attrs][-1]
                self._again(last, last.user_attrs["deaths"])
        return gone

    def drained(self) -> bool:
        """Whether no cell waits or runs."""
        return not self.trials(TrialState.WAITING, TrialState.RUNNING)

    def _by_cell(self) -> dict[str, list]:
        cells: dict[str, list] = {}
        for trial in self.trials():
            if "cell" in trial.user_attrs:
                cells.setdefault(trial.user_attrs["cell"], []).append(trial)
        return cells

    def _double(self, trial) -> bool:
        """Whether two processes put the same cell in after the same event, and this is the later one."""
        def event(one):
            return one.user_attrs.get("cell"), one.user_attrs.get("after")

        return "after" in trial.user_attrs and any(
            event(one) == event(trial) and one.number < trial.number for one in self.trials())

    def _identity(self, trial) -> int:
        return self.storage.get_trial_id_from_study_id_trial_number(self.id, trial.number)

    def _taken(self, trial: int) -> bool:
        """Whether this process, and no other, turned a waiting trial into a running one."""
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
        before, since = self._seen.setdefault(trial.number, (beat, now))
        if before != beat:
            self._seen[trial.number] = beat, now
            return False
        return now - since > self.lease

    def _again(self, trial, deaths) -> None:
        kept = {name: trial.user_attrs[name] for name in ("cell", "group", "overrides")
                if name in trial.user_attrs}
        self._put(kept | {"deaths": deaths, "after": trial.number}, trial.params)

    def _put(self, attributes: Mapping[str, Any], params: Mapping[str, Any] | None = None) -> None:
        self.storage.create_new_trial(self.id, create_trial(
            state=TrialState.WAITING, user_attrs=dict(attributes),
            system_attrs={"fixed_params": dict(params)} if params else {}))

    def note(self, trial: int, name: str, value: Any) -> None:
        """Writes a fact beside a trial, as JSON."""
        self.storage.set_trial_user_attr(trial, name, json.loads(json.dumps(value)))


def _stands(cell: Cell, folder: Path) -> bool:
    """Whether a cell has a result, of data from where they are said to be now."""
    if not (folder / "result.json").exists():
        return False
    held = read_json(folder / "config.json").get("data", {})
    return all(held.get(name) == getattr(cell.config.data, name) for name in ("path", "directory"))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # A dead child that its parent has not asked after yet still has a number.
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True
