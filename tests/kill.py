"""Kills a training run at random moments and holds what the resumed run leaves against a whole run.

    python tests/kill.py [--kills=3] [--seed=0] [--keep=DIR] [--config=... --config.a.b=c ...]

Two runs are left alone; they have to agree, and the second, for which everything is compiled
already, tells how long a run takes. Then each trial starts the same command in a new folder, sends
it SIGKILL, starts it again, and compares what it ends with: every array of every checkpoint that
is kept, metrics.jsonl, predictions.tsv, attention.npz and tokenizer.json byte for byte, result.json
but for its timing. Kills are aimed by turns at a checkpoint, at an evaluation and at any moment
from a run's start to its end; which of them, and the moment within it, is random. The exit status
is 1 unless all trials are identical.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEFAULTS = ("--config=configs/translation.py:smoke", "--config.training.steps=36",
            "--config.training.eval_every=6", "--config.training.checkpoint_every=4",
            "--config.training.log_every=1", "--config.training.average_decay=0.9")
WHOLE_FILES = ("metrics.jsonl", "predictions.tsv", "attention.npz", "tokenizer.json", "config.json")
LIMIT = 600.0  # seconds after which a run is taken to hang
Aim = tuple[Callable[[], bool], float]  # a condition, and seconds to wait after it holds


def main() -> int:
    """Runs the trials; 0 if each resumed run equals the uninterrupted one."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=3, help="trials, each of one kill")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    parser.add_argument("--keep", type=Path, help="empty folder to leave the runs in")
    options, given = parser.parse_known_args()
    given += [word for word in DEFAULTS
              if not any(other.startswith(word.partition("=")[0] + "=") for other in given)]
    with tempfile.TemporaryDirectory(prefix="kill-") as temporary:
        home = (options.keep or Path(temporary)).resolve()
        home.mkdir(parents=True, exist_ok=True)
        return trials(home, given, options.kills, random.Random(options.seed))


def trials(home: Path, given: list[str], kills: int, rng: random.Random) -> int:
    """Runs the command alone twice and `kills` times with a kill in between."""
    whole, before = home / "whole", code()
    seconds = run_to_end(whole, given)
    print(f"whole run, compiling: {seconds:.1f} s", flush=True)
    duration = run_to_end(home / "again", given)
    found = differences(whole, home / "again")
    print(f"whole run again, compiled: {duration:.1f} s, {verdict(found)}", flush=True)
    if found:
        return 1
    identical = 0
    for trial in range(kills):
        folder = home / f"trial-{trial:02}"
        begun = time.monotonic()
        while not run_and_kill(folder, given, aim(trial, whole, folder, duration, rng)):
            shutil.rmtree(folder)  # it ended before its kill
            begun = time.monotonic()
        moment, phase = time.monotonic() - begun, where(folder)
        run_to_end(folder, given)
        if code() != before:
            raise SystemExit("the code was edited while the trials ran: start again")
        found = differences(whole, folder)
        identical += not found
        print(f"{trial + 1:3}: killed after {moment:4.1f} s, {phase}: {verdict(found)}", flush=True)
    print(f"{identical} of {kills} identical")
    return 0 if identical == kills else 1


def code() -> str:
    """A digest of the program's source, which has to stay what it is between runs."""
    files = sorted(path for folder in ("attention_lab", "configs", "experiments")
                   for path in (ROOT / folder).rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def verdict(found: list[str]) -> str:
    """What a list of differences amounts to."""
    return "; ".join(found) or "identical"


def start(folder: Path, given: list[str]) -> subprocess.Popen:
    """The training command for a folder, its output in a file beside."""
    home = folder.parent
    environment = {"XDG_CACHE_HOME": str(home / "cache"), **os.environ}  # compiled programs are kept there
    command = [sys.executable, "-m", "experiments.train", *given, f"--workdir={folder}"]
    with open(home / f"{folder.name}.log", "ab") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                                stdout=log, stderr=log, start_new_session=True)


def run_to_end(folder: Path, given: list[str]) -> float:
    """Starts or continues a run and waits; seconds taken. SystemExit if it fails."""
    begun = time.monotonic()
    process = start(folder, given)
    try:
        status = process.wait(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        status = f"nothing for {LIMIT:.0f} s"
    if status != 0:
        log = (folder.parent / f"{folder.name}.log").read_text(errors="replace")
        raise SystemExit(f"{log[-4000:]}\nthe run in {folder} ended with {status}")
    return time.monotonic() - begun


def aim(trial: int, whole: Path, folder: Path, duration: float, rng: random.Random) -> Aim:
    """What to kill a trial's run at, by turns: a checkpoint, an evaluation, any moment."""
    training = json.loads((whole / "config.json").read_text())["training"]
    target = ("checkpoint", "eval", "any")[trial % 3]
    every, metrics = training.get(f"{target}_every", 1), folder / "metrics.jsonl"
    step = rng.choice(range(every, training["steps"] + 1, every) or [0])
    begun = {"checkpoint": lambda: (folder / "checkpoints" / f".saving-{step}").exists(),
             "eval": lambda: any(line["step"] == step for line in records(metrics)),
             "any": lambda: True}
    return begun[target], rng.uniform(0.0, duration if target == "any" else 0.1)


def run_and_kill(folder: Path, given: list[str], aim: Aim) -> bool:
    """Starts a run and kills it some seconds after a condition holds; False if it ended before."""
    reached, seconds = aim
    process = start(folder, given)
    while process.poll() is None and not reached():
        time.sleep(0.001)
    try:
        status = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
    return status == -signal.SIGKILL


def where(folder: Path) -> str:
    """The phase a killed run was in, from what lies in its folder."""
    if not (folder / "config.json").exists():
        return "before there was a run"
    if (folder / "result.json").exists():
        return "after the result was written"
    checkpoints = folder / "checkpoints"
    names = sorted(path.name for path in checkpoints.glob("*")) if checkpoints.exists() else []
    kept = max((int(name) for name in names if name.isdigit()), default=0)
    for name in names:
        if name.startswith(".saving-"):
            return f"inside the checkpoint of step {name.partition('-')[2]}"
        if name.startswith(".removing-"):
            return f"while old checkpoints were deleted, newest {kept}"
    lines = records(folder / "metrics.jsonl")
    step = max((line["step"] for line in lines), default=0)
    if not step:
        return "before the first step"
    training = json.loads((folder / "config.json").read_text())["training"]
    last = any(line["step"] == step and any(key.startswith("dev_") for key in line)
               for line in lines)
    if step % training["eval_every"] == 0 and not last:
        return f"in the evaluation after step {step}, checkpoint {kept}"
    if step == training["steps"]:
        return f"after the last step {step}, checkpoint {kept}"
    return f"after step {step}, checkpoint {kept}"


def records(path: Path) -> list[dict]:
    """Lines of a JSON lines file, but for a torn one."""
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


def differences(whole: Path, other: Path) -> list[str]:
    """What two finished runs differ in, one line each; [] if in nothing."""
    found = [text for name in WHOLE_FILES if (text := unequal(whole, other, name))]
    results = []
    for folder in (whole, other):
        result = json.loads((folder / "result.json").read_text())
        results.append({key: value for key, value in result.items() if "second" not in key})
    found += [f"result.json: {key} is {results[0].get(key)} and {results[1].get(key)}"
              for key in sorted({*results[0], *results[1]})
              if results[0].get(key) != results[1].get(key)]
    return found + unequal_arrays(whole / "checkpoints", other / "checkpoints")


def unequal(whole: Path, other: Path, name: str) -> str | None:
    """What differs in a file of this name; None if nothing does, or if neither has one."""
    here, there = ((folder / name).read_bytes() if (folder / name).exists() else None
                   for folder in (whole, other))
    if here == there:
        return None
    if here is None or there is None:
        return f"{name} is {'missing' if there is None else 'new'}"
    if name.endswith(".npz"):
        return f"{name} differs"
    lines = zip([*here.split(b"\n"), b"(end)"], [*there.split(b"\n"), b"(end)"])
    number, (was, now) = next((number, pair) for number, pair in enumerate(lines, 1)
                              if pair[0] != pair[1])
    return f"{name}, line {number}: {was[:80]!r} and {now[:80]!r}"


def unequal_arrays(whole: Path, other: Path) -> list[str]:
    """Checkpoints, and arrays in them, that differ in a bit."""
    import orbax.checkpoint

    steps = [sorted((path.name for path in folder.iterdir()), key=str) for folder in (whole, other)]
    if steps[0] != steps[1] or not steps[0]:
        return [f"checkpoints: {steps[0]} and {steps[1]}"]
    found = []
    with orbax.checkpoint.PyTreeCheckpointer() as reader:
        for step in steps[0]:
            here, there = (reader.restore(folder / step / "state") for folder in (whole, other))
            unlike = [name for name in sorted({*here, *there})
                      if name not in here or name not in there
                      or here[name].dtype != there[name].dtype
                      or here[name].tobytes() != there[name].tobytes()]
            if unlike:
                found.append(f"checkpoint {step}: {len(unlike)} of {len(here)} arrays differ, "
                             f"such as {unlike[0]}")
    return found


if __name__ == "__main__":
    sys.exit(main())
