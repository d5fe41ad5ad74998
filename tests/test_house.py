"""The house: a room imports from floors below it, or from itself; programs import no circle."""

import ast
import graphlib
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "attention_lab"

FLOORS = {
    "storage.files": -1, "config": 0, "storage": 1,
    "attention": 2, "data": 2, "decoding": 2, "evaluation": 2, "statistics": 2,
    "models": 3, "figures": 3, "view": 3, "training": 4, "tasks": 5, "analysis": 6, "sweeps": 6, "studies": 7,
}
OURS = {"attention_lab", "configs", "experiments", "tests"}
NO_JAX = ("config", "data", "statistics", "evaluation")
JAX_FAMILY = {"jax", "jaxlib", "flax", "optax", "chex", "orbax"}


def imports(source):
    """Dotted names that the source imports, wherever in it: `from a import b` gives a and a.b.

    What it imports later, by `Later("a.b")`, counts as well.
    """
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            names += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Later":
            names.append(node.args[0].value)
    return names


def room_of(name):
    """The room of a module or of what it holds, by its dotted name below attention_lab."""
    whole = ".".join(name.split(".")[:2])
    return whole if whole in FLOORS else name.split(".")[0]


def room_of_file(path):
    """The room that a file is in."""
    return room_of(".".join(path.relative_to(PACKAGE).with_suffix("").parts))


def breaches(room, names):
    """Rules of the house that a module of this room breaks by importing these names."""
    found = []
    for name in names:
        top, *below = name.split(".")
        if top == "absl" and below[:1] == ["flags"]:
            found.append(f"{name}: flags are read in experiments/ alone")
        if top == "flax" and below[:1] == ["linen"] and room != "models":
            found.append(f"{name}: flax.linen is imported under models/ alone")
        if room in NO_JAX and top in JAX_FAMILY:
            found.append(f"{name}: {room} does without jax")
        if room == "attention" and top not in {"jax", "numpy", "chex", "functools", "collections",
                                               "importlib", "typing", "dataclasses", "math", "attention_lab"}:
            found.append(f"{name}: attention imports jax, numpy, chex and itself alone")
        if top in OURS - {"attention_lab"}:
            found.append(f"{name}: attention_lab/ stands below {top}/")
        if top == "attention_lab" and below:
            other = room_of(".".join(below))
            if other != room and (FLOORS[other] >= FLOORS[room] or room == "attention"):
                found.append(f"{name}: {room} (floor {FLOORS[room]}) imports from {other} "
                             f"(floor {FLOORS[other]})")
    return found


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE
                 or path.name != "__init__.py")


def test_every_room_has_a_floor():
    assert MODULES
    assert {room_of_file(path) for path in MODULES} == set(FLOORS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path):
    assert breaches(room_of_file(path), imports(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("room, source, count", [
    ("models", "from attention_lab import attention", 0),
    ("models", "import flax.linen as nn", 0),
    ("models", "from attention_lab.training import state", 2),
    ("models", "def f():\n    import attention_lab.tasks.translation", 1),
    ("models", "tasks = Later('attention_lab.tasks.translation')", 1),
    ("training", "from flax import linen", 1),
    ("attention", "import jax.numpy as jnp\nimport numpy as np", 0),
    ("attention", "import optax", 1),
    ("attention", "from attention_lab import config", 1),
    ("data", "import jax", 1),
    ("statistics", "import jax.numpy as jnp", 1),
    ("tasks", "from absl import flags", 1),
    ("tasks", "from attention_lab.tasks import other\nfrom attention_lab import data", 0),
    ("config", "import experiments.train", 1),
    ("decoding", "from attention_lab.data import vocabulary", 2),
    ("storage", "from attention_lab import config", 0),
    ("config", "from attention_lab import storage", 1),
    ("config", "from attention_lab.storage.files import digest", 0),
    ("storage.files", "from attention_lab.storage import runs", 2),
    ("storage", "from attention_lab.storage.files import digest", 0),
])
def test_the_rules_themselves(room, source, count):
    assert len(breaches(room, imports(source))) == count


PROGRAMS = ROOT / "experiments"


def circle(files):
    """The names of modules, {dotted name: source}, that import one another in a circle; none: []."""
    edges = {}
    for name, source in files.items():
        # `from a import b` names a and a.b: where a.b is a module, it is what is meant.
        named = [other for other in imports(source) if other in files]
        edges[name] = {other for other in named if other != name and not any(
            longer.startswith(other + ".") for longer in named)}
    try:
        graphlib.TopologicalSorter(edges).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def modules(folder):
    """{dotted name: source} of the Python files below a folder of the root."""
    found = {}
    for path in folder.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return found


@pytest.mark.parametrize("folder", [PACKAGE, PROGRAMS], ids=lambda folder: folder.name)
def test_files_import_no_circle(folder):
    assert circle(modules(folder)) == []


@pytest.mark.parametrize("files, count", [
    ({"a": "import b", "b": "import c", "c": ""}, 0),
    ({"a": "import b", "b": "def f():\n    import a"}, 3),
    ({"a": "from p import b", "p": "", "p.b": "from p import c", "p.c": "import p.b"}, 3),
    ({"p": "from p import b", "p.b": "from p import c", "p.c": ""}, 0),
])
def test_a_circle_is_found(files, count):
    assert len(circle(files)) == count


def inner_imports(source):
    """Names of functions that import something."""
    return {function.name for function in ast.walk(ast.parse(source))
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
            for node in ast.walk(function) if isinstance(node, (ast.Import, ast.ImportFrom))}


@pytest.mark.parametrize("path", sorted(PROGRAMS.glob("*.py")), ids=lambda path: path.name)
def test_programs_import_in_main_alone(path):
    """What starts jax: by then flags are right. All else is imported where a file begins."""
    assert inner_imports(path.read_text(encoding="utf-8")) <= {"main"}


def test_what_is_only_drawn_or_written_at_the_end_is_imported_then():
    code = ("import sys, attention_lab.tasks.train; "
            "sys.exit(any(name in sys.modules for name in ('matplotlib', 'orbax.checkpoint', 'torch')))")
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_no_program_starts_jax_before_its_flags_are_right():
    code = ("import sys, experiments.__main__ as listed; programs = listed.programs(); "
            "sys.exit(len(programs) < 10 or 'jax' in sys.modules or 'scipy' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
