"""Word vectors from text files."""

import gzip

import numpy as np
import pytest

from attention_lab.data.readers import vectors

GLOVE = "the 1 -2.5 3e-1\nbank 4 5 6\nriver 7 8 9\n"


def write(folder, content):
    path = folder / "v.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("content", [GLOVE, "3 3\n" + GLOVE, "3 3\n" + GLOVE.replace("\n", " \n"),
                                     GLOVE.replace("\n", "\r\n"), GLOVE.rstrip(), "\ufeff" + GLOVE])
@pytest.mark.parametrize("packed", [False, True])
def test_reads_fasttext_and_glove(tmp_path, content, packed):
    path = write(tmp_path, gzip.compress(content.encode()) if packed else content)
    found, size = vectors.read(path, {"the", "river", "absent"})
    assert (set(found), size) == ({"the", "river"}, 3)
    assert all(vector.dtype == np.float32 and vector.shape == (3,) for vector in found.values())
    np.testing.assert_array_equal(found["the"], np.float32([1, -2.5, 0.3]))
    np.testing.assert_array_equal(found["river"], np.float32([7, 8, 9]))


def test_words_may_have_spaces_and_the_first_of_a_word_counts(tmp_path):
    path = write(tmp_path, "été 1 2\n. . . 3 4\nnew york 5 6\na\u00a0b 7 8\nété 9 9\n")
    found, size = vectors.read(path, ["été", ". . .", "new york", "a\u00a0b", "new"])
    assert {word: vector.tolist() for word, vector in found.items()} == {
        "été": [1, 2], ". . .": [3, 4], "new york": [5, 6], "a\u00a0b": [7, 8]} and size == 2


def test_numbers_are_words_too(tmp_path):
    found, _ = vectors.read(write(tmp_path, "2 2\n2024 1 2\n3 4 5\n"), ["2024", "3"])
    assert {word: vector.tolist() for word, vector in found.items()} == {"2024": [1, 2], "3": [4, 5]}


PACKED = gzip.compress(GLOVE.encode(), mtime=0)  # else the time of day is in it


@pytest.mark.parametrize("content, message", [
    ("a 1 2\nb 1\n", "line 2 has 1 numbers, 2 are needed"),
    ("a 1 2\nb 1 2 3\n", "line 2 has 3 numbers; 2 are needed, as in the first line"),
    ("2 3\na 1 2\n", "line 2 has 2 numbers, 3 are needed"),
    ("2 1\na 1 2\n", "line 2 has 2 numbers; 1 are needed, as in the first line"),
    ("a 1 2\n\nb 1 2\n", "line 2 has 0 numbers, 2 are needed"),
    ("a\n", "line 1 has 0 numbers, at least 1 are needed"),
    ("1 0\na\n", "line 1 says that vectors have no numbers"),
    ("b 1 2\na 1 x\n", "line 2: 'x' is no number"),
    ("b 1 2\na nan 2\n", "line 2: nan is no finite number"),
    ("b 1 2\na 1 1e99\n", "line 2: 1e99 is no finite number"),
    ("", "no vectors in it"),
    ("3 2\n", "no vectors in it"),
    (PACKED[:-9], "damaged gzip"),
    ("a 1 2\n".encode("utf-16"), "is UTF-16, as its first bytes say"),
])
def test_bad_files_are_refused(tmp_path, content, message):
    path = write(tmp_path, content)
    with pytest.raises(ValueError, match=f"v.txt: {message}") as caught:
        vectors.read(path, ["a"])
    assert "\n" not in str(caught.value)


def test_numbers_of_words_nobody_wants_are_not_read(tmp_path):
    found, _ = vectors.read(write(tmp_path, "a 1 2\nb 1 x\n"), ["a"])
    assert list(found) == ["a"]


def test_missing_files_and_empty_paths_are_refused(tmp_path):
    with pytest.raises(ValueError, match="gone.vec: can't be read: No such file or directory"):
        vectors.read(tmp_path / "gone.vec", ["a"])
    with pytest.raises(ValueError, match="no path given"):
        vectors.read("", ["a"])
    (tmp_path / "v.gz").write_text(GLOVE)
    with pytest.raises(ValueError, match="v.gz: damaged gzip"):
        vectors.read(tmp_path / "v.gz", ["a"])
