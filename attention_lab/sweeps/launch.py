"""Worker processes of a sweep: started here or by SLURM, watched, replaced when they die."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from attention_lab.sweeps.queue import Queue

POLL = 1.0  # seconds between looks at the queue
REPLACED = 3  # processes that may die in a worker's place


class Process:
    """A worker on this machine, which writes what it says to a file.

    Args:
      argv: its command. log: the file. cores: those it may use; None leaves them all.
    """

    def __init__(self, argv: Sequence[str], log: Path, cores: Sequence[int] | None):
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab") as file:
            self._process = subprocess.Popen(argv, stdout=file, stderr=file, stdin=subprocess.DEVNULL)
        if cores is not None:
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(self._process.pid, cores)

    def status(self) -> int | None:
        """None while it runs, then its exit status; a signal's number is negative."""
        return self._process.poll()

    def stop(self) -> None:
        """Ends it."""
        self._process.terminate()
        self._process.wait()


class Job:
    """A worker that submitit has sent to a cluster."""

    def __init__(self, argv: Sequence[str], folder: Path, cluster: str, options: dict[str, Any]):
        # Left to itself it sets up logging anew for the whole process, and closes what others had set up.
        os.environ.setdefault("SUBMITIT_LOG_LEVEL", "NOCONFIG")
        try:
            import submitit
        except ImportError as error:
            raise ValueError("--launcher: submitit is not installed: pip install 'attention-lab[slurm]'"
                             ) from error
        try:
            executor = submitit.AutoExecutor(folder, cluster=cluster)
            executor.update_parameters(**({"timeout_min": 60 * 24} | options))
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
    """Cores for each worker: equal shares, for workers that all use all cores stand in each other's way."""
    if workers == 1 or not hasattr(os, "sched_getaffinity"):
        return [None] * workers
    cores = sorted(os.sched_getaffinity(0))
    each = max(1, len(cores) // workers)
    return [[cores[(i * each + j) % len(cores)] for j in range(each)] for i in range(workers)]


def watch(queue: Queue, start: Callable[[int], Any], workers: int, show: Callable[..., None],
          say: Callable[[str], None]) -> None:
    """Keeps workers going until no cell waits or runs, and stops them if it is stopped itself.

    Args:
      queue: filled.
      start: number -> a Process or Job.
      workers: how many.
      show: takes the steps done by all cells.
      say: takes a line that a user should read.
    """
    crew = {number: start(number) for number in range(workers)}
    deaths = dict.fromkeys(crew, 0)
    try:
        while crew or not queue.drained():
            time.sleep(POLL)
            show(steps_done(queue))
            for number, worker in list(crew.items()):
                status = worker.status()
                if status is None:
                    continue
                del crew[number]
                if status == 0:
                    continue
                deaths[number] += 1
                say(f"worker {number} ended with status {status}; what it said is in {worker.log}")
                if deaths[number] <= REPLACED:
                    crew[number] = start(number)
            queue.reclaim()
            if not crew and not queue.trials(TrialState.RUNNING):
                break  # none left to take what waits
        show(steps_done(queue))
    finally:
        for worker in crew.values():
            worker.stop()


def steps_done(queue: Queue) -> int:
    """Steps of the cells that have ended, and those that running ones have told of."""
    done = 0
    for trial in queue.trials(TrialState.RUNNING, TrialState.COMPLETE, TrialState.FAIL):
        if "result" in trial.user_attrs:
            done += trial.user_attrs["result"]["steps"]
        elif trial.state == TrialState.RUNNING:
            done += trial.user_attrs.get("beat", [0, 0])[1]
    return done


def worker_command(file: str, given: Sequence[tuple[str, str]], parent: Path, place: str,
                   lease: float) -> list[str]:
    """The command that joins a sweep."""
    return [sys.executable, "-m", "experiments.sweep", f"--config={file}",
            *(f"--config.{key}={text}" for key, text in given),
            f"--workdir={parent}", f"--storage={place}", f"--lease={lease}", "--join"]
