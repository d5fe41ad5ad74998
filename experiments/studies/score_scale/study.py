"""Does the scale 1/sqrt(d_k) matter for learning? (Vaswani et al. 2017, 3.2.1; Britz et al. 2017)

Multi-query recall by a two-layer causal Transformer with one head, over key size and arm, each at its best
learning rate (recipes/tuned_arms.py). A rate "trains" if the mean dev accuracy of the tuning seeds is at
least TRAINED. "Start" means the first evaluation on dev, after 50 steps of warm-up.
"""

import numpy as np

from attention_lab.figures import style
from attention_lab.studies import Claim, Study, difference, nearest
from attention_lab.studies.recipes import runs, tuned_arms
from attention_lab.studies.recipes.drawing import (
    draw_curves,
    key_size_axis,
    seed_count,
    titled_figure,
)
from attention_lab.studies.recipes.tuned_arms import ARMS, MAIN

TRAINED = 0.9


def recall(arm, other, size):
    """Test accuracy of an arm minus another's; a run that diverged counts as 0."""
    return difference("test_accuracy", arm, other, missing=0.0, stage="final", key_size=nearest(size))


SMALLEST, MIDDLE, LARGEST = 16, 256, 1024  # key sizes of the claims
CLAIMS = (
    Claim("tied_at_small", "at d_k = 16 scaled and unscaled are equal, to two points of accuracy",
          recall("scaled", "unscaled", SMALLEST), "equal", margin=0.02, published="tied"),
    Claim("worse_at_large", "at the largest d_k the unscaled arm recalls less, its rate tuned",
          recall("scaled", "unscaled", LARGEST), "greater", margin=0.02, published="scaled better"),
    Claim("additive_beats_unscaled", "at d_k = 256 additive attention recalls more than unscaled",
          recall("additive", "unscaled", MIDDLE), "greater", margin=0.02, published="additive better"),
    Claim("additive_as_scaled", "at d_k = 256 additive and scaled are equal, to two points",
          recall("additive", "scaled", MIDDLE), "equal", margin=0.02, published="similar"),
    Claim("cosine_as_scaled", "at d_k = 256 cosine with a learned gain and scaled are equal, to two points",
          recall("cosine", "scaled", MIDDLE), "equal", margin=0.02, primary=False),
    Claim("inverse_as_scaled", "at d_k = 256 the scale 1/d_k and scaled are equal, to two points",
          recall("inverse", "scaled", MIDDLE), "equal", margin=0.02, primary=False),
    Claim("entropy_at_start", "at the largest d_k attention starts less spread out without the scale",
          difference("start_entropy", "scaled", "unscaled", missing="skip", stage="final",
                     key_size=nearest(LARGEST)), "greater", primary=False),
)


def sizes_of(arm, settings):
    """Key sizes of an arm; only the two main arms have the largest."""
    return settings["key_sizes"] + (settings["main_key_sizes"] if arm in MAIN else ())


def cells(settings):
    """Tuning cells first, then the final ones."""
    pairs = [(arm, size) for arm in ARMS for size in sizes_of(arm, settings)]
    return tuned_arms.cells(pairs, settings["rates"], settings["seeds"])


overrides = tuned_arms.overrides_by("accuracy")


def measure(cell, settings, train):
    """Scores and learning curve of a run."""
    result, evaluations, _, changes = train(cell)
    entropy = max((name for line in evaluations for name in line if name.startswith("dev_entropy_")),
                  default="")
    reached = [line["step"] for line in evaluations if line["dev_accuracy"] >= TRAINED]
    return {
        "rate_used": changes["optimizer.learning_rate"], "status": result["status"],
        "dev_accuracy": result.get("dev_accuracy", 0.0), "test_accuracy": result.get("test_accuracy"),
        "start_entropy": evaluations[0][entropy] if evaluations else None,
        "start_gradient": evaluations[0]["dev_query_gradient"] if evaluations else None,
        "steps_to_90": reached[0] if reached else None,
        "curve": runs.curve(evaluations, "dev_accuracy", entropy, "dev_query_gradient")}


def largest_rate(rows, arm, size):
    """The largest rate that trains, nan for none."""
    scores = tuned_arms.by_rate(rows, arm, size, "accuracy")
    return max((rate for rate, score in scores.items() if score >= TRAINED), default=np.nan)


def draw(rows, settings):
    """Accuracy over key size and over the learning rate, rates that train, and three learning curves."""
    final = tuned_arms.final_of(rows)
    largest = max(size for arm, size, _ in final if arm in MAIN)
    title = f"recall with and without the scale; mean and range of {seed_count(final.values())} seeds"
    with titled_figure(13.2, 6.6, title) as figure:
        axes = figure.subplots(2, 3)
        tuned_arms.draw_sizes(axes[0, 0], rows, "test_accuracy")
        axes[0, 0].set(ylabel="test accuracy, rate tuned on dev", ylim=(-0.03, 1.03))
        _draw_largest_rates(axes[0, 2], rows, sorted({size for _, size, _ in final}))
        for arm, colour in zip(MAIN, style.COLOURS):
            tuned_arms.draw_rates(axes[0, 1], rows, arm, largest, "accuracy", colour)
            curves = [row["curve"] for at, row in final.items() if at[:2] == (arm, largest)]
            draw_curves(axes[1], curves, arm, colour)
        for ax in (axes[0, 1], axes[1, 0]):
            ax.set(ylabel=f"dev accuracy at d_k = {largest:,}", ylim=(-0.03, 1.03))
        axes[1, 1].set(ylabel="entropy of the last layer, share of log S")
        axes[1, 2].set(ylabel="gradient norm of the query maps", yscale="log")
        for ax in axes.flat:
            ax.legend()
    return figure


def _draw_largest_rates(ax, rows, sizes):
    for index, (arm, colour) in enumerate(zip(ARMS, style.COLOURS)):
        of_arm = np.array(sorted({row["key_size"] for row in rows if row["arm"] == arm}))
        largest = np.array([largest_rate(rows, arm, size) for size in of_arm], float)
        # Shifted, so that arms with the same rate do not cover each other.
        ax.plot(of_arm * (1.0 + 0.04 * (index - 2)), largest * (1.0 + 0.03 * (index - 2)), "o-", color=colour,
                markersize=4, label=arm if np.isfinite(largest).any() else f"{arm} (none)")
    key_size_axis(ax, sizes)
    tried = sorted({row["rate"] for row in rows if row["stage"] == "tune"})
    ax.set(ylabel="largest peak learning rate that trains", yscale="log",
           ylim=(min(tried) / 1.5, max(tried) * 1.5))


STUDY = Study(
    question="Do models learn without the scale 1/sqrt(d_k), and from which key size on do they not?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "key_sizes": (4,), "main_key_sizes": (), "rates": (0.001, 0.003),
                  "variant": "smoke", "config": {"training.steps": 3, "model.num_layers": 1}},
        "cpu": {"seeds": 8, "key_sizes": (16, 64, 256), "main_key_sizes": (1024,),
                "rates": (0.0003, 0.001, 0.003, 0.01), "variant": "", "config": {}},
        "accelerator": {"seeds": 8, "key_sizes": (16, 64, 256), "main_key_sizes": (1024,),
                        "rates": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03), "variant": "",
                        "config": {"data.vocabulary_size": 8192, "data.pairs": 32,
                                   "training.batch_tokens": 16384, "training.steps": 6000}},
    },
    cells=cells, measure=measure, draw=draw, config="configs/recall.py:{variant}", overrides=overrides)
