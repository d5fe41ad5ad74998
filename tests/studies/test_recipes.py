"""What studies share: curves of runs, variants, panels."""

import numpy as np

from attention_lab.figures import style
from attention_lab.studies.recipes import architectures, drawing, runs


def test_curves_of_runs():
    found = runs.curve([{"step": 5, "dev_bleu": 2.0, "other": 1}, {"step": 10, "dev_bleu": 3.0}], "dev_bleu")
    assert found.tolist() == [[5.0, 2.0], [10.0, 3.0]] and runs.curve([], "dev_bleu", "x").shape == (0, 3)


def test_a_variant_changes_what_its_file_says():
    file = architectures.FILE
    assert runs.variant(file, "") == {} == runs.recurrent_variant(file, "")
    gru = runs.recurrent_variant(file, "gru")
    assert gru["model.kind"] == "gru" and runs.variant(file, "gru").items() <= gru.items()


def test_seeds_come_in_their_order():
    rows = [{"arm": arm, "seed": seed, "x": seed if seed else None} for seed in (3, 0, 2) for arm in "ab"]
    np.testing.assert_array_equal(architectures.by_seed(rows, "x", "b"), [np.nan, 2.0, 3.0])


def test_curves_of_unequal_length_are_drawn_as_far_as_all_go():
    with style.look():
        axes = style.figure(2.0, 2.0).subplots(1, 2)
        drawing.draw_curves(axes, [np.array([[1, 2, 7], [2, 4, 9]]), np.array([[1, 4, 5]]), np.zeros((0, 3))],
                            "arm", style.BLUE)
    assert [ax.lines[0].get_xydata().tolist() for ax in axes] == [[[1.0, 3.0]], [[1.0, 6.0]]]
