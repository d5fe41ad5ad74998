"""The grid of all verdicts."""

import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from attention_lab.figures.verdicts import COLOURS, verdict_grid


def study(*verdicts, changed=()):
    return {"changed_since_declared": list(changed), "verdicts": [
        {"name": f"claim_{i}", "verdict": verdict, "primary": primary}
        for i, (verdict, primary) in enumerate(verdicts)]}


def test_each_claim_is_a_square_in_the_colour_of_its_verdict():
    figure = verdict_grid({"one": study(("supported", True), ("refuted", False)),
                           "two": study(("inconclusive", True), changed=["x"])})
    axes = figure.axes[0]
    squares = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [to_rgb(one.get_facecolor()) for one in squares] == [
        to_rgb(COLOURS[name]) for name in ("supported", "refuted", "inconclusive")]
    assert squares[1].get_alpha() < squares[0].get_alpha() == squares[2].get_alpha()
    assert [one.get_text() for one in axes.texts] == ["claim 0", "claim 1", "claim 0"]
    assert [one.get_text() for one in axes.get_yticklabels()] == ["one", "two (claims changed)"]


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        verdict_grid({})
