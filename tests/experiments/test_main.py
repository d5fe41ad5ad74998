"""python -m experiments: each program has a line."""

import pathlib
import subprocess
import sys

import pytest

from experiments import __main__ as listed
from experiments import flags

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


@pytest.mark.parametrize("program", listed.programs(), ids=lambda program: program.name)
def test_a_program_that_computes_nothing_prepares_no_jax(capsys, monkeypatch, program):
    """Whoever computes with a jaxlib that gets sums wrong is told at the start; whoever lists is not."""
    monkeypatch.setattr(flags.xla, "avoid_wrong_sums", lambda: "some sums are wrong")
    given = ["--config=configs/recall.py:smoke"] if program.config == "required" else []
    given += [f"--{name}=1" for name, flag in program.flags.items() if flag.required]
    for switch in {"list", "dry_run"} & program.flags.keys():
        with pytest.raises(SystemExit) as ended:
            flags.run(lambda options: 0, program, [*given, f"--{switch}"])
        assert (ended.value.code, *capsys.readouterr()) == (0, "", ""), switch
    with pytest.raises(SystemExit):
        flags.run(lambda options: 0, program, given)
    assert capsys.readouterr().err == f"{program.name}: some sums are wrong\n" * program.device
