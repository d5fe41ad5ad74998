"""Labels that can be drawn on any machine: warnings of matplotlib are errors here."""

import logging
import warnings

import matplotlib
import pytest
from matplotlib.font_manager import findfont

from attention_lab.figures import heatmap, labels, style


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def drawn(path, words, title=""):
    figure = heatmap.heat_maps([heatmap.Panel([[1.0] * len(words)], words, ["y"], title=title)])
    style.save(figure, path)
    ax = figure.axes[0]
    return [label.get_text() for label in ax.get_xticklabels()], ax.get_title()


def test_letters_of_no_font_are_written_by_number_with_one_notice(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(labels, "_families", dict)
    with caplog.at_level(logging.WARNING):
        words, title = drawn(tmp_path / "a.png", ["été", "中文", "Ａ1", "a\x07", "𝄞"], "中: 文 (is $x$)")
    assert words == ["été", r"\u4e2d\u6587", "A1", r"a\x07", r"\U0001d11e"]
    assert title == r"\u4e2d: \u6587 (is $x$)"
    line, = [record.getMessage() for record in caplog.records]
    assert line.startswith("no font on this machine has 5 letters") and "\n" not in line


def test_a_long_label_of_numbers_is_short_too(tmp_path, monkeypatch):
    monkeypatch.setattr(labels, "_families", dict)
    words, _ = drawn(tmp_path / "a.png", ["中" * 30])
    assert len(words[0]) == labels.LONGEST


def test_another_font_draws_what_the_first_lacks(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(labels, "_families", lambda: {
        name: findfont(name) for name in ("DejaVu Sans Mono", "STIXGeneral")})
    letter = min(labels._letters(findfont("STIXGeneral")) - labels._letters(findfont(labels.FAMILY)))
    assert drawn(tmp_path / "a.png", [letter])[0] == [letter]
    assert labels.legible(["a", letter])[1] == [labels.FAMILY, "STIXGeneral"]
    assert not caplog.records


def test_fonts_of_this_machine_draw_without_a_word(tmp_path, caplog):
    drawn(tmp_path / "a.png", ["中文", "\U0001f600", "\x07"])
    assert len(caplog.records) == 1  # no font has a control character


def test_fonts_that_have_a_box_for_everything_are_no_help():
    assert not any(name.startswith(("Last Resort", "cm")) for name in labels._families())
    assert matplotlib.rcParams["font.family"] == matplotlib.rcParamsDefault["font.family"]


def test_plain_labels_stay_as_they_are():
    assert labels.legible(["le", "chien"]) == ({"le": "le", "chien": "chien"}, [labels.FAMILY])
