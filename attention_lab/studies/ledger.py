"""The ledger: all claims of all studies in one table, for a terminal or as Markdown."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from attention_lab.studies import robust, tables
from attention_lab.studies.declared import Declared

COLUMNS = ("claim", "n", "value", "95 % interval", "is to be", "published", "verdict", "robust")
WIDTHS = (2, 8, 18, 12, 12, 12, 8)  # of all but the claim, which takes what is left of WIDTH
WIDTH, GAP = 120, "  "
MEANINGS = {
    "yes": "claims with this hash were committed before the results, as that commit's own code says",
    "recorded": "a clean commit before the results is recorded; --check computes the hash from it again",
}


# {study: content of its robust/values.json}, None where it was not measured
Kept = Mapping[str, Mapping[str, Any] | None]


def lines(results: Mapping[str, Any], kept: Mapping[str, Any] | None = None) -> list[list[str]]:
    """A line of COLUMNS for each claim of a study, from its verdicts.json and robust/values.json."""
    return [[each["statement"] + " (exploratory)" * (not each["primary"]), tables.sample(each),
             value, interval or "-", tables.claimed(each), tables.published(each["published"]),
             each["verdict"], robust.word(each, kept, results["declared_hash"])]
            for each in results["verdicts"] for value, interval in [tables.measured(each)]]


def markdown(every: Mapping[str, Mapping[str, Any]], declared: Mapping[str, Declared],
             kept: Kept = {}) -> str:
    """One table of all studies; below it a line for each study with something against its declaration."""
    rows = [[name, *line, declared[name].state] for name in every
            for line in lines(every[name], kept.get(name))]
    return tables.markdown([["study", *COLUMNS, "declared"], *rows], notes(declared, kept))


def terminal(every: Mapping[str, Mapping[str, Any]], declared: Mapping[str, Declared],
             kept: Kept = {}) -> str:
    """A block for each study, no line of it wider than WIDTH."""
    blocks = ["\n".join(_line(COLUMNS))]
    for name, results in every.items():
        head = textwrap.wrap(f"{name}: {results['question']} Declared: {declared[name].state}", WIDTH)
        claims = lines(results, kept.get(name))
        blocks.append("\n".join([*head, *(part for line in claims for part in _line(line))]))
    wrapped = [textwrap.fill(note, WIDTH, subsequent_indent=GAP) for note in notes(declared, kept)]
    return "\n\n".join([*blocks, "\n".join(wrapped)]) + "\n"


def notes(declared: Mapping[str, Declared], kept: Kept = {}) -> list[str]:
    """What the states mean, then what is said against the declaration of a study, one line each."""
    states = {declaration.state for declaration in declared.values()}
    return [*([robust.MEANING] if any(kept.values()) else []),
            *(f"declared, {state}: {meaning}" for state, meaning in MEANINGS.items() if state in states),
            *(f"declared, {declaration.state}: {name}: {'; '.join(declaration.reasons)}"
              for name, declaration in declared.items() if declaration.reasons)]


def _line(cells: Sequence[str]) -> list[str]:
    """A row's cells side by side, each in the lines that it needs."""
    widths = [WIDTH - sum(WIDTHS) - len(GAP) * len(WIDTHS), *WIDTHS]
    columns = [textwrap.wrap(cell, width, subsequent_indent=" " * (index == 0)) or [""]
               for index, (cell, width) in enumerate(zip(cells, widths, strict=True))]
    return [GAP.join((column[row] if row < len(column) else "").ljust(width)
                     for column, width in zip(columns, widths)).rstrip()
            for row in range(max(map(len, columns)))]
