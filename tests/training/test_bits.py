"""Tests that compare bits, in a process of its own that compiles as training does."""

import os
import pathlib
import subprocess
import sys

FILE = pathlib.Path(__file__).with_name("test_together.py")


def test_several_runs_in_one_program():
    flags = os.environ["XLA_FLAGS"].replace("--xla_cpu_use_fusion_emitters=false",
                                            "--xla_cpu_use_fusion_emitters=true")
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run([sys.executable, "-m", "pytest", "-v", "-n", "0", str(FILE)], capture_output=True,
                          text=True, cwd=FILE.parents[2], env=own | {"XLA_FLAGS": flags})
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout and "skipped" not in done.stdout, done.stdout[-2000:]
