"""What studies share: curves of runs, variants, panels."""

from types import SimpleNamespace

import numpy as np
import pytest

from attention_lab.config import Config, replace
from attention_lab.figures import style
from attention_lab.studies.recipes import architectures, drawing, lengths, runs, tuned_arms


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


def test_seeds_that_did_not_get_there_are_one_arrow_with_their_number():
    with style.look():
        ax = style.figure(2.0, 2.0).subplots()
    drawing.draw_unreached(ax, 3.0, 600.0, 0, style.BLUE)
    assert not ax.lines and not ax.texts
    drawing.draw_unreached(ax, 3.0, 600.0, 5, style.BLUE)
    (line,), (text,) = ax.lines, ax.texts
    assert (line.get_xdata()[0], line.get_ydata()[0], line.get_marker()) == (3.0, 600.0, "^")
    assert text.get_text() == "5" and text.xy == (3.0, 600.0)


def test_seeds_over_key_size_are_dots_or_arrows():
    """Two arms at 16 and one at 64; an empty cell counts as the last step, 600."""
    rows = [{"stage": "final", "arm": arm, "key_size": size, "seed": seed, "steps": steps}
            for arm, size, all_steps in (("scaled", 16, (100, 200, None)), ("scaled", 64, (300, 300, 300)),
                                         ("unscaled", 16, (None, None, None)))
            for seed, steps in enumerate(all_steps)]
    with style.look():
        ax = style.figure(2.0, 2.0).subplots()
    tuned_arms.draw_sizes(ax, rows, "steps", worst=600, open_from=600)
    dots = [line.get_ydata().tolist() for line in ax.lines if line.get_marker() == "o"]
    assert sorted(dots) == [[], [100, 200], [300, 300, 300]]
    assert sorted(text.get_text() for text in ax.texts) == ["1", "3"]
    assert ax.get_xticks().tolist() == [16, 64]


def test_curves_of_unequal_length_are_drawn_as_far_as_all_go():
    with style.look():
        axes = style.figure(2.0, 2.0).subplots(1, 2)
        drawing.draw_curves(axes, [np.array([[1, 2, 7], [2, 4, 9]]), np.array([[1, 4, 5]]), np.zeros((0, 3))],
                            "arm", style.BLUE)
    assert [ax.lines[0].get_xydata().tolist() for ax in axes] == [[[1.0, 3.0]], [[1.0, 6.0]]]


def test_sentences_of_a_length_are_not_in_train(monkeypatch):
    """Of three that are drawn for one that is needed, train has the first."""
    data = replace(Config(), {"data.corpus_seed": 7, "data.lexicon_size": 150}).data
    train = {"train": SimpleNamespace(source=["a b", "a d"])}
    monkeypatch.setattr(lengths, "load", lambda data, names: train if names == ("train",) else {})
    asked = []

    def generate(count, **given):
        asked.append((count, given))
        return [SimpleNamespace(source=source) for source in ("a b", "c d", "e f")]

    monkeypatch.setattr(lengths.grammar, "generate", generate)
    lengths.unseen.cache_clear()
    assert [pair.source for pair in lengths.unseen(data, 2, 1)] == ["c d"]
    assert asked == [(3, {"seed": 1007, "lexicon_size": 150, "min_words": 2, "max_words": 2})]
    with pytest.raises(ValueError, match="^2 of 3 sentences of 2 words are not in train: 3 are needed$"):
        lengths.unseen(data, 2, 3)
    lengths.unseen.cache_clear()
