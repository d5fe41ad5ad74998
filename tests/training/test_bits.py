"""Tests whose outcome may hang on how XLA compiles, in a process that compiles as training does."""

import os
import pathlib
import subprocess
import sys

from attention_lab.storage import xla

TESTS = pathlib.Path(__file__).parents[1]


def test_as_training_compiles():
    """Several runs in one program, bit for bit, and the canaries."""
    kept = [flag for flag in os.environ["XLA_FLAGS"].split() if flag not in xla.SHORT_COMPILATION]
    # XLA's defaults, spelled out, for conftest.py would put in its own.
    defaults = xla.supported(["--xla_backend_optimization_level=3", "--xla_cpu_use_fusion_emitters=true"])
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    together = TESTS / "training" / "test_together.py"
    files = [f"{together}::test_map_equals_each_run_alone_bit_for_bit",
             f"{together}::test_a_killed_group_goes_on_from_its_last_checkpoint",
             str(TESTS / "test_canaries.py")]
    done = subprocess.run([sys.executable, "-m", "pytest", "-v", "-n", "0", *files], capture_output=True,
                          text=True, cwd=TESTS.parent, env=environ | {"XLA_FLAGS": " ".join(kept + defaults)})
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "test_together.py" in done.stdout and "test_canaries.py" in done.stdout
    skipped = [line for line in done.stdout.splitlines()
               if " SKIPPED " in line and "still_needed" not in line]
    assert " passed" in done.stdout and not skipped, skipped
