"""The forest of claims."""

import pytest

from attention_lab.figures.forest import COLOURS, forest

ONE = {"study": "s", "statement": "a is b", "effect": 0.2, "low": 0.1, "high": 0.4, "margin": 0.5,
       "primary": True, "seeds": 8, "verdict": "supported"}


def test_each_claim_has_its_interval_in_the_colour_of_its_verdict():
    figure = forest([ONE, ONE | {"verdict": "refuted", "margin": None, "low": 0.0}])
    axes = figure.axes[0]
    lines = [c for c in axes.collections if len(c.get_segments() if hasattr(c, "get_segments") else ()) == 1]
    ends = [[x for x, _ in line.get_segments()[0]] for line in lines]
    assert ends[0] == pytest.approx([0.2, 0.8]) and ends[1] == pytest.approx([0.0, 1.0])
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["0.2 (0.1 to 0.4)", "0.2 (0 to 0.4)"]
    assert set(COLOURS) == {"supported", "refuted", "inconclusive"}


def test_a_claim_of_too_few_seeds_has_no_place_on_the_axis():
    figure = forest([ONE | {"seeds": 3, "low": -float("inf"), "high": float("inf")}])
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["0.2 (no interval: 3 seeds)"]
    dots = [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert not dots


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        forest([])
