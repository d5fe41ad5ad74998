"""Kills processes of a sweep at random moments, and counts what the resumed sweep leaves.

    python tests/kill_sweep.py [--rounds=1] [--cells=30] [--workers=4] [--kills=3] [--seed=0] [--postgres]

Each round begins a sweep in an empty folder, sends SIGKILL to processes of it, workers or the one that
started them, and repeats the command until it ends with status 0. Then each cell has to have one
result and one finished trial in the queue, and no result that was there may have been written again.
The exit status is 1 unless all rounds are in order.
"""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from optuna.trial import TrialState

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 900.0  # seconds after which a round is taken to hang


def main() -> int:
    """Runs the rounds; 0 if all are in order."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name, default in {"rounds": 1, "cells": 30, "workers": 4, "kills": 3, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--postgres", action="store_true", help="keep the queue in a PostgreSQL of its own")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    rng, good = random.Random(options.seed), 0
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="kill-sweep-") as home, contextlib.ExitStack() as stack:
            place = f"{home}/queue.journal"
            if options.postgres:
                from tests.postgres import server
                place = stack.enter_context(server())
            begun = time.monotonic()
            faults = one_round(Path(home) / "runs", place, options, rng)
            good += not faults
            print(f"round {number}: {time.monotonic() - begun:.0f} s, {'; '.join(faults) or 'in order'}",
                  flush=True)
    print(f"{good} of {options.rounds} rounds in order")
    return int(good < options.rounds)


def one_round(folder: Path, place: str, options: argparse.Namespace, rng: random.Random) -> list[str]:
    """What is wrong after a sweep with kills; empty if nothing is."""
    command = [sys.executable, "-m", "experiments.sweep", "--config=configs/recall.py:smoke",
               "--config.training.steps=40", f"--seeds=0:{options.cells}", f"--workers={options.workers}",
               f"--workdir={folder}", f"--storage={place}"]
    written: dict[Path, int] = {}
    faults: list[str] = []
    limit = time.monotonic() + LIMIT
    # Kills come when so many cells are finished, so that they fall into work and not into imports.
    marks = sorted(rng.sample(range(1, options.cells - 1), options.kills))
    process = None
    while time.monotonic() < limit:
        if process is None:
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        time.sleep(0.1)
        look(folder, written, faults)
        if marks and len(written) >= marks[0]:
            marks.pop(0)
            time.sleep(rng.uniform(0.0, 0.3))
            victims = sorted(members(str(folder)))
            if victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(rng.choice(victims), signal.SIGKILL)
        if process.poll() is not None:
            status, process = process.returncode, None
            if status == 0:
                break
            if status > 0:
                faults.append(f"the sweep ended with status {status}")
                break
    else:
        faults.append("it hangs")
    for left in members(str(folder)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(left, signal.SIGKILL)
    look(folder, written, faults)
    if len(written) != options.cells:
        faults.append(f"{len(written)} results of {options.cells}")
    from attention_lab.config import digest
    from attention_lab.config.parse import merge
    from attention_lab.sweeps.queue import Queue
    from configs.recall import get_config
    base = digest(merge(get_config("smoke"), {"training.steps": 40}))
    finished = [trial.user_attrs["cell"] for trial in Queue(place, "", base).trials(TrialState.COMPLETE)]
    if sorted(finished) != sorted(path.parent.name for path in written):
        faults.append(f"{len(finished)} finished trials of {len(set(finished))} cells")
    if marks:
        faults.append(f"{len(marks)} kills came too late")
    return faults


def look(folder: Path, written: dict[Path, int], faults: list[str]) -> None:
    """Notes results that are new, and those that were written again."""
    for path in folder.glob("*/result.json"):
        stamp = path.stat().st_mtime_ns
        if written.setdefault(path, stamp) != stamp:
            faults.append(f"{path.parent.name} was written again")
            written[path] = stamp


def members(word: str) -> list[int]:
    """Processes of the sweep: those that have its folder in their command."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            said = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if "experiments.sweep" in said and f"--workdir={word}" in said:
                found.append(int(entry.name))
    return found


if __name__ == "__main__":
    sys.exit(main())
