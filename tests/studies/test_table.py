"""Tables of studies on disk: what is written is read, arrays among it, and each row finds its own."""

import numpy as np
import pytest

from attention_lab.studies import table


def rows(count):
    return [{"arm": "a, 1", "seed": seed, "bleu": 1.5 * seed if seed else None, "kind": "1",
             "counts": np.full((2, seed + 1), seed, np.uint16), "words": np.array(["le", "chien"][:seed + 1])
             if seed < 2 else None} for seed in range(count)]


def test_what_is_written_is_read(tmp_path):
    table.write(tmp_path, rows(3), ["arm", "seed"])
    found = table.read(tmp_path, ["kind"])
    for one, wanted in zip(found, rows(3), strict=True):
        np.testing.assert_array_equal(one.pop("counts"), wanted.pop("counts"), strict=True)
        np.testing.assert_array_equal(one.pop("words"), wanted.pop("words"))
        assert dict(one) == wanted and isinstance(one["kind"], str)
    assert (tmp_path / "runs.csv").read_text().splitlines()[0] == "arm,seed,bleu,kind"
    before = (tmp_path / "arrays.npz").read_bytes()
    table.write(tmp_path, table.read(tmp_path, ["kind"]), ["arm", "seed"])
    assert (tmp_path / "arrays.npz").read_bytes() == before


def test_arrays_keep_their_shapes_and_types(tmp_path):
    table.write(tmp_path, rows(4), ["seed"])
    found = [row["counts"] for row in table.read(tmp_path, ["kind"])]
    assert [one.shape for one in found] == [(2, 1), (2, 2), (2, 3), (2, 4)]
    assert all(one.dtype == np.uint16 and (one == seed).all() for seed, one in enumerate(found))
    empty = [{"seed": 0, "x": np.zeros((0, 3))}, {"seed": 1, "x": np.ones((2, 3))}]
    table.write(tmp_path, empty, ["seed"])
    assert [row["x"].shape for row in table.read(tmp_path)] == [(0, 3), (2, 3)]


def test_rows_without_arrays_need_no_file(tmp_path):
    table.write(tmp_path, [{"seed": 0, "x": 1.0}], ["seed"])
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]
    assert table.read(tmp_path) == [{"seed": 0, "x": 1.0}] and table.read(tmp_path / "nowhere") == []


def test_a_kill_between_the_two_files_loses_no_row(tmp_path):
    table.write(tmp_path, rows(2), ["arm", "seed"])
    csv = (tmp_path / "runs.csv").read_bytes()
    table.write(tmp_path, rows(4)[::-1], ["arm", "seed"])
    (tmp_path / "runs.csv").write_bytes(csv)  # as it was before the arrays were written
    assert [row["counts"][0, 0] for row in table.read(tmp_path, ["kind"])] == [0, 1]


def test_words_in_a_column_of_numbers_are_refused(tmp_path):
    table.write(tmp_path, [{"seed": 0, "curve": "1:2;3:4"}], ["seed"])
    with pytest.raises(ValueError, match="runs.csv: row 1 holds '1:2;3:4' in curve, a column of numbers"):
        table.read(tmp_path)
    with pytest.raises(ValueError, match="column curve holds '1:2': a column of words has to be among"):
        table.check({"curve": "1:2"}, [], tmp_path)
    table.check({"curve": "1:2", "arm": "a"}, [], tmp_path, ["curve"])


def test_what_a_table_lacks_is_said(tmp_path):
    table.write(tmp_path, rows(2), ["arm", "seed"])
    (tmp_path / "arrays.npz").write_bytes(b"PK damaged")
    with pytest.raises(ValueError, match="arrays.npz is damaged"):
        table.read(tmp_path, ["kind"])
    (tmp_path / "arrays.npz").unlink()
    with pytest.raises(ValueError, match="runs.csv has no column counts: another version"):
        table.read(tmp_path, ["kind"])[0]["counts"]
