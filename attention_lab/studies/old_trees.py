"""A study's declaration as the code of an earlier commit computes it, in a process of its own."""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from attention_lab.studies.history import git

SECONDS = 120
# By scheme: sets `declared` from name, folder of studies, and preset, by the modules of the commit's tree.
SCHEMES = {
    1: """
import dataclasses, importlib
study = importlib.import_module("experiments.studies." + name).STUDY
declared = {"claims_hash": study.claims_hash(), "claims": [dataclasses.asdict(one) for one in study.claims]}
""",
    2: """
import pathlib
from attention_lab.studies import declaration, load
declared = declaration.declare(load.load(name, pathlib.Path(folder)), preset)
""",
}
BEFORE = "import json, os, sys\nname, folder, preset = sys.argv[1:]\n"
AFTER = """
for module in list(sys.modules.values()):  # an installed copy is not the commit's
    file = getattr(module, "__file__", None) or os.getcwd()
    ours = module.__name__.partition(".")[0] in ("attention_lab", "experiments", "configs")
    if ours and not os.path.realpath(file).startswith(os.getcwd()):
        sys.exit(f"its tree has no {module.__name__}")
print(json.dumps(declared))
"""


def declaration_at(commit: str, name: str, scheme: int, preset: str, root: Path) -> dict[str, Any]:
    """Hash and claims of a study as the tree of a commit computes them.

    Args:
      root: parent of the studies' folders, in a checkout that has the commit.
    Raises:
      ValueError: the tree does not run with the packages of today, or has no such study; with the reason.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme {scheme} of its claims is not one of {', '.join(map(str, SCHEMES))}")
    folder = git(root, "rev-parse", "--show-prefix").decode().strip() or "."
    with tempfile.TemporaryDirectory(prefix="attention_lab-") as place:
        place = os.path.realpath(place)
        top = git(root, "rev-parse", "--show-toplevel").decode().strip()
        with tarfile.open(fileobj=io.BytesIO(git(Path(top), "archive", "--format=tar", commit))) as tree:
            tree.extractall(place, filter="data")
        return _answer([name, folder, preset], BEFORE + SCHEMES[scheme] + AFTER, place)


def _answer(words, code, place):
    surroundings = {**os.environ, "PYTHONPATH": place, "PYTHONDONTWRITEBYTECODE": "1", "JAX_PLATFORMS": "cpu"}
    try:
        done = subprocess.run([sys.executable, "-c", code, *words], cwd=place, env=surroundings,
                              capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"it takes more than {SECONDS} s") from error
    if done.returncode:
        raise ValueError((done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1])
    return json.loads(done.stdout.splitlines()[-1])
