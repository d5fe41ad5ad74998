"""What a verdict survives: other numbers of steps, and each learning rate of the study's grid.

A study's folder has the means behind it in robust/values.json (`varied.py` measures them). A few seeds decide
no exact test, so that a mean is no verdict: it lies where the verdict says, or it does not.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attention_lab.storage.files import read_json

FOLDER, VALUES = "robust", "values.json"
STEPS, RATE = "steps", "rate"  # what is varied
WORDS = {STEPS: "budget", RATE: "rate"}
MEANING = ("robust: what a verdict survives, by means of a few seeds at half, twice and four times the steps "
           "(budget) and at each learning rate of the grid (rate): all, one of both, or what breaks it")


def survives(verdict: Mapping[str, Any], value: float | None) -> bool | None:
    """Whether a mean lies where the verdict says; None for a verdict that is inconclusive.

    supported: on the claimed side of the threshold; of an equality, within the margin.
    refuted: not on the claimed side, or within the margin; of an equality, outside the margin.
    No value lies nowhere.

    verdict: as in verdicts.json.
    """
    if verdict["verdict"] == "inconclusive":
        return None
    if value is None:
        return False
    difference, margin = value - verdict["threshold"], verdict["margin"] or 0.0
    within = abs(difference) < margin
    if verdict["direction"] == "equal":
        return within == (verdict["verdict"] == "supported")
    claimed = difference > 0 if verdict["direction"] == "greater" else difference < 0
    return claimed if verdict["verdict"] == "supported" else within or not claimed


def word(verdict: Mapping[str, Any], kept: Mapping[str, Any] | None, declared_hash: str) -> str:
    """What a verdict survives: "all", "budget" (of steps), "rate", or "not" and what breaks it.

    "" where nothing was measured, or the verdict is inconclusive; "of other claims" where it was.

    kept: the content of values.json, None where there is none. declared_hash: of the claims of the verdict.
    """
    if kept is None or verdict["verdict"] == "inconclusive":
        return ""
    if kept["declared_hash"] != declared_hash:
        return "of other claims"
    broken = [at for at in kept["means"] if not survives(verdict, at["values"][verdict["name"]])]
    kinds = {at["vary"] for at in kept["means"]}
    safe = kinds - {at["vary"] for at in broken}
    if safe == {STEPS, RATE}:
        return "all"
    return WORDS[safe.pop()] if safe else "not " + ", ".join(map(name, broken))


def name(at: Mapping[str, Any]) -> str:
    """A variation in words: "2 x steps", "rate 0.01"."""
    return f"{at['to']:g} x steps" if at["vary"] == STEPS else f"rate {at['to']:g}"


def read(folder: Path) -> dict[str, Any] | None:
    """The content of values.json in the folder of a study, None where there is none."""
    path = folder / FOLDER / VALUES
    return read_json(path, {"declared_hash": str, "means": list}) if path.exists() else None


def lines(results: Mapping[str, Any], kept: Mapping[str, Any]) -> list[list[str]]:
    """Rows of a table, the header first: claim, verdict, its mean at each variation, what it survives.

    A mean that the verdict does not survive has a "!"; behind a variation stands its number of seeds.
    """
    head = ["claim", "verdict", *(f"{name(at)} ({at['seeds']})" for at in kept["means"]), "robust"]
    return [head] + [[each["statement"], each["verdict"],
                      *(_shown(each, at["values"][each["name"]]) for at in kept["means"]),
                      word(each, kept, results["declared_hash"]) or "-"] for each in results["verdicts"]]


def _shown(verdict, value):
    text = "no value" if value is None else f"{value:.3g}"
    return text + " !" * (survives(verdict, value) is False)
