"""`benchmark start`: seconds from the shell to the first step, by what the compilation cache holds."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from attention_lab.analysis.timing import quartiles
from experiments import machine, pages
from experiments.flags import Options

PACE = 0.005  # seconds between two looks at the log
# Settings of each way to start; those of "filled" read what "empty" has written.
WAYS = {"no cache": {"JAX_ENABLE_COMPILATION_CACHE": "0"}, "empty cache": {}, "filled cache": {}}


def main(options: Options) -> int:
    """Prints seconds of each way to start the training of a config, one after the other in each round."""
    machine.check_new(options.json)
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            for way, settings in WAYS.items():
                seconds[way].append(first_step(options, Path(folder), settings))
    rows = [{"case": f"start of {options.file}", "way": way, "seconds": quartiles(times)}
            for way, times in seconds.items()]
    print("way\tseconds_to_the_first_step\tquartiles")
    for row in rows:
        low, median, high = (f"{x:.2f}" for x in row["seconds"])
        print(f"{row['way']}\t{median}\t{low}-{high}")
    machine.write(options.json, options.command, machine.facts({}), rows)
    return 0


def first_step(options: Options, folder: Path, settings: dict[str, str]) -> float:
    """Seconds from the start of `experiments.train` to the line of its log for the first step.

    Args:
      folder: holds the user's cache of the process, and the run, which is deleted.
      settings: of the environment, beside those of this process.
    Raises:
      ValueError: it ended before.
    """
    overrides = [f"--config.{key}={value}" for key, value in options.given
                 if key != "training.log_every"]
    words = [sys.executable, "-m", "experiments.train", f"--config={options.file}", *overrides,
             "--config.training.log_every=1", f"--workdir={folder / 'run'}"]
    # What this process has set for itself would be taken for what the user chose.
    ours = ("JAX_COMPILATION_CACHE_DIR", pages.NAME)
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {"XDG_CACHE_HOME": str(folder / "cache"), **settings}
    log = folder / "run" / "metrics.jsonl"
    began = time.perf_counter()
    with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True) as process:
        try:
            while not (log.exists() and log.stat().st_size):
                if process.poll() is not None:
                    raise ValueError(f"it did not start: {process.stderr.read().strip()}")
                time.sleep(PACE)
            return time.perf_counter() - began
        finally:
            process.kill()
            process.wait()
            shutil.rmtree(folder / "run", ignore_errors=True)
