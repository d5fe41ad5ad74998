"""What git knows of studies: the commits before others, and every committed version of each about.json."""

import contextlib
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab.studies.declaration import ABOUT


class Version(NamedTuple):
    """about.json as it is since `commit`."""

    commit: str
    about: dict[str, Any]


def git(folder: Path, *words: str, given: bytes | None = None) -> bytes:
    """What a git command writes to stdout; ValueError, with the reason, where it fails or there is no git."""
    try:
        done = subprocess.run(["git", *words], cwd=folder, input=given, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ValueError(f"git {words[0]}: {error}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [f"status {done.returncode}"]
        raise ValueError(f"git {words[0]}: {said[0]}")
    return done.stdout


def missing(folder: Path) -> str:
    """Why git can't tell what came before what: no checkout, or a shallow clone; "" where it can."""
    try:
        shallow = git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true"
        git(folder, "rev-parse", "--verify", "HEAD")
    except ValueError:
        return "not a git checkout with commits"
    return "a shallow clone" if shallow else ""


def versions(folder: Path) -> dict[str, list[Version]]:
    """{study: the versions of its about.json, oldest first}, wherever in the repository its folder was."""
    log = git(folder, "log", "--reverse", "--topo-order", "--full-history", "--no-renames",
              "--diff-filter=AM", "--format=commit %H", "--raw", "--no-abbrev", "--",
              f":(top,glob)**/{ABOUT}").decode()
    files, commit = [], ""
    for line in log.splitlines():
        if line.startswith("commit "):
            commit = line.split()[1]
        elif line:
            facts, path = line.split("\t")
            files.append((commit, Path(path).parent.name, facts.split()[3]))
    contents = _blobs(folder, [blob for *_, blob in files])
    by_study: dict[str, list[Version]] = {}
    for commit, name, blob in files:
        with contextlib.suppress(ValueError):  # of a damaged version, which tells nothing
            about = json.loads(contents[blob])
            if isinstance(about, dict):
                by_study.setdefault(name, []).append(Version(commit, about))
    return by_study


def is_before(folder: Path, commit: str, later: str) -> bool:
    """Whether a commit is `later` itself or an ancestor of it; ValueError where git has no such commit."""
    git(folder, "cat-file", "-e", f"{commit}^{{commit}}")
    try:
        git(folder, "merge-base", "--is-ancestor", commit, later)
    except ValueError:
        return False
    return True


def uncommitted(folder: Path, paths: Sequence[str]) -> list[str]:
    """Files below these paths, relative to a folder, that differ from the last commit; new ones, too."""
    changed = git(folder, "status", "--porcelain", "--no-renames", "-z", "--untracked-files=all", "--",
                  *paths).decode()
    return [entry[3:] for entry in changed.split("\0") if entry]


def _blobs(folder, names):
    """{name: content} of git's blobs."""
    names = list(dict.fromkeys(names))
    rest = git(folder, "cat-file", "--batch", given="".join(f"{name}\n" for name in names).encode())
    contents = {}
    for name in names:
        head, _, rest = rest.partition(b"\n")
        size = int(head.split()[2])
        contents[name], rest = rest[:size], rest[size + 1:]
    return contents
