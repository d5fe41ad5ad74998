"""All claims in one table: a line each, within the width of a terminal, states beside them."""

from attention_lab.studies import ledger
from attention_lab.studies.declared import Declared

ONE = {"name": "better", "primary": True,
       "statement": "a scores more than b by over 2, in whatever is asked of either " * 2, "seeds": 6,
       "value": 3.0917, "low": 3.0, "high": 3.25, "direction": "greater", "threshold": 2.0,
       "margin": 0.5, "published": [2.5, 2.75], "verdict": "supported"}
OTHER = ONE | {"name": "same", "statement": "b is its own equal", "primary": False, "seeds": 3,
               "value": 0.0, "low": None, "high": None, "direction": "equal", "published": "",
               "verdict": "inconclusive"}
EVERY = {"tiny": {"question": "Is a better?", "declared_hash": "abc", "verdicts": [ONE, OTHER]},
         "wide": {"question": "Is it? " * 30, "declared_hash": "abc", "verdicts": [ONE]}}
DECLARED = {"tiny": Declared("recorded"), "wide": Declared("no", ("claims changed since: one was added",))}
KEPT = {"tiny": {"declared_hash": "abc", "means": [
    {"vary": "steps", "to": 4.0, "seeds": 4, "values": {"better": 2.5, "same": 0.0}},
    {"vary": "rate", "to": 0.01, "seeds": 4, "values": {"better": 1.5, "same": 0.0}}]}, "wide": None}


def test_a_claim_is_a_line_in_its_own_unit():
    first, second = ledger.lines(EVERY["tiny"])
    assert first[1:] == ["6", "3.09", "3.00 to 3.25", "> 2 ± 0.5", "2.5 to 2.75", "supported", ""]
    assert second == ["b is its own equal (exploratory)", "3", "0", "-", "= 2 ± 0.5", "-", "inconclusive",
                      ""]
    assert [line[-1] for line in ledger.lines(EVERY["tiny"], KEPT["tiny"])] == ["budget", ""]


def test_markdown_has_a_row_for_each_claim_and_what_is_against_a_declaration():
    lines = ledger.markdown(EVERY, DECLARED).splitlines()
    assert lines[0].startswith("| study | claim | n |") and lines[0].endswith(
        "| verdict | robust | declared |")
    assert [line.split(" | ")[-1] for line in lines[2:5]] == ["recorded |", "recorded |", "no |"]
    assert lines[3].startswith("| tiny | b is its own equal (exploratory) | 3 | 0 | - | = 2")
    assert lines[-1] == "declared, no: wide: claims changed since: one was added"
    assert any(line.startswith("declared, recorded: a clean commit before") for line in lines)
    assert not any("declared, yes" in line or line.startswith("robust: ") for line in lines)
    lines = ledger.markdown(EVERY, DECLARED, KEPT).splitlines()
    assert [line.split(" | ")[-2] for line in lines[2:5]] == ["budget", "", ""]
    assert any(line.startswith("robust: what a verdict survives") for line in lines)


def test_a_terminal_shows_every_word_within_its_width():
    text = ledger.terminal(EVERY, DECLARED, KEPT)
    assert max(map(len, text.splitlines())) == ledger.WIDTH
    assert "tiny: Is a better? Declared: recorded\n" in text and "Declared: no\n" in text
    head, block = text.split("\n\n")[:2]
    starts = [head.index(name) for name in ledger.COLUMNS]
    rows = block.splitlines()[1:]
    claim = " ".join(row[:starts[1]].strip() for row in rows)
    assert claim == f"{ONE['statement'].strip()} {OTHER['statement']} (exploratory)"
    first = rows[0].ljust(ledger.WIDTH)
    assert [first[start:end].strip() for start, end in zip(starts[1:], [*starts[2:], None])] == [
        "6", "3.09", "3.00 to 3.25", "> 2 ± 0.5", "2.5 to 2.75", "supported", "budget"]
