"""Tables of verdicts: of one study, of all (the ledger), and in any document with a block for them.

The lines between two comments are replaced whenever a study is reproduced:

    <!-- verdicts NAME [CLAIM ...] -->     one study, all its claims or those named
    <!-- ledger -->                        all studies
    <!-- end -->

All numbers of a row, the published one included, are in the claim's unit.
"""

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.figures import style
from attention_lab.figures.verdicts import verdict_grid
from attention_lab.statistics import Interval, Verdict
from attention_lab.storage.files import read_json, write_text
from attention_lab.studies.declared import declared
from attention_lab.studies.study import Study

VERDICTS = "verdicts.json"
LEDGER = "README.md"
BLOCK = re.compile(r"(<!-- (verdicts|ledger)((?: [\w-]+)*) -->\n).*?(<!-- end -->)", re.DOTALL)
SIGNS = {"greater": ">", "less": "<", "equal": "="}
NEW_LEDGER = "# What the studies found\n\n<!-- ledger -->\n<!-- end -->\n\n![All verdicts](claims.png)\n"


def record(study: Study, about: Mapping[str, Any], hash_now: str, changed: Sequence[str],
           verdicts: Iterable[Verdict], resampled: Mapping[str, Interval],
           left_out: Mapping[str, str] = {}, computed: Collection[str] = ()) -> dict[str, Any]:
    """The content of verdicts.json, from which all tables are made.

    left_out, computed: as of `Study.left_out` and `Study.computed_in`.
    """
    return {
        "question": study.question, "claims_hash": hash_now,
        "declared_hash": about["claims_hash"], "declared_scheme": about["claims_scheme"],
        "changed_since_declared": list(changed), **({"left_out": dict(left_out)} if left_out else {}),
        "verdicts": [{
            "name": each.claim.name, "statement": each.claim.statement, "primary": each.claim.primary,
            "direction": each.claim.direction, "threshold": each.claim.threshold, "margin": each.claim.margin,
            "published": each.claim.published, "value": each.value, "low": each.interval.low,
            "high": each.interval.high, "level": each.interval.level,
            **({"two_level": resampled[each.claim.name][:2]} if each.claim.name in resampled else {}),
            **({"computed": True} if each.claim.name in computed else {}),
            "seeds": each.seeds, "p": each.p, "verdict": each.verdict, "reason": each.reason}
            for each in verdicts]}


def lines(results: Mapping[str, Any], claims: Sequence[str] = (), two_level: bool = True) -> list[list[str]]:
    """Rows of a table of one study's verdicts, the header first.

    Args:
      results: the content of verdicts.json.
      claims: names; empty: all claims.
      two_level: adds a column of bootstrap intervals, as of `Study.resampled`, where there are any.
    """
    chosen = [verdict for verdict in results["verdicts"] if not claims or verdict["name"] in claims]
    two_level = two_level and any("two_level" in verdict for verdict in chosen)
    changed = ", claims changed since declared" * bool(results["changed_since_declared"])
    table = [["claim", "is to be", "published", "value (95 % interval)",
              *["95 % by bootstrap"] * two_level, "n", "verdict"]]
    for verdict in chosen:
        resampled = "two_level" in verdict and not verdict.get("computed")
        anew = "{:.3g} to {:.3g}".format(*verdict["two_level"]) if resampled else "-"
        table.append([verdict["statement"] + " (exploratory)" * (not verdict["primary"]), claimed(verdict),
                      published(verdict["published"]), _measured(verdict), *[anew] * two_level,
                      sample(verdict), verdict["verdict"] + changed])
    return table


def notes(name: str, results: Mapping[str, Any]) -> list[str]:
    """Notes beside the verdicts of a study: claims that its device leaves out, or that were changed."""
    reasons: dict[str, list[str]] = {}
    for claim, why in results.get("left_out", {}).items():
        reasons.setdefault(why, []).append(claim)
    left_out = [f"{name}: {why}, so that these claims are not judged: {', '.join(claims)}"
                for why, claims in reasons.items()]
    if not results["changed_since_declared"]:
        return left_out
    return [*left_out,
            f"{name}: claims were changed after they had been declared (hash {results['declared_hash']}, "
            f"scheme {results['declared_scheme']}; now {results['claims_hash']}): "
            + "; ".join(results["changed_since_declared"])]


def read(root: Path) -> dict[str, dict[str, Any]]:
    """{study's name: content of its verdicts.json}, of all folders below `root` that have one."""
    return {path.parent.name: read_json(path, {"question": str, "verdicts": list,
                                               "changed_since_declared": list})
            for path in sorted(root.glob(f"*/{VERDICTS}"))}


def write_tables(root: Path, documents: Sequence[Path] = ()) -> None:
    """Updates the ledger, claims.png and the tables in write-ups and documents.

    Args:
      root: parent of the studies' folders; those without verdicts.json are left out.
      documents: files elsewhere with blocks for tables.
    Raises:
      ValueError: a block names an unknown study or claim.
    """
    every = read(root)
    write_ups = {root / name / "README.md": _new_write_up(name, results) for name, results in every.items()}
    for path, new in {root / LEDGER: NEW_LEDGER, **write_ups, **dict.fromkeys(documents, "")}.items():
        before = path.read_text(encoding="utf-8") if path.exists() else new
        after = BLOCK.sub(lambda block: block[1] + _block(path, block, every) + block[4], before)
        if after != before or not path.exists():
            write_text(path, after)
    style.save(verdict_grid(every, {name: each.short for name, each in declared(root, every).items()}),
               root / "claims.png")


def _new_write_up(name, results):
    return f"# {results['question']}\n\n<!-- verdicts {name} -->\n<!-- end -->\n\n![{name}](figure.png)\n"


def _block(path, block, every):
    names = block[3].split()
    if block[2] == "ledger":
        tables = {name: lines(results, two_level=False) for name, results in every.items()}
        head = ["study", *next(iter(tables.values()))[0]]
        body = [[f"[{name}]({name}/README.md)", *row] for name, table in tables.items() for row in table[1:]]
        return markdown([head, *body], [note for name in every for note in notes(name, every[name])])
    study, *claims = names
    if study not in every:
        raise ValueError(f"{path} names the study {study}, which has no verdicts")
    unknown = set(claims) - {verdict["name"] for verdict in every[study]["verdicts"]}
    if unknown:
        raise ValueError(f"{path} names claims that {study} does not have: {', '.join(sorted(unknown))}")
    return markdown(lines(every[study], claims), notes(study, every[study]))


def markdown(rows: Sequence[Sequence[str]], after: Sequence[str]) -> str:
    """A table, its header first, and a paragraph for each line `after` it."""
    table = ["| " + " | ".join(row) + " |" for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]]]
    return "\n".join(table) + "\n" + "".join(f"\n{note}\n" for note in after)


def sample(verdict: Mapping[str, Any]) -> str:
    """How many seeds a value is of; "-" where every seed has the same by construction."""
    return "-" if verdict.get("computed") else str(verdict["seeds"])


def claimed(verdict: Mapping[str, Any]) -> str:
    """What is claimed of the value, such as "> 0.5 ± 0.1"."""
    margin = f" ± {verdict['margin']:g}" if verdict["margin"] else ""
    return f"{SIGNS[verdict['direction']]} {verdict['threshold']:.3g}{margin}"


def published(value: Any) -> str:
    """The published number, two as a range, or the words."""
    if isinstance(value, str):
        return value or "-"
    return " to ".join(f"{end:.3g}" for end in np.atleast_1d(value))


def _measured(verdict):
    value, interval = measured(verdict)
    if verdict.get("computed"):
        return value
    return f"{value} ({interval or 'no interval: {} seeds'.format(verdict['seeds'])})"


def measured(verdict: Mapping[str, Any]) -> tuple[str, str]:
    """The value and its interval, "" where there is none."""
    ends = [verdict["low"], verdict["high"]]
    if verdict.get("computed") or None in ends:  # an infinite end, which JSON can't hold, is None
        return f"{verdict['value']:.3g}", ""
    # Three digits of the largest number and two of the interval's width, whichever are more decimals.
    places = max(_places(max(map(abs, ends)), 3), _places(ends[1] - ends[0], 2))
    return f"{verdict['value']:.{places}f}", "{0:.{2}f} to {1:.{2}f}".format(*ends, places)


def _places(number: float, digits: int) -> int:
    """Decimal places that show this many significant digits of a number."""
    return max(0, min(9, digits - 1 - math.floor(math.log10(number)))) if number else 0
