"""The grid of all verdicts."""

import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from attention_lab.figures.verdicts import COLOURS, PER_LINE, verdict_grid


def study(*verdicts):
    return {"verdicts": [{"name": f"claim_{i}", "verdict": verdict, "primary": primary}
                         for i, (verdict, primary) in enumerate(verdicts)]}


def boxes(figure):
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]


def test_each_claim_is_a_box_in_the_colour_of_its_verdict():
    figure = verdict_grid({"one": study(("supported", True), ("refuted", False)),
                           "two": study(("inconclusive", True))}, {"one": "recorded", "two": "no (x)"})
    filled = [one for one in boxes(figure) if one.get_fill()]
    assert [to_rgb(one.get_facecolor()) for one in filled] == [
        to_rgb(COLOURS[name]) for name in ("supported", "refuted", "inconclusive")]
    assert filled[1].get_alpha() < filled[0].get_alpha() == filled[2].get_alpha()
    edge, = [one for one in boxes(figure) if not one.get_fill()]  # of the exploratory claim alone
    assert edge.get_xy() == filled[1].get_xy() and edge.get_linestyle() == "--"
    assert to_rgb(edge.get_edgecolor()) == to_rgb(COLOURS["refuted"])
    assert sorted(one.get_text() for one in figure.axes[0].texts) == [
        "claim 0", "claim 0", "claim 1", "declared: no (x)", "declared: recorded", "one", "two"]


def test_a_study_with_many_claims_has_several_lines_and_boxes_do_not_overlap():
    many = study(*[("supported", True)] * (2 * PER_LINE + 1))
    figure = verdict_grid({"one": many, "two": many}, {"one": "yes", "two": "yes"})
    places = [(*one.get_xy(), one.get_width(), one.get_height()) for one in boxes(figure)]
    assert len(places) == 2 * (2 * PER_LINE + 1) and max(x for x, *_ in places) < PER_LINE
    for index, (x, y, width, height) in enumerate(places):
        assert not any(abs(x - left) < width and abs(y - top) < height
                       for left, top, *_ in places[index + 1:])
    bottom, top = figure.axes[0].get_ylim()
    assert top == 0 and all(y + height < bottom for _, y, _, height in places)


def test_a_page_holds_what_there_is():
    """A4 has room for twenty studies of eight claims or fewer."""
    width, height = verdict_grid({str(i): study(("refuted", True)) for i in range(20)},
                                 {str(i): "yes" for i in range(20)}).get_size_inches()
    assert width < 8.27 and height < 11.69


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        verdict_grid({}, {})
