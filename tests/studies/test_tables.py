"""Verdicts in tables: one unit a row, written where a document asks for them."""

import json

import pytest

from attention_lab.statistics import Interval
from attention_lab.studies import declaration, ledger, tables
from tests.studies.studies import STUDY

ABOUT = {"preset": "smoke", **declaration.declare(STUDY, "smoke")}
CELLS = STUDY.cells(STUDY.settings("smoke"))
ROWS = [cell | STUDY.measure(cell, STUDY.settings("smoke"), None) for cell in CELLS]


def held(changed=(), resampled=None):
    return json.loads(json.dumps(tables.record(STUDY, ABOUT, "now", changed, STUDY.verdicts(ROWS),
                                               resampled or {})))


def folder(tmp_path, **more):
    (tmp_path / "tiny").mkdir(exist_ok=True)
    (tmp_path / "tiny" / "verdicts.json").write_text(json.dumps(held(**more)))
    return tmp_path


def test_value_interval_threshold_and_published_are_in_one_unit():
    head, first, second = tables.lines(held())
    assert head == ["claim", "is to be", "published", "value (95 % interval)", "n", "verdict"]
    # 3 + 0.01 * (0, 1, 4, 9, 16, 25) / 6
    assert first == ["a scores more than b by over 2", "> 2 ± 0.5", "2.5", "3.09 (3.00 to 3.25)", "6",
                     "supported"]
    assert second[1:] == ["= 0 ± 0.1", "tied", "0 (0 to 0)", "6", "supported"]
    assert second[0].endswith(" (exploratory)")


def test_numbers_have_the_digits_that_tell_them_from_their_interval():
    one = {"value": 0.999931, "low": 0.999818, "high": 1.0, "seeds": 8}
    assert tables._measured(one) == "0.99993 (0.99982 to 1.00000)"
    assert tables._measured({**one, "value": 53.91, "low": 48.2, "high": 60.8}) == "53.9 (48.2 to 60.8)"
    assert tables._measured({**one, "low": None, "high": None, "seeds": 3}) == "1 (no interval: 3 seeds)"
    assert tables.published([0.48, 0.49]) == "0.48 to 0.49" and tables.published("") == "-"


def test_bootstrap_intervals_have_a_column():
    lines = tables.lines(held(resampled={"better": Interval(2.5, 3.5, 0.95), "same": Interval(0, 0, 0.95)}))
    assert lines[0][4] == "95 % by bootstrap" and lines[1][4] == "2.5 to 3.5"


def test_a_claim_that_is_not_resampled_has_a_dash_in_that_column():
    lines = tables.lines(held(resampled={"better": Interval(2.5, 3.5, 0.95)}))
    place = lines[0].index("95 % by bootstrap")
    assert [line[place] for line in lines[1:]] == ["2.5 to 3.5", "-"]


def test_changed_claims_are_said_at_every_verdict_and_below():
    one = held(["better: margin was 1, is 0.5"])
    assert all(line[-1].endswith("claims changed since declared") for line in tables.lines(one)[1:])
    note, = tables.notes("tiny", one)
    assert "better: margin was 1, is 0.5" in note and ABOUT["claims_hash"] in note
    assert tables.notes("tiny", held()) == []


def test_every_document_that_asks_is_written(tmp_path):
    document = tmp_path / "words.md"
    document.write_text("before\n<!-- verdicts tiny same -->\nold\n<!-- end -->\nafter\n")
    tables.write_tables(folder(tmp_path), [document])
    lines = document.read_text().splitlines()
    assert lines[0] == "before" and lines[-1] == "after" and "old" not in lines
    assert any("b is its own equal" in line for line in lines) and "a scores" not in document.read_text()
    write_up, ledger = (tmp_path / "tiny" / "README.md").read_text(), (tmp_path / "README.md").read_text()
    assert write_up.startswith("# Is a better?") and "3.09 (3.00 to 3.25)" in write_up
    assert "[tiny](tiny/README.md) | a scores more than b" in ledger and (tmp_path / "claims.png").exists()
    before = document.read_bytes(), document.stat().st_mtime_ns
    tables.write_tables(folder(tmp_path), [document])
    assert (document.read_bytes(), document.stat().st_mtime_ns) == before
    tables.write_tables(folder(tmp_path, changed=["same was added"]), [document])
    for path in (document, tmp_path / "tiny" / "README.md", tmp_path / "README.md"):
        assert "same was added" in path.read_text()


@pytest.mark.parametrize("block, message", [("other", "names the study other, which has no verdicts"),
                                            ("tiny bad", "claims that tiny does not have: bad")])
def test_what_is_not_there_is_refused(tmp_path, block, message):
    document = tmp_path / "words.md"
    document.write_text(f"<!-- verdicts {block} -->\n<!-- end -->\n")
    with pytest.raises(ValueError, match=message):
        tables.write_tables(folder(tmp_path), [document])


def test_claims_that_a_device_cannot_answer_are_named_below_with_the_reason():
    one = STUDY._replace(not_judged=lambda rows: {"same": "a machine has no b"})
    assert [each.claim.name for each in one.verdicts(ROWS)] == ["better"]
    results = tables.record(one, ABOUT, "now", (), one.verdicts(ROWS), {}, one.left_out(ROWS))
    assert len(tables.lines(results)) == 2
    note, = tables.notes("tiny", results)
    assert note == "tiny: a machine has no b, so that these claims are not judged: same"
    assert len(tables.notes("tiny", results | {"changed_since_declared": ["better was added"]})) == 2
    assert "left_out" not in held()


def test_a_value_that_every_seed_has_by_construction_is_computed_and_not_sampled():
    one = STUDY._replace(computed=("better", "same"))
    assert one.computed_in(ROWS) == ["same"]  # the values of the other differ
    results = tables.record(one, ABOUT, "now", (), one.verdicts(ROWS), {"same": Interval(0, 0, 0.95)}, {},
                            one.computed_in(ROWS))
    head, sampled, computed = tables.lines(results)
    assert sampled[head.index("n")] == "6" and "to" in sampled[head.index("value (95 % interval)")]
    assert [computed[head.index(name)] for name in ("value (95 % interval)", "95 % by bootstrap", "n")] == [
        "0", "-", "-"]
    assert [line[1] for line in ledger.lines(results)] == ["6", "-"]
