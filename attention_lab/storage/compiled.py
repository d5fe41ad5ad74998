"""Compiled programs in the user's cache, so that a command that is given again need not compile them.

jax writes and reads them. XLA compiles for one kind of processor and one number of cores: elsewhere a program
may crash or round differently. So each kind, with each pair of versions of jax and jaxlib, has a folder of
its own, `attention_lab/programs/KEY` in the user's cache. A folder that JAX_COMPILATION_CACHE_DIR names is
used as it is, and JAX_ENABLE_COMPILATION_CACHE=0 switches all of this off.
"""

import contextlib
import importlib.metadata
import os
import platform
import signal
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

from attention_lab.storage.errors import one_line
from attention_lab.storage.files import read_json, short_digest, user_cache, write_json

LIMIT = 2 << 30  # bytes of a folder, above which the programs that were read longest ago are deleted
FOLDER, SWITCH = "JAX_COMPILATION_CACHE_DIR", "JAX_ENABLE_COMPILATION_CACHE"
OFF = ("0", "false", "f", "no", "n", "off")  # as jax reads a switch
LONGEST = 300  # seconds of a trial
TRIED = "tried.json"  # whether jax can read here what it wrote
CHECKED = "checked"  # its time: older programs are known to be whole

# What jax says of what it refuses, and what TRIAL says: the answers of a trial that found that it can't.
AOT, NONE = "AOT", "no program was read"

# Compiles, forgets and reads one program; jaxlib 0.10 refuses on some processors what it compiled for them:
# https://github.com/jax-ml/jax/issues/38445.
TRIAL = f"""
import sys, jax
read = []
jax.monitoring.register_event_listener(lambda name, **_: read.append(name.endswith("/cache_hits")))
double = jax.jit(lambda x: 2.0 * x)
before = double(3.0)
jax.clear_caches()
sys.exit(0 if double(3.0) == before and any(read) else "{NONE}")
"""


def keep() -> str:
    """Has jax keep compiled programs in the user's cache; returns why it can't, in one line, or "".

    Settings of the user take precedence.
    """
    jax = sys.modules.get("jax")
    given = jax.config.jax_compilation_cache_dir if jax else os.environ.get(FOLDER)
    if os.environ.get(SWITCH, "").lower() in OFF or jax and not jax.config.jax_enable_compilation_cache:
        return ""
    try:
        folder = user_cache() / "programs" / key()
        if given is not None and Path(given).parent != folder.parent:
            return ""  # the user's; one of ours comes from a parent process, perhaps on another machine
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # who writes here can have us run their code
        if not _holds(folder):
            os.environ.pop(FOLDER, None)
            return "compiled programs are not kept: the installed jaxlib can't read here what it wrote"
        _clean(folder)
    except OSError as error:
        os.environ.pop(FOLDER, None)
        return f"compiled programs are not kept: {one_line(error)}"
    _configure({FOLDER: str(folder), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": 0.0,
                "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": -1})
    return ""


def key() -> str:
    """Names the versions and the machine that a compiled program is for."""
    versions = [f"{name}-{importlib.metadata.version(name)}" for name in ("jax", "jaxlib")]
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [os.cpu_count()]
    threads = [os.environ.get(name, "") for name in ("NPROC", "PJRT_NPROC")]
    return "-".join([*versions, short_digest([platform.machine(), processor_facts(), len(cores), *threads])])


def processor_facts() -> Any:
    """What Linux tells of the first core that stays from one start to the next; elsewhere the host's name."""
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    except OSError:
        return [platform.system(), platform.processor(), platform.node()]
    facts = (line.partition(":") for line in first.splitlines())
    # Frequency, number of the core, and bogomips are of the moment.
    return sorted((name.strip(), value.strip()) for name, _, value in facts if name.strip() in {
        "vendor_id", "cpu family", "model", "model name", "stepping", "flags", "Features", "CPU implementer",
        "CPU architecture", "CPU variant", "CPU part"})


def _holds(folder: Path) -> bool:
    """Whether jax reads here what it wrote, as a process of its own has tried once.

    Raises:
      OSError: the answer can't be written, or the process ended without one and is to try again.
    """
    path = folder / TRIED
    try:
        return read_json(path, {"holds": bool})["holds"]
    except (OSError, ValueError):
        pass
    with tempfile.TemporaryDirectory() as trial:
        settings = {FOLDER: trial, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PLATFORMS": "cpu",
                    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
        try:
            done = subprocess.run([sys.executable, "-c", TRIAL], text=True, capture_output=True,
                                  env=os.environ | settings, timeout=LONGEST)
        except subprocess.TimeoutExpired as error:
            raise ChildProcessError(f"the trial of reading one took longer than {LONGEST} seconds") from error
    holds = done.returncode == 0 and AOT not in done.stderr
    said = done.stderr.splitlines() or [""]
    if done.returncode not in (0, -signal.SIGILL) and AOT not in done.stderr and NONE not in said:
        ended = f"status {done.returncode}" if done.returncode > 0 else signal.Signals(-done.returncode).name
        raise ChildProcessError(f"the trial of reading one ended with {ended}: {said[-1]}".removesuffix(": "))
    write_json(path, {"holds": holds, "said": done.stderr[-2000:]})
    return holds


def _clean(folder: Path) -> None:
    """Deletes programs of which a part is missing, and, above LIMIT, those that were read longest ago."""
    mark, programs = folder / CHECKED, []
    before = mark.stat().st_mtime_ns if mark.exists() else 0
    mark.touch()
    for path in folder.glob("*-cache"):
        with contextlib.suppress(FileNotFoundError):  # another process has deleted it
            status = path.stat()
            if status.st_mtime_ns < before or _whole(path):
                programs.append((max(status.st_atime_ns, status.st_mtime_ns), status.st_size, path))
            else:
                path.unlink()
    room = LIMIT
    for _, size, path in sorted(programs, reverse=True):
        room -= size
        if room < 0:
            path.unlink(missing_ok=True)


def _whole(path: Path) -> bool:
    """Whether jax could unpack the file; one in another format than that of zlib is taken to be whole."""
    content = path.read_bytes()
    if content and content[0] != 0x78:
        return True
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(content)
    except zlib.error:
        return False
    return unpacking.eof


def _configure(settings: dict[str, Any]) -> None:
    """Makes settings of jax, those of the environment that are not ours apart, before or after its import."""
    jax = sys.modules.get("jax")
    for name, value in settings.items():
        if name != FOLDER and name in os.environ:
            continue
        os.environ[name] = str(value)
        if jax is not None:
            jax.config.update(name.lower(), value)
