"""python -m experiments: each program has a line."""

import pathlib
import subprocess
import sys

from experiments import __main__ as listed

ROOT = pathlib.Path(__file__).parents[2]


def test_every_program_has_a_line():
    files = (ROOT / "experiments").glob("*.py")
    declared = {path.stem for path in files if "\nPROGRAM = " in path.read_text()}
    assert declared == set(listed.NAMES) and len(listed.NAMES) == len(declared)
    assert [program.name for program in listed.programs()] == list(listed.NAMES)
    done = subprocess.run([sys.executable, "-m", "experiments"], cwd=ROOT, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and done.stderr == "" and len(lines) == len(declared) + 1
    for name, line in zip(listed.NAMES, lines):
        assert line.startswith(f"python -m experiments.{name} ") and line.endswith(".") and len(line) < 120
