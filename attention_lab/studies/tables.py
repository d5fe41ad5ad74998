"""Verdicts in tables: one study's, the ledger of all, and rows in any document that asks for them.

A document asks by two comments, between which its tables are written anew whenever a study is reproduced:

    <!-- verdicts NAME [CLAIM ...] -->     of one study, all its claims or those that are named
    <!-- ledger -->                        of all studies
    <!-- end -->

All numbers of a row, and the published one, are in the unit of the claim.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.figures import style
from attention_lab.figures.verdicts import verdict_grid
from attention_lab.statistics import Interval, Verdict
from attention_lab.storage.files import read_json, write_text
from attention_lab.studies.study import Study

VERDICTS = "verdicts.json"
LEDGER = "README.md"
BLOCK = re.compile(r"(<!-- (verdicts|ledger)((?: [\w-]+)*) -->\n).*?(<!-- end -->)", re.DOTALL)
SIGNS = {"greater": ">", "less": "<", "equal": "="}
NEW_LEDGER = "# What the studies found\n\n<!-- ledger -->\n<!-- end -->\n\n![All verdicts](claims.png)\n"


def record(study: Study, about: Mapping[str, Any], hash_now: str, changed: Sequence[str],
           verdicts: Iterable[Verdict], resampled: Mapping[str, Interval]) -> dict[str, Any]:
    """What verdicts.json holds, and all tables are made from."""
    return {
        "question": study.question, "claims_hash": hash_now,
        "declared_hash": about["claims_hash"], "declared_scheme": about["claims_scheme"],
        "changed_since_declared": list(changed),
        "verdicts": [{
            "name": one.claim.name, "statement": one.claim.statement, "primary": one.claim.primary,
            "direction": one.claim.direction, "threshold": one.claim.threshold, "margin": one.claim.margin,
            "published": one.claim.published, "value": one.value, "low": one.interval.low,
            "high": one.interval.high, "level": one.interval.level,
            **({"two_level": resampled[one.claim.name][:2]} if one.claim.name in resampled else {}),
            "seeds": one.seeds, "p": one.p, "verdict": one.verdict, "reason": one.reason}
            for one in verdicts]}


def lines(held: Mapping[str, Any], claims: Sequence[str] = ()) -> list[list[str]]:
    """A table of one study's verdicts, its head first: of all claims, or of those named."""
    chosen = [one for one in held["verdicts"] if not claims or one["name"] in claims]
    two_level = any("two_level" in one for one in chosen)
    changed = ", claims changed since declared" * bool(held["changed_since_declared"])
    head = ["claim", "is to be", "published", "value (95 % interval)",
            *["test sentences drawn anew, too"] * two_level, "n", "verdict"]
    return [head, *([
        one["statement"] + " (exploratory)" * (not one["primary"]), _claimed(one),
        _published(one["published"]), _measured(one),
        *[f"{one['two_level'][0]:.3g} to {one['two_level'][1]:.3g}" for _ in "x" * two_level],
        str(one["seeds"]), one["verdict"] + changed] for one in chosen)]


def notes(name: str, held: Mapping[str, Any]) -> list[str]:
    """What has to stand beside the verdicts of a study whose claims are not those that were declared."""
    if not held["changed_since_declared"]:
        return []
    return [f"{name}: claims were changed after they had been declared (hash {held['declared_hash']}, scheme "
            f"{held['declared_scheme']}; now {held['claims_hash']}): "
            + "; ".join(held["changed_since_declared"])]


def write_tables(root: Path, documents: Sequence[Path] = ()) -> None:
    """Writes the ledger and claims.png of a folder of studies, and the tables in write-ups and documents.

    Args:
      root: has a folder with verdicts.json for each study; others are left out.
      documents: files outside it that may ask for tables.
    Raises:
      ValueError: a document asks for a study or a claim that is not there.
    """
    every = {path.parent.name: read_json(path) for path in sorted(root.glob(f"*/{VERDICTS}"))}
    write_ups = {root / name / "README.md": _new_write_up(name, held) for name, held in every.items()}
    for path, new in {root / LEDGER: NEW_LEDGER, **write_ups, **dict.fromkeys(documents, "")}.items():
        before = path.read_text(encoding="utf-8") if path.exists() else new
        after = BLOCK.sub(lambda block: block[1] + _block(path, block, every) + block[4], before)
        if after != before or not path.exists():
            write_text(path, after)
    style.save(verdict_grid(every), root / "claims.png")


def _new_write_up(name, held):
    return f"# {held['question']}\n\n<!-- verdicts {name} -->\n<!-- end -->\n\n![{name}](figure.png)\n"


def _block(path, block, every):
    names = block[3].split()
    if block[2] == "ledger":
        tables = {name: lines({**held, "verdicts": [
            {key: value for key, value in one.items() if key != "two_level"} for one in held["verdicts"]]})
            for name, held in every.items()}
        head = ["study", *next(iter(tables.values()))[0]]
        body = [[f"[{name}]({name}/README.md)", *row] for name, table in tables.items() for row in table[1:]]
        return _markdown([head, *body], [note for name, held in every.items() for note in notes(name, held)])
    study, *claims = names
    if study not in every:
        raise ValueError(f"{path} asks for the verdicts of {study}, which has none")
    unknown = set(claims) - {one["name"] for one in every[study]["verdicts"]}
    if unknown:
        raise ValueError(f"{path} asks for claims that {study} does not have: {', '.join(sorted(unknown))}")
    return _markdown(lines(every[study], claims), notes(study, every[study]))


def _markdown(rows: list[list[str]], after: Sequence[str]) -> str:
    table = ["| " + " | ".join(row) + " |" for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]]]
    return "\n".join(table) + "\n" + "".join(f"\n{note}\n" for note in after)


def _claimed(one):
    margin = f" ± {one['margin']:g}" if one["margin"] else ""
    return f"{SIGNS[one['direction']]} {one['threshold']:.3g}{margin}"


def _published(published):
    if isinstance(published, str):
        return published or "-"
    return " to ".join(f"{end:.3g}" for end in np.atleast_1d(published))


def _measured(one):
    ends = [one["low"], one["high"]]
    if None in ends:  # JSON has no infinity
        return f"{one['value']:.3g} (no interval: {one['seeds']} seeds)"
    # Three digits of the largest number and two of the interval's width, whichever are more decimals.
    places = max(_places(max(map(abs, ends)), 3), _places(ends[1] - ends[0], 2))
    return "{0:.{3}f} ({1:.{3}f} to {2:.{3}f})".format(one["value"], *ends, places)


def _places(number: float, digits: int) -> int:
    """Decimal places that show so many digits of a number."""
    return max(0, min(9, digits - 1 - math.floor(math.log10(number)))) if number else 0
