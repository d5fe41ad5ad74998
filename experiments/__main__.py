"""python -m experiments: lists the programs, one on each line."""

import importlib

from experiments.program import Program

NAMES = ("train", "translate", "sample", "evaluate", "disambiguate", "view", "align", "sweep", "compare",
         "power", "runs", "export", "benchmark", "reproduce", "claims", "fetch")


def programs() -> list[Program]:
    """All programs, in the order in which a user needs them."""
    return [importlib.import_module(f"experiments.{name}").PROGRAM for name in NAMES]


if __name__ == "__main__":
    for program in programs():
        does = " ".join(program.meaning.split()).partition(".")[0]
        print(f"python -m experiments.{program.name:13} {does}.")
    print("--help after a program's name shows its flags.")
