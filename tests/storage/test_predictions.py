"""predictions.tsv holds the text as it is, whatever is in it, and is read back; older files too."""

import csv

import pytest

from attention_lab.storage import predictions

ROWS = [{"source": 'a " quote " and \\ back', "reference": "l'eau « ici »", "translation": '"'},
        {"source": "\\", "reference": '\\"', "translation": ""}]


def test_text_is_written_as_it_is(tmp_path):
    path = tmp_path / "predictions.tsv"
    assert predictions.write(path, ROWS) == 0
    assert path.read_bytes().decode() == ('source\treference\ttranslation\n'
                                          'a " quote " and \\ back\tl\'eau « ici »\t"\n'
                                          '\\\t\\"\t\n')
    assert predictions.read(path) == ROWS


def test_what_would_end_a_field_is_a_space_and_counted(tmp_path):
    path = tmp_path / "predictions.tsv"
    rows = [{"sentence": "a\tb\nc", "class": "x\r"}, {"sentence": "d\u2028e\x85", "class": "y"}]
    assert predictions.write(path, rows) == 3
    assert len(path.read_text().splitlines()) == 3
    assert predictions.read(path) == [{"sentence": "a b c", "class": "x "},
                                      {"sentence": "d e ", "class": "y"}]


def test_no_rows_make_no_file(tmp_path):
    assert predictions.write(tmp_path / "predictions.tsv", []) == 0 and not list(tmp_path.iterdir())


def test_files_of_older_runs_are_read(tmp_path):
    path = tmp_path / "predictions.tsv"
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, ROWS[0], delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE,
                                escapechar="\\")
        writer.writeheader()
        writer.writerows(ROWS)
    assert path.read_text().startswith('source\treference\ttranslation\na \\" quote')
    assert predictions.read(path, as_written=False) == ROWS


def test_pairs_of_backslashes_are_text(tmp_path):
    path, rows = tmp_path / "predictions.tsv", [{"sentence": r"\\server\\share", "class": "name"}]
    predictions.write(path, rows)
    assert predictions.read(path) == rows


@pytest.mark.parametrize("content, said", [
    (b"a\tb\nc\n", "line 2 has 1 fields, the header has 2"), (b"a\n\xff\n", "is damaged: it is not UTF-8")])
def test_a_damaged_file_is_named(tmp_path, content, said):
    (tmp_path / "predictions.tsv").write_bytes(content)
    with pytest.raises(ValueError, match=f"predictions.tsv:? {said}"):
        predictions.read(tmp_path / "predictions.tsv")
