"""Tables as files: read back they hold what the rows held."""

import csv
import importlib.util
import io

import pytest

from attention_lab.storage import table_files

ROWS = [{"folder": "a", "scale": "inverse", "bleu": 61.25, "buckets": (16, 24)},
        {"folder": 'b,"c"', "scale": 0.5, "steps": 7, "failed": {"dev": "x"}, "bleu": None}]


def test_csv_holds_the_rows(tmp_path):
    table_files.writer(tmp_path / "t.csv")(ROWS)
    assert list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text()))) == [
        {"folder": "a", "scale": "inverse", "bleu": "61.25", "buckets": "16,24", "steps": "", "failed": ""},
        {"folder": 'b,"c"', "scale": "0.5", "bleu": "", "buckets": "", "steps": "7",
         "failed": "{'dev': 'x'}"}]


def test_parquet_keeps_numbers(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    table_files.writer(tmp_path / "t.parquet")(ROWS)
    assert parquet.read_table(tmp_path / "t.parquet").to_pydict() == {
        "folder": ["a", 'b,"c"'], "scale": ["inverse", "0.5"], "bleu": [61.25, None],
        "buckets": ["16,24", None], "steps": [None, 7], "failed": [None, "{'dev': 'x'}"]}


def test_what_can_not_be_written_is_refused_first(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("mine")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for name, said in (("t.csv", "is there already"), ("t.tsv", "ends in .tsv: .csv, .parquet are allowed"),
                       ("t", "ends in nothing"), ("none/t.csv", "none is no folder"),
                       ("t.parquet", r"pyarrow is not installed: pip install .*\[export\]")):
        with pytest.raises(ValueError, match=said):
            table_files.writer(tmp_path / name)
    assert (tmp_path / "t.csv").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1
