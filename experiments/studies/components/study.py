"""Which parts of a Transformer does a translator need: attention, residual paths, layer norm, MLPs?

A small Transformer is trained from scratch on the built-in grammar with all of its parts, and without one of
them: without residual paths (the output of a block takes the place of its sum with the input), without layer
norm, without feed-forward nets (MLPs), or without encoder self-attention (a token of the source attends to
itself alone, so that words meet in the decoder's cross-attention only). Each arm takes the learning rate with
the best BLEU on dev, over tuning seeds; ten other seeds, paired across arms, are scored on test, greedily.
The shares of ambiguous nouns, verbs and pronouns that are right say what a part is needed for.
"""

import numpy as np

from attention_lab.figures import style
from attention_lab.studies import Claim, Study, difference
from attention_lab.studies.recipes import architectures, rates, runs
from attention_lab.studies.recipes.drawing import draw_curves, draw_estimate, seed_count, titled_figure

WHOLE, RESIDUAL, NORM = "whole", "no residual paths", "no layer norm"
FEED_FORWARD, ENCODER = "no feed-forward nets", "no encoder attention"
ARMS = {WHOLE: {}, RESIDUAL: {"model.residual": False}, NORM: {"model.norm": "none"},
        FEED_FORWARD: {"model.hidden": 0}, ENCODER: {"attention.window": 0}}
MEASURES = {"test_bleu": "BLEU", "test_sense": "ambiguous nouns right", "test_agreement": "verbs right",
            "test_pronoun": "pronouns right"}  # the last three are shares
PLATEAU = 1.0  # BLEU on dev: an arm that gains more over its last fifth has not had enough steps


def cost(column, without):
    """A column of the whole model less that of an arm without a part; a run that diverged counts as 0."""
    return difference(column, WHOLE, without, missing=0.0, stage="final")


CLAIMS = (
    Claim("residual_paths", "without residual paths a translator loses more than five BLEU",
          cost("test_bleu", RESIDUAL), "greater", 5.0, margin=1.0, published="tokens become alike"),
    Claim("layer_norm", "without layer norm it translates worse (BLEU)", cost("test_bleu", NORM), "greater",
          margin=0.5),
    Claim("feed_forward_nets", "without feed-forward nets it translates worse (BLEU)",
          cost("test_bleu", FEED_FORWARD), "greater", margin=0.5),
    Claim("encoder_attention", "without encoder self-attention it translates worse (BLEU)",
          cost("test_bleu", ENCODER), "greater", margin=0.5, published="more than the decoder's"),
    Claim("attention_as_nets", "encoder self-attention is worth as much as feed-forward nets, to one BLEU",
          cost("test_bleu", ENCODER) - cost("test_bleu", FEED_FORWARD), "equal", margin=1.0),
    Claim("senses_by_attention", "without encoder self-attention fewer ambiguous nouns are right (share)",
          cost("test_sense", ENCODER), "greater", margin=0.02),
    Claim("pronouns_by_attention", "without encoder self-attention fewer pronouns are right (share)",
          cost("test_pronoun", ENCODER), "greater", margin=0.02),
    Claim("pronouns_by_nets", "without feed-forward nets fewer pronouns are right (share)",
          cost("test_pronoun", FEED_FORWARD), "greater", margin=0.02),
    Claim("senses_by_norm", "without layer norm more ambiguous nouns are right (share)",
          cost("test_sense", NORM), "less", margin=0.02),
    Claim("senses_by_nets", "without feed-forward nets fewer ambiguous nouns are right (share)",
          cost("test_sense", FEED_FORWARD), "greater", margin=0.02, primary=False),
    Claim("verbs_by_attention", "without encoder self-attention as many verbs are right, to one point "
          "(share)", cost("test_agreement", ENCODER), "equal", margin=0.01, primary=False),
    Claim("verbs_by_nets", "without feed-forward nets as many verbs are right, to one point (share)",
          cost("test_agreement", FEED_FORWARD), "equal", margin=0.01, primary=False),
)


def best_rates(rows, arm):
    """{rate: mean dev BLEU over the tuning seeds of an arm}; a run that diverged has 0."""
    return rates.by_rate(rows, "dev_bleu", 0.0, arm=arm)


def cells(settings):
    """Tuning cells, one arm after another; then the final ones."""
    return rates.cells(runs.crossed(arm=settings["arms"]), settings)


def overrides(cell, settings, rows):
    """The changes of a run in its config; the rate of a final one is None until rates are tuned."""
    rate = cell["rate"]
    if rate is None and rows is not None:
        scores = best_rates(rows, cell["arm"])
        rate = rates.best(scores)
    return settings["config"] | ARMS[cell["arm"]] | {
        "optimizer.learning_rate": rate, "seed": cell["seed"],
        "data.split": "test" if cell["stage"] == "final" else "dev"}


def draw(rows, settings):
    """Each measure by arm, a dot for each seed; dev BLEU over the rate and over steps."""
    final = [row for row in rows if row["stage"] == "final"]
    title = (f"{seed_count(final)} seeds, each arm at its best rate; bars: means and their 95 % intervals; "
             f"curves: range\nmore than {PLATEAU:g} BLEU gained in the last fifth: "
             + (", ".join(rates.still_rising(rows, PLATEAU, "arm")) or "none"))
    with titled_figure(10.2, 7.0, title) as figure:
        axes = figure.subplots(2, 3).flat
        for ax, (column, name) in zip(axes, MEASURES.items()):
            for x, (arm, colour) in enumerate(zip(settings["arms"], style.COLOURS)):
                scores = _scores(final, arm, column)
                draw_estimate(ax, x, scores, colour)
            ax.set_xticks(range(len(settings["arms"])), [arm.replace(" ", "\n").replace("-", "-\n")
                                                         for arm in settings["arms"]])
            ax.set(ylabel=f"{name}, test")
            _cut_off(ax, [_scores(final, arm, column) for arm in settings["arms"]])
        for arm, colour in zip(settings["arms"], style.COLOURS):
            scores = best_rates(rows, arm)
            axes[4].plot(list(scores), list(scores.values()), "o-", color=colour, markersize=4, label=arm)
            draw_curves([axes[5]], [row["curve"] for row in final if row["arm"] == arm], arm, colour)
        axes[4].set(xscale="log", xlabel="learning rate, tuning seeds", ylabel="BLEU, dev")
        axes[4].legend()
        axes[5].set(ylabel="BLEU, dev")
    return figure


def _scores(rows, arm, column):
    """A column of an arm; a run that diverged counts as 0."""
    return [row[column] or 0.0 for row in rows if row["arm"] == arm]


def _cut_off(ax, by_arm):
    """An axis that begins below the arms near the best one; the mean of each other is written at its foot."""
    near = [score for scores in by_arm if max(scores) > 0.5 * max(map(max, by_arm)) for score in scores]
    low, high = min(near), max(near)
    ax.set_ylim(low - 0.25 * (high - low) - 1e-3, high + 0.1 * (high - low) + 1e-3)
    for x, scores in enumerate(by_arm):
        if max(scores) < low:
            ax.annotate(f"{np.mean(scores):.2g}", (x, 0.0), (x, 0.1), xycoords=("data", "axes fraction"),
                        ha="center", arrowprops={"arrowstyle": "->"})


STUDY = Study(
    question="Which parts of a Transformer does a translator need: attention, residual paths, layer norm, "
             "feed-forward nets?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "tuning_seeds": 1, "arms": tuple(ARMS), "rates": (0.003,), "variant": "smoke",
                  "config": architectures.smoke()},
        "cpu": {"seeds": 10, "tuning_seeds": 3, "arms": tuple(ARMS), "rates": (0.001, 0.003, 0.01, 0.02),
                "variant": "", "config": architectures.SHORT_GRAMMAR},
        "accelerator": {"seeds": 10, "tuning_seeds": 4, "arms": tuple(ARMS),
                        "rates": (0.0001, 0.0003, 0.001, 0.003, 0.01), "variant": "",
                        "config": architectures.GRAMMAR | {
                            "data.lexicon_size": 1000, "data.train_size": 100000, "data.test_size": 2000,
                            "model.num_layers": 4, "model.width": 128, "model.hidden": 256,
                            "training.steps": 4000, "training.eval_every": 400,
                            "training.checkpoint_every": 4000}},
    },
    cells=cells, measure=architectures.measure_words, draw=draw,
    config=architectures.FILE + ":{variant}", overrides=overrides)
