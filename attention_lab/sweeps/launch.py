"""Worker processes of a sweep: started here or by SLURM, watched, and replaced when they die."""

import contextlib
import os
import subprocess
import time
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from optuna.trial import TrialState

from attention_lab.config import Config, digest
from attention_lab.storage.files import short_digest
from attention_lab.sweeps.cell import Outcome
from attention_lab.sweeps.execution import total_steps
from attention_lab.sweeps.plan import Group
from attention_lab.sweeps.queue import NAME, Queue
from attention_lab.sweeps.storage import storage_errors
from attention_lab.training.progress import progress
from attention_lab.training.task import Task

POLL = 1.0  # seconds between looks at the queue
REPLACED = 3  # times that a worker that died is replaced, if no cell was taken in the meantime


class Workers(NamedTuple):
    """How the workers of a sweep are started.

    Fields:
      command: (storage, parent of the cells' folders) -> argv of a process that takes cells from the queue.
      launcher: "process", on this machine; "slurm", by submitit; "local", here what slurm would run.
      settings: of slurm, as submitit names them. storage: of the queue; "": a file in the parent folder.
      lease: seconds of silence after which another worker takes a cell over.
    """

    command: Callable[[str, Path], Sequence[str]]
    count: int = 1
    launcher: str = "process"
    settings: Mapping[str, Any] = types.MappingProxyType({})
    storage: str = ""
    lease: float = 60.0


def run_groups(groups: list[Group], base: Config, folder: Path, workers: Workers,
               build: Callable[[Config], Task], say: Callable[[str], None], part_of: str = "",
               study: str = NAME) -> list[Outcome]:
    """Runs the cells of a plan by worker processes, in folders below `folder`; outcomes in the plan's order.

    Args:
      part_of: the name of the sweep of which these are some cells; "": the plan is the whole sweep.
      study: as of `Queue`.
    Raises:
      ValueError: a storage that can't be reached or holds another sweep, or a launcher that can't start.
    """
    name = part_of or name_of(groups)
    storage = workers.storage or str(folder / f"{name}.journal")
    with storage_errors(storage):
        queue = Queue(storage, name, digest(base), workers.lease, older=older_name_of(groups), study=study)
        queue.fill(groups, folder)
        with progress(total_steps(groups, build), str(folder)) as show:
            watch(queue, starter(workers, storage, folder), workers.count, show, say)
        # A cell may have several trials: the finished one counts, or else the last one.
        trials = sorted(queue.trials(), key=lambda trial: (trial.state == TrialState.COMPLETE, trial.number))
    ended = {trial.user_attrs["cell"]: trial.user_attrs for trial in trials
             if "double" not in trial.user_attrs}
    return [Outcome(cell, cell.folder(folder), ended[cell.name].get("result"),
                    ended[cell.name].get("error", "no worker was left to run it"))
            for group in groups for cell in group.cells]


def name_of(groups: list[Group]) -> str:
    """The name of a sweep in its storage: equal plans have equal names."""
    return short_digest(sorted(cell.name for group in groups for cell in group.cells))


def older_name_of(groups: list[Group]) -> str:
    """The name of a sweep in its storage in versions that did not name cells by content."""
    return short_digest(sorted(digest(cell.config) for group in groups for cell in group.cells))


def starter(workers: Workers, storage: str, folder: Path) -> Callable[[int], "Process | Job"]:
    """The function that starts the worker of a number by the launcher."""
    command = workers.command(storage, folder)
    if workers.launcher == "process":
        cores = shares(workers.count)
        return lambda number: Process(command, folder / "workers" / f"{os.getpid()}-{number}.log",
                                      cores[number])
    return lambda number: Job(command, folder / "workers", workers.launcher, workers.settings)


class Process:
    """A worker on this machine, its output in the file `log`; cores: those it may use, None: all."""

    def __init__(self, argv: Sequence[str], log: Path, cores: Sequence[int] | None):
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab") as file:
            self._process = subprocess.Popen(argv, stdout=file, stderr=file, stdin=subprocess.DEVNULL)
        if cores is not None:
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(self._process.pid, cores)

    def status(self) -> int | None:
        """None while it runs, then its exit status; negative for a signal."""
        return self._process.poll()

    def stop(self) -> None:
        """Ends it."""
        self._process.terminate()
        self._process.wait()


class Job:
    """A worker that submitit sends to a cluster."""

    def __init__(self, argv: Sequence[str], folder: Path, cluster: str, options: Mapping[str, Any]):
        # By default submitit sets up logging anew for the whole process, and closes earlier handlers.
        os.environ.setdefault("SUBMITIT_LOG_LEVEL", "NOCONFIG")
        try:
            import submitit
        except ImportError as error:
            raise ValueError("--launcher: submitit is not installed: pip install 'attention-lab[slurm]'"
                             ) from error
        try:
            executor = submitit.AutoExecutor(folder, cluster=cluster)
            executor.update_parameters(**{"timeout_min": 60 * 24, **options})
            self._job = executor.submit(submitit.helpers.CommandFunction(list(argv)))
        except (RuntimeError, TypeError, NotImplementedError, subprocess.CalledProcessError) as error:
            raise ValueError(f"--launcher={cluster}: {error}") from error
        self.log = Path(self._job.paths.stderr)

    def status(self) -> int | None:
        """None while it waits or runs, then 0, or 1 where it failed."""
        return int(self._job.exception() is not None) if self._job.done() else None

    def stop(self) -> None:
        """Cancels it."""
        self._job.cancel()


def shares(workers: int) -> list[list[int] | None]:
    """The cores of each worker: equal shares, for workers that all use all cores slow each other down."""
    if workers == 1 or not hasattr(os, "sched_getaffinity"):
        return [None] * workers
    cores = sorted(os.sched_getaffinity(0))
    each = max(1, len(cores) // workers)
    return [[cores[(i * each + j) % len(cores)] for j in range(each)] for i in range(workers)]


def watch(queue: Queue, start: Callable[[int], Any], workers: int, show: Callable[..., None],
          say: Callable[[str], None]) -> None:
    """Replaces workers that end until no cell waits or runs; stops them if it is interrupted.

    start: number -> a Process or Job. workers: how many. show: takes the steps done by all cells.
    """
    running = {number: start(number) for number in range(workers if not queue.drained() else 0)}
    deaths, taken = dict.fromkeys(running, 0), 0
    try:
        while running or not queue.drained():
            time.sleep(POLL)
            show(steps_done(queue))
            for number, worker in list(running.items()):
                status = worker.status()
                if status is None:
                    continue
                del running[number]
                if status == 0:
                    continue
                # A cell that kills its process fails after a few times; it must not use up the workers.
                if taken != (now := len(queue.trials()) - len(queue.trials(TrialState.WAITING))):
                    deaths, taken = dict.fromkeys(deaths, 0), now
                deaths[number] += 1
                say(f"worker {number} ended with status {status}; its output is in {worker.log}")
                if deaths[number] <= REPLACED:
                    running[number] = start(number)
            queue.reclaim()
            if not running and not queue.trials(TrialState.RUNNING):
                break  # no worker is left to take the cells that wait
        show(steps_done(queue))
    finally:
        for worker in running.values():
            worker.stop()


def steps_done(queue: Queue) -> int:
    """Steps of the cells that have ended, and those that running cells have reported."""
    done = 0
    for trial in queue.trials(TrialState.RUNNING, TrialState.COMPLETE, TrialState.FAIL):
        if "result" in trial.user_attrs:
            done += trial.user_attrs["result"].get("steps", 0)
        elif trial.state == TrialState.RUNNING:
            done += trial.user_attrs.get("beat", [0, 0])[1]
    return done
