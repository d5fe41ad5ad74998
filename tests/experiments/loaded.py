"""The studies of experiments/studies, and what else their files define."""

import pathlib
import types

from attention_lab.statistics import judge
from attention_lab.studies import load, table

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "experiments" / "studies"
NAMES = load.names(FOLDER)
MEASURED = [name for name in NAMES if (FOLDER / name / table.RUNS).exists()]  # others are not yet run


def study(name):
    """The study of this name."""
    return load.load(name, FOLDER)


def module(name):
    """What the file of the study defines, by name."""
    return types.SimpleNamespace(**study(name).draw.__globals__)


def verdicts(one, rows):
    """What the claims of a study come to on some rows."""
    return {found.claim.name: found.verdict for found in judge(one.claims, one.values(rows))}
