"""Numbers and words as letters."""

import json

import numpy as np
import pytest

from attention_lab import view
from attention_lab.view import encoding
from tests.view import pages


def decoded(text):
    """Whole numbers of a text, two letters each."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return [64 * letters.index(text[i]) + letters.index(text[i + 1]) for i in range(0, len(text), 2)]


def test_every_number_comes_back():
    assert decoded(encoding.letters(np.arange(4096))) == list(range(4096))


@pytest.mark.parametrize("numbers", [[-1], [4096]])
def test_a_number_that_two_letters_can_not_hold_is_refused(numbers):
    with pytest.raises(ValueError, match="from 0 to 4095"):
        encoding.letters(np.array(numbers))


def test_shares_are_rounded_and_nan_is_refused():
    values = np.array([0.0, 0.25, 0.5000001, 1.0000001])
    np.testing.assert_allclose(np.array(decoded(encoding.shares(values))) / 4095, values, atol=0.5 / 4095)
    with pytest.raises(ValueError, match="not finite"):
        encoding.shares(np.array([np.nan]))


def test_a_page_as_json():
    page = pages.page()
    tree = json.loads(json.dumps(encoding.plain(page)))
    table = tree["sentences"][1]["maps"]["decoder"]
    own = page.sentences[1].maps["decoder"]
    assert table["first"] == [0] * 7 and table["stop"] == [1, 2, 3, 4, 5, 6, 7]
    got = np.array(decoded(table["weights"][2])) / 4095
    np.testing.assert_allclose(got, own.weights[2][:, :, np.tri(7, dtype=bool)].ravel(), atol=1e-9)
    norms = np.array(decoded(table["norms"][4])) / 4095 * table["scales"][4]
    np.testing.assert_allclose(norms, own.norms[4].ravel(), atol=1e-3)
    said = tree["sentences"][1]["said"][3]
    assert [tree["words"][n] for n in decoded(said["words"])] == list(page.sentences[1].said[3].words)
    assert "moved" not in said and tree["steps"] == list(pages.STEPS) and tree["selected"] == pages.SELECTED
    assert tree["sentences"][0]["maps"]["cross"]["links"]["subject"] == [[3, 1]]


def test_words_of_a_map_without_parts_are_its_rows_and_columns():
    table = view.Map(["a", "b"], ["c", "d", "e"], [np.full((1, 1, 2, 3), 1 / 3)], None, np.ones((2, 3), bool))
    encoded = encoding.plain(view.Page("t", [0], 0, [view.Sentence(
        "a", "b", "", [], [], {"cross": table})]))["sentences"][0]["maps"]["cross"]
    assert encoded["rowWords"] == [0, 1] and encoded["columnWords"] == [0, 1, 2]
    assert "norms" not in encoded and "elsewhere" not in encoded
