"""What the figures show, read back from the figures themselves."""

import os
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib import image as images
from matplotlib.collections import PatchCollection

from attention_lab.figures import curves, heatmap, scaling, style

ENGLISH = "the red car costs $5 or $6 .".split()
FRENCH = "la voiture rouge coûte 5 $ où été .".split()
LINKS = [(0, 0), (2, 1), (1, 2), (3, 3), (4, 5)]


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def panel(seed=0, **fields):
    weights = np.random.default_rng(seed).dirichlet(np.ones(len(ENGLISH)), size=len(FRENCH))
    return heatmap.Panel(weights, ENGLISH, FRENCH)._replace(**fields)


def squares(ax):
    """Centres (column, row) of the open squares."""
    found = [c for c in ax.collections if isinstance(c, PatchCollection)]
    return sorted(tuple(path.vertices[:4].mean(axis=0).round(6)) for path in found[0].get_paths())


def test_rows_are_target_words_downwards_and_columns_source_words_on_top():
    figure = heatmap.heat_maps([panel(links=LINKS, title="layer 1")], title="Cross-attention")
    ax = figure.axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ENGLISH
    assert [label.get_text() for label in ax.get_yticklabels()] == FRENCH
    assert not any(label.get_parse_math() for label in ax.get_xticklabels() + ax.get_yticklabels())
    assert ax.yaxis_inverted() and not ax.xaxis_inverted()
    assert ax.xaxis.get_tick_params()["labeltop"] and not ax.xaxis.get_tick_params()["labelbottom"]
    np.testing.assert_array_equal(ax.images[0].get_array(), panel().weights)
    assert ax.images[0].get_clim() == (0, 1)
    assert squares(ax) == sorted(LINKS)
    assert ax.get_title() == "layer 1" and figure.get_suptitle() == "Cross-attention"
    assert figure.axes[1].get_ylabel() == "attention weight"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["gold alignment"]


def test_without_links_there_is_no_legend():
    assert not heatmap.heat_maps([panel()]).legends


def test_a_grid_keeps_its_cells_equal_and_its_panels_apart():
    single = heatmap.Panel([[1.0]], ["yes"], ["oui"], [(0, 0)])
    figure = heatmap.heat_maps([panel(1), single, panel(2, title="head 3")], columns=2)
    assert len(figure.axes) == 4
    figure.canvas.draw()
    cells, boxes = [], []
    for ax, (rows, columns) in zip(figure.axes, [(9, 8), (1, 1), (9, 8)]):
        box = ax.get_window_extent()
        cells += [box.width / columns, box.height / rows]
        boxes.append(ax.get_tightbbox())
    np.testing.assert_allclose(cells, cells[0], rtol=1e-6)
    boxes.append(figure.axes[3].get_tightbbox())
    for i, one in enumerate(boxes):
        for two in boxes[:i]:
            assert not one.overlaps(two)


@pytest.mark.parametrize("columns", [1, 2])
def test_titles_wider_than_their_panels_overlap_nothing(columns):
    panels = [heatmap.Panel([[1.0] * 3], list("abc"), ["pooling"], title=f"a class of many words ({n})" * 2)
              for n in range(4)]
    figure = heatmap.heat_maps(panels, columns=columns)
    figure.canvas.draw()
    boxes = [ax.get_tightbbox() for ax in figure.axes]
    assert len(boxes) == 5
    for i, one in enumerate(boxes):
        for two in boxes[:i]:
            assert not one.overlaps(two)


def test_labels_of_a_long_sentence_do_not_overlap():
    words = [f"anticonstitutionnellement{i}" for i in range(30)]
    figure = heatmap.heat_maps([heatmap.Panel(np.eye(30), words, words, title="thirty")])
    figure.canvas.draw()
    labels = figure.axes[0].get_xticklabels()
    boxes = [label.get_window_extent() for label in labels]
    assert all(one.x1 <= two.x0 for one, two in zip(boxes, boxes[1:]))
    assert figure.axes[0].title.get_window_extent().y0 >= max(box.y1 for box in boxes)
    assert min(box.y0 for box in boxes) >= figure.axes[0].get_window_extent().y1
    left = min(label.get_window_extent().x0 for label in figure.axes[0].get_yticklabels())
    assert left >= 0


def test_long_sentences_and_words_are_cut():
    words, few = ["w" * 2000, *(f"w{i}" for i in range(2, 400))], ["ŵ" * 6000, "b"]
    figure = heatmap.heat_maps([heatmap.Panel(np.eye(2, 399), words, few, [(0, 0), (398, 1)], "long")])
    ax = figure.axes[0]
    assert ax.get_title() == "long (the first 100 of 399 source words)"
    assert ax.images[0].get_array().shape == (2, 100) and squares(ax) == [(0, 0)]
    assert ax.get_xticklabels()[0].get_text() == "w" * 23 + "…"
    assert max(figure.get_size_inches()) < 30


def test_a_figure_has_a_largest_size(tmp_path):
    style.save(style.figure(200, 1), tmp_path / "wide.png")
    assert images.imread(tmp_path / "wide.png").shape[1] <= 1.01 * style.LARGEST


def test_training_curve_shows_the_values_and_marks_the_best():
    figure = curves.training_curve([10, 20, 30], [3.0, 2.0, np.nan], [15, 30], [7.25, 6.0],
                                   score="dev BLEU")
    loss, score = figure.axes
    np.testing.assert_array_equal(loss.lines[0].get_ydata(), [3.0, 2.0, np.nan])
    np.testing.assert_array_equal(score.lines[0].get_xydata(), [[15, 7.25], [30, 6.0]])
    np.testing.assert_array_equal(score.lines[1].get_xydata(), [[15, 7.25]])
    assert [text.get_text() for text in score.texts] == ["best: 7.25 at step 15"]
    assert (loss.get_ylabel(), score.get_ylabel()) == ("training loss", "dev BLEU")
    tied = curves.training_curve([1], [3.0], [15, 30, 45], [1.0, 1.0, 1.0], best_step=30).axes[1]
    np.testing.assert_array_equal(tied.lines[1].get_xydata(), [[30, 1.0]])
    lower = curves.training_curve([1], [3.0], [15, 30], [7.25, 6.0], sign=-1).axes[1]
    np.testing.assert_array_equal(lower.lines[1].get_xydata(), [[30, 6.0]])


def test_a_curve_without_dev_scores_or_without_finite_ones_is_drawn(tmp_path):
    assert len(curves.training_curve([1], [3.0], [], []).axes) == 1
    diverged = curves.training_curve([1, 2], [3.0, np.inf], [2], [np.nan])
    assert not diverged.axes[1].texts
    style.save(diverged, tmp_path / "diverged.png")


def test_saving_is_atomic_and_repeats_byte_for_byte(tmp_path):
    for name in ("one.png", "two.png"):
        style.save(heatmap.heat_maps([panel(links=LINKS)]), tmp_path / name)
    one = (tmp_path / "one.png").read_bytes()
    assert one == (tmp_path / "two.png").read_bytes()
    assert b"Software" not in one and b"matplotlib" not in one
    pixels = images.imread(tmp_path / "one.png")
    assert pixels.shape[0] > 300 and pixels.shape[1] > 300
    assert sorted(os.listdir(tmp_path)) == ["one.png", "two.png"]


def test_a_save_that_fails_leaves_the_old_figure_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "figure.png"
    path.write_bytes(b"old")
    figure = curves.training_curve([1], [3.0], [], [])

    def full(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr(figure, "savefig", full)
    with pytest.raises(OSError, match="No space"):
        style.save(figure, path)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["figure.png"]
    with pytest.raises(OSError):
        style.save(figure, tmp_path / "missing" / "figure.png")
    with pytest.raises(ValueError, match="figure.pdf"):
        style.save(figure, "figure.pdf")


def test_the_look_does_not_depend_on_nor_change_the_callers_settings(tmp_path):
    style.save(heatmap.heat_maps([panel()]), tmp_path / "one.png")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 10}):
        style.save(heatmap.heat_maps([panel()]), tmp_path / "two.png")
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


@pytest.mark.parametrize("call, message", [
    (lambda: heatmap.heat_maps([]), "panels is empty"),
    (lambda: heatmap.heat_maps([panel(source=ENGLISH[:3])]), r"panels\[0\].* 9 target and 3"),
    (lambda: heatmap.heat_maps([heatmap.Panel(np.zeros((0, 0)), [], [])]), "0 target"),
    (lambda: heatmap.heat_maps([panel(), panel(weights=panel().weights * 9)]), r"panels\[1\].* 1;"),
    (lambda: heatmap.heat_maps([panel(weights=panel().weights * np.nan)]), "between 0 and 1"),
    (lambda: heatmap.heat_maps([panel(links=[(8, 0)])]), r"link \(8, 0\) is off"),
    (lambda: curves.training_curve([], [], [], []), "steps is empty"),
    (lambda: curves.training_curve([1, 2], [1.0], [], []), "steps .* and losses"),
    (lambda: curves.training_curve([1], [1.0], [1], []), "dev_steps .* and dev_scores"),
])
def test_what_cannot_be_drawn_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_each_case_of_costs_has_a_panel_with_its_exponent():
    rows = [{"case": case, "way": str(n), "step_ms": [n, 2 * n, 3 * n], "exponent": fit}
            for case, fit in (("heads", [0.9, 1.0, 1.1]), ("layers", None)) for n in (1, 2, 4)]
    made = scaling.scaling(rows)
    drawn = [axes for axes in made.axes if axes.axison]
    assert [axes.get_xlabel() for axes in drawn] == ["heads", "layers"]
    assert [axes.get_title() for axes in drawn] == ["exponent 1.00\n(0.90 to 1.10)", ""]
    assert drawn[0].lines[0].get_ydata().tolist() == [2, 4, 8]
    with pytest.raises(ValueError, match="rows is empty"):
        scaling.scaling([])


def test_ticks_of_a_logarithmic_axis_are_written_out():
    with style.look():
        made = style.figure(3, 3)
        ax = made.subplots()
        ax.plot([1, 2], [0.03, 4000.0])
        ax.set_yscale("log")
        style.plain_log(ax.yaxis, (1, 3))
        made.canvas.draw()
    ticks = {label.get_position()[1]: label.get_text() for label in ax.get_yticklabels()}
    assert (ticks[0.1], ticks[30.0], ticks[3000.0]) == ("0.1", "30", "3,000")
    assert not len(ax.yaxis.get_minorticklocs())
