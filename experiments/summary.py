"""What all studies found, in one figure and one table, from their verdicts.json alone."""

import math
from collections.abc import Sequence
from pathlib import Path

from attention_lab.figures import style
from attention_lab.figures.forest import forest
from attention_lab.statistics import spelled
from attention_lab.storage.files import read_json, write_text


def summarise(results: Path, names: Sequence[str]) -> None:
    """Writes claims.png and claims.md beside the studies' folders; studies without verdicts are left out."""
    verdicts = [{"study": name} | one for name in names if (results / name / "verdicts.json").exists()
                for one in read_json(results / name / "verdicts.json")["verdicts"]]
    for one in verdicts:  # JSON has no infinity
        one |= {"low": -math.inf if one["low"] is None else one["low"],
                "high": math.inf if one["high"] is None else one["high"]}
    lines = ["| study | claim | published | ours with 95 % CI | n | verdict |",
             "| --- | --- | --- | --- | --- | --- |"]
    for one in verdicts:
        kind = "" if one["primary"] else " (exploratory)"
        ours = spelled(one["effect"], one["low"], one["high"], one["seeds"])
        lines.append(f"| {one['study']} | {one['statement']}{kind} | {one['published'] or '-'} | {ours} | "
                     f"{one['seeds']} | {one['verdict']} |")
    write_text(results / "claims.md", "\n".join(lines) + "\n")
    style.save(forest(verdicts), results / "claims.png")
