"""Studies: a question, the runs that answer it, claims fixed before them, and a figure.

    study.py         Study, what a study says of itself      values.py        what a claim is about, as data
    load.py          studies by their folders                declaration.py   claims and recipe, hashed
    measure.py       the runs that a table lacks             table.py         runs.csv and arrays.npz
    reproduce.py     measure, judge, draw, tables            tables.py        verdicts in write-ups and ledger
    recipes/         what several studies share: arms, tuning, measures, drawing

A study is one folder with a study.py, whose STUDY is a Study; nothing else names it.
"""

from attention_lab.statistics import Claim
from attention_lab.studies.study import Rows, Study
from attention_lab.studies.values import difference, function, mean, nearest, slope

__all__ = ["Claim", "Rows", "Study", "difference", "function", "mean", "nearest", "slope"]
