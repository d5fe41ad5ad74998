"""Does cross-attention look at the words that it translates? (Bahdanau et al. 2015, figure 3)

A target word is linked to the source word with the largest weight, read at the step that predicts it or at
the step that takes it in; "by value" multiplies a weight by the norm of its value vector's contribution.
Layer and head (and the step, where a claim leaves it open) are selected on one half of the test sentences and
scored on the other, also for an untrained model.
"""

import numpy as np

from attention_lab.analysis import head_alignment
from attention_lab.config import split
from attention_lab.data.sources import load as load_corpus
from attention_lab.figures import heatmap
from attention_lab.studies import Claim, Study, function, mean
from attention_lab.studies.recipes import alignment_errors, architectures
from attention_lab.studies.recipes.drawing import seed_count, titled_figure
from attention_lab.tasks.load import load

SHOWN = 2  # sentences drawn: the first test sentences with an adjective after its noun
T, ADDITIVE, DOT = "transformer", "gru, additive", "gru, dot"

CLAIMS = (
    Claim("additive_aligns", "a GRU's additive attention errs less than half as often as the diagonal",
          0.5 * mean("aer_diagonal", arm=ADDITIVE) - mean("aer_predict", arm=ADDITIVE), "greater",
          published="mostly aligned"),
    Claim("input_beats_predict", "a Transformer's best head errs less at the step that takes a word in than "
          "at the step that predicts it", mean("aer_input", arm=T) - mean("aer_predict", arm=T), "less",
          published=-0.179),
    Claim("head_beats_mean", "a Transformer's best head errs less than the mean of all (at the input)",
          mean("aer_input", arm=T) - mean("mean_input", arm=T), "less", published=-0.387),
    Claim("values_help", "weights times the norm of the value err less (a Transformer's best head at the "
          "input)", mean("aer_input_by_value", arm=T) - mean("aer_input", arm=T), "less", published=-0.048),
    Claim("learned", "a Transformer's best head errs less than that of one that was not trained",
          function("better_step", arm=T) - mean("aer_not_trained", arm=T), "less"),
    Claim("inversions", "a GRU's additive attention finds more than half of the adjectives that change "
          "places with their noun", mean("inversions", arm=ADDITIVE), "greater", 0.5, published="reversed"),
    Claim("additive_beats_transformer", "a GRU's additive attention errs less than a Transformer's best "
          "head, each at its better step",
          function("better_step", arm=ADDITIVE) - function("better_step", arm=T), "less", primary=False),
    Claim("dot_aligns", "a GRU's dot attention errs less than half as often as the diagonal",
          0.5 * mean("aer_diagonal", arm=DOT) - mean("aer_predict", arm=DOT), "greater", primary=False),
)


def measure(cell, settings, train):
    """Alignment error rates of a run on the test sentences, and weights to draw from the first seed."""
    run = train(cell)
    finished = load(run.folder)
    pairs = load_corpus(finished.run.config.data, ("test",))["test"]
    errors = head_alignment.errors(finished, (pairs.source, pairs.target),
                                   [sentence.alignment for sentence in pairs.truth])
    inverted = [(i, link) for i, sentence in enumerate(pairs.truth)
                for link in head_alignment.inversions(sentence)]
    links = errors.chosen["predict", False].links
    right = sum(link in links[i] for i, link in inverted)
    shown = list(dict.fromkeys(i for i, _ in inverted))[:SHOWN]
    return architectures.facts(run.result, finished.params) | {
        "test_bleu": run.result["test_bleu"], **alignment_errors.columns(errors),
        "inversions": right / max(len(inverted), 1), "inverted": len(inverted),
        **dict.fromkeys(column for number in range(SHOWN) for column in _shown_columns(number)),
        **(_shown(finished, pairs.select(shown), errors.chosen) if cell["seed"] == 0 else {})}


def _shown(finished, pairs, chosen):
    """Columns of a heat map: words, exact links (N, 2), weights of the chosen heads (steps, T, S)."""
    segmentation = finished.translator.tokenizer.segmentation
    attention = finished.translator.attention(finished.params, pairs.source, pairs.target,
                                              split(finished.run.config)[1])
    row = {}
    for number, (of_sentence, source, target, truth) in enumerate(
            zip(attention, pairs.source, pairs.target, pairs.truth)):
        weights = [head_alignment.word_weights(of_sentence, segmentation, step)[chosen[step, False].name]
                   for step in alignment_errors.STEPS]
        row |= dict(zip(_shown_columns(number), (np.array(source.split()), np.array(target.split()),
                                                 np.array(truth.alignment), np.array(weights))))
    return row


def _shown_columns(number):
    return [f"shown_{number}_{part}" for part in ("source", "target", "links", "weights")]


def draw(rows, settings):
    """Error rates, and heat maps of the first test sentences with an adjective after its noun."""
    arms = list(settings["arms"])
    drawn = {row["arm"]: row for row in rows if row["shown_0_source"] is not None}
    with titled_figure(11.0, 8.4, "which word attention looks at; dots are "
                       f"{seed_count(rows)} seeds, pale ticks every layer and head, squares the exact links",
                       grid=False) as figure:
        grid = figure.add_gridspec(2, 1 + SHOWN * 2, width_ratios=(2.2,) + (1,) * SHOWN * 2)
        alignment_errors.draw_rates(figure.add_subplot(grid[:, 0]), rows, arms)
        for line, arm in enumerate((ADDITIVE, T)):
            step = min(alignment_errors.STEPS,
                       key=lambda step: np.mean(architectures.by_seed(rows, f"aer_{step}", arm)))
            row = drawn[arm]
            heads = [arm, *[alignment_errors.spelled(row[f"head_{step}"])] * (row[f"every_{step}"].size > 1)]
            title = f"{', '.join(heads)}, seed {row['seed']}: {alignment_errors.STEPS[step]}"
            for number in range(SHOWN):
                source, target, links, weights = (row[column] for column in _shown_columns(number))
                ax = figure.add_subplot(grid[line, 1 + 2 * number:3 + 2 * number])
                heatmap.heat_map(ax, heatmap.Panel(
                    np.clip(weights[list(alignment_errors.STEPS).index(step)], 0.0, 1.0), source.tolist(),
                    target.tolist(), [tuple(link) for link in links.tolist()], title))
    return figure


STUDY = Study(
    question="Does cross-attention look at the words that it translates, and at which step?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "arms": {arm: {} for arm in architectures.GRAMMAR_ARMS},
                  "config": architectures.smoke(test=16)},
        "cpu": {"seeds": 8, "variant": "", "config": architectures.GRAMMAR,
                "arms": architectures.GRAMMAR_ARMS},
        "accelerator": {"seeds": 8, "variant": "", "config": architectures.LONG_GRAMMAR,
                        "arms": architectures.LONG_GRAMMAR_ARMS},
    },
    measure=measure, draw=draw, labels=alignment_errors.LABELS,
    functions={"better_step": alignment_errors.better_step}, **architectures.SHARED)
