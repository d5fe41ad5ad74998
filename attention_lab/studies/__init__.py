"""Studies: a question, the runs that answer it, claims fixed before the runs, and a figure.

    study.py         the record Study                        values.py        a claim's value, as data
    load.py          studies by their folders                declaration.py   claims and recipe, hashed
    measure.py       measures missing cells                  table.py         runs.csv and arrays.npz
    reproduce.py     measure, judge, draw, tables            tables.py        verdicts in write-ups and ledger
    varied.py        final runs at other steps and rates     robust.py        what a verdict survives
    recipes/         shared by several studies: arms, tuning, measurements, drawing

A study is a folder with a study.py that defines STUDY, a Study; nothing else names it.
"""

from attention_lab.statistics import Claim
from attention_lab.studies.study import Rows, Study
from attention_lab.studies.values import difference, function, mean, nearest, slope

__all__ = ["Claim", "Rows", "Study", "difference", "function", "mean", "nearest", "slope"]
