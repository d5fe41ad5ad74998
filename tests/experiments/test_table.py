"""Tables of studies on disk: what is written is read, arrays among it, and each row finds its own."""

import numpy as np
import pytest

from experiments import table


def rows(count):
    return [{"arm": "a, b", "seed": seed, "bleu": 1.5 * seed, "text": f"{seed}:1",
             "counts": np.full((2, 3), seed, np.uint16)} for seed in range(count)]


def test_what_is_written_is_read(tmp_path):
    table.write(tmp_path, rows(3), ["arm", "seed"])
    found = table.read(tmp_path)
    for one, wanted in zip(found, rows(3), strict=True):
        np.testing.assert_array_equal(one.pop("counts"), wanted.pop("counts"), strict=True)
        assert dict(one) == wanted
    assert (tmp_path / "runs.csv").read_text().splitlines()[0] == "arm,seed,bleu,text"
    before = (tmp_path / "arrays.npz").read_bytes()
    table.write(tmp_path, table.read(tmp_path), ["arm", "seed"])
    assert (tmp_path / "arrays.npz").read_bytes() == before


def test_rows_without_arrays_need_no_file(tmp_path):
    table.write(tmp_path, [{"seed": 0, "x": 1.0}], ["seed"])
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]
    assert table.read(tmp_path) == [{"seed": 0, "x": 1.0}] and table.read(tmp_path / "nowhere") == []


def test_a_kill_between_the_two_files_loses_no_row(tmp_path):
    table.write(tmp_path, rows(2), ["arm", "seed"])
    csv = (tmp_path / "runs.csv").read_bytes()
    table.write(tmp_path, rows(4)[::-1], ["arm", "seed"])
    (tmp_path / "runs.csv").write_bytes(csv)  # as it was before the arrays were written
    assert [row["counts"][0, 0] for row in table.read(tmp_path)] == [0, 1]


def test_what_a_table_lacks_is_said(tmp_path):
    table.write(tmp_path, rows(2), ["arm", "seed"])
    (tmp_path / "arrays.npz").write_bytes(b"PK damaged")
    with pytest.raises(ValueError, match="arrays.npz is damaged"):
        table.read(tmp_path)
    (tmp_path / "arrays.npz").unlink()
    with pytest.raises(ValueError, match="runs.csv has no column counts: another version"):
        table.read(tmp_path)[0]["counts"]
