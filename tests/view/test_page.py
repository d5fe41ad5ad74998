"""Pages in a real browser: what is shown is what the tables hold."""

import re

import numpy as np
import pytest

from attention_lab import view
from attention_lab.evaluation import alignment
from tests.view import pages
from tests.view.shown import PAGE, check_table, expected, go, short


@pytest.mark.parametrize("kind", ["cross", "encoder", "decoder"])
def test_every_layer_and_head_and_their_means(opened, kind):
    for layer, head in [(0, 0), (0, 2), (1, 1), (0, "mean"), (1, "mean"), ("all", "mean")]:
        go(opened, kind=kind, layer=layer, head=head, sentence=1)
        check_table(opened, expected(1, kind, layer, head), PAGE.sentences[1].maps[kind].columns)


@pytest.mark.parametrize("by", ["weight", "norm"])
@pytest.mark.parametrize("change", view.CHANGES)
def test_weights_elsewhere_and_with_norms(opened, change, by):
    for kind, layer, head in (("cross", 1, 2), ("decoder", 0, "mean"), ("encoder", "all", "mean")):
        go(opened, kind=kind, layer=layer, head=head, change=change, by=by)
        check_table(opened, expected(0, kind, layer, head, by=by, change=change),
                    PAGE.sentences[0].maps[kind].columns)


def test_a_word_that_is_looked_at(opened):
    go(opened, layer=0, head=1)
    opened.point("#figure .word[data-c='2']")
    table = expected(0, "cross", 0, 1)
    said = re.findall(r"(\S+) (<?[\d.]+)(?:,|$)", opened.texts("#readout")[0].partition(" looked at by ")[2])
    assert [number for _, number in said] == [short(x) for x in sorted(table[:, 2], reverse=True)[:5]]


def test_colours_follow_the_weights(opened):
    for scale in ("fixed", "row"):
        go(opened, layer=0, head=0, scale=scale)
        table = expected(0, "cross", 0, 0)
        table = table / table.max(axis=1, keepdims=True) if scale == "row" else table
        fills = opened.each("#figure .cell", "node.getAttribute('fill')")
        # Red falls evenly from the paper's 244 to 11.
        red = np.array([int(re.match(r"rgb\((\d+)", fill)[1]) for fill in fills]).reshape(table.shape)
        order = np.argsort(table, axis=None)
        assert (np.diff(red.ravel()[order]) <= 0).all() and red.max() <= 244
        assert red.ravel()[order[-1]] < 60


@pytest.mark.parametrize("steps", range(pages.C))
def test_the_slider_shows_every_checkpoint(opened, steps):
    opened.js(f"(() => {{ const slider = document.querySelector('input'); slider.value = {steps}; "
              "slider.dispatchEvent(new Event('input')); })()")
    go(opened, layer=1, head=0, checkpoint=pages.STEPS[steps])
    check_table(opened, expected(0, "cross", 1, 0, checkpoint=steps), PAGE.sentences[0].maps["cross"].columns)
    assert f"step {pages.STEPS[steps]}" in opened.texts("#title")[0]
    now = opened.texts("#output .now")
    words = [word for word, written in zip(PAGE.sentences[0].said[steps].words, PAGE.sentences[0].written)
             if word != written]
    assert [word for word in now if word] == words


def test_what_it_then_says(opened):
    sentence = PAGE.sentences[0]
    places = {("all", "mean"): 0, (1, "mean"): 2, (1, 2): 3 + 3 + 2, (0, 0): 3}
    for (layer, head), place in places.items():
        for change in view.CHANGES:
            go(opened, layer=layer, head=head, change=change)
            said = sentence.maps["cross"].elsewhere.said[change]
            own = sentence.said[pages.SELECTED].words
            assert opened.texts("#output .was") == list(own)
            assert opened.texts("#output .now") == [
                word if word != before else "" for word, before in zip(said.words[place], own)]
            assert opened.texts("#output .number") == [short(x) for x in said.moved[place]]
            changes = sum(word != before for word, before in zip(said.words[place], own))
            option = f"#changes [data-value={change}]"
            assert f"{changes} of 7" in opened.texts(option)[0]
            assert short(said.moved[place].mean()) in opened.texts(option)[0]


def test_a_word_is_struck_through_only_where_a_change_makes_it_another(opened):
    struck = "getComputedStyle(node).textDecorationLine"
    go(opened, sentence=1, checkpoint=7)
    assert set(opened.each(".step.other .was", struck)) == {"none"}
    go(opened, sentence=1, change="uniform")
    assert set(opened.each(".step.other .was", struck)) == {"line-through"}
    assert set(opened.each(".step:not(.other) .was", struck)) == {"none"}


def test_the_hints_name_what_is_drawn(opened):
    assert opened.texts("#says .hint") == [
        "Upper line: the reference. Bar: the probability that the model gives to this word. Lower line: the "
        "word that the model prefers, where it is another."]
    assert "Error rate of the picture: this sentence, all sentences." in opened.texts("aside .hint")
    go(opened, change="permuted")
    assert opened.texts("#says .hint") == [
        "Each word is predicted after the same words as before. Bar: how far the probabilities move (total "
        "variation)."]
    assert "if it looks with permuted weights" in opened.texts("#title")[0]


def error_rate(name, sentences, kind="cross", layer=1, head="mean", **how):
    """The error rate by evaluation/alignment.py, or the share of rows that look most at another word."""
    links, sure = [], []
    for i in sentences:
        table = PAGE.sentences[i].maps[kind]
        words = alignment.merge_subwords(expected(i, kind, layer, head, **how), table.column_words,
                                         table.row_words)
        links.append({(row, column) for column, row in alignment.hard_links(words)})
        sure.append(set(table.links[name]))
    if name == "alignment":
        return alignment.alignment_error_rate(links, sure)
    rows = [(i, row) for i, gold in enumerate(sure) for row, _ in gold]
    return np.mean([not links[i] & {pair for pair in sure[i] if pair[0] == row} for i, row in rows])


@pytest.mark.parametrize("name", ["alignment", "subject"])
def test_the_error_rate_of_what_is_shown(opened, name):
    for how in ({"layer": 1, "head": "mean"}, {"layer": 0, "head": 2}, {"layer": "all", "head": "mean"},
                {"layer": 0, "head": 0, "by": "norm"}, {"layer": 1, "head": 1, "change": "permuted"},
                {"layer": 1, "head": 1, "checkpoint": 1}):
        link = {**how, "checkpoint": pages.STEPS[how.get("checkpoint", pages.SELECTED)]}
        go(opened, sentence=1, truth=name, **link)
        rates = opened.texts(f"#truths [data-value={name}] .number")[0].split(" · ")
        assert rates == [short(error_rate(name, [1], **how)), short(error_rate(name, [0, 1], **how))]


def test_the_truth_is_outlined(opened):
    cells = "#figure rect.truth", "[node.dataset.r, node.dataset.c].map(Number)"
    # The word 3 of the French side is in two parts, tokens 3 and 4.
    assert sorted(opened.each(*cells)) == [[0, 0], [1, 1], [2, 3], [3, 2], [4, 2]]
    opened.click("#truths [data-value=subject]")
    assert opened.each(*cells) == [[3, 1], [4, 1]]
    opened.click("#truths [data-value=none]")
    assert opened.each(*cells) == []


def test_lines_join_what_the_cells_show(opened):
    go(opened, layer=0, head=1, checkpoint=17)
    lines = opened.each("#figure .line", "[node.dataset.r, node.dataset.c, "
                        "node.getAttribute('stroke-width')].map(Number)")
    table = expected(0, "cross", 0, 1, checkpoint=4)
    assert {(t, s) for t, s, _ in lines} == {(t, s) for t, s in np.argwhere(table >= 0.02)}
    for t, s, width in lines:
        assert width == pytest.approx(0.6 + 3.4 * table[t, s], abs=1e-3)
