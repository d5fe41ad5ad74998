"""A program with flags of every kind, for tests of parsing and of what a program ends with."""

import pathlib

import pytest

from experiments import flags

ROOT = pathlib.Path(flags.__file__).parents[1]
CONFIG = f"--config={ROOT}/configs/translation.py:smoke"
FLAGS = {
    "workdir": flags.Flag("", "folder of the run"),
    "dry_run": flags.Flag(False, "writes nothing"),
    "beam": flags.Flag(5, "hypotheses kept"),
    "rate": flags.Flag(0.5, "a rate"),
}


def parse(*argv, config="required", declared=None):
    return flags.parse(flags.Program("train", "Trains one run.", declared or FLAGS, config), argv)


def ends(capsys, main, *argv, config="required"):
    """Exit status, stdout and stderr of a program whose main is `main`."""
    with pytest.raises(SystemExit) as left:
        flags.run(main, flags.Program("train", "Trains one run.", FLAGS, config), argv)
    return left.value.code, *capsys.readouterr()
