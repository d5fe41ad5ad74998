"""Does the scale 1/sqrt(d_k) matter for learning? (Vaswani et al. 2017, 3.2.1; Britz et al. 2017)

Multi-query recall by a two-layer causal Transformer with one head, over key size and arm, each at its best
learning rate (recipes/tuned_arms.py). "Start" means the first evaluation on dev, after 50 steps of warm-up.
"""

from attention_lab.config.load import load
from attention_lab.config.parse import merge
from attention_lab.figures import style
from attention_lab.studies import Claim, Study, difference, nearest
from attention_lab.studies.recipes import runs, tuned_arms
from attention_lab.studies.recipes.drawing import (
    draw_curves,
    ranges_of,
    titled_figure,
)
from attention_lab.studies.recipes.recall import draw_floors, lead
from attention_lab.studies.recipes.tuned_arms import ARMS, MAIN

FILE = "configs/recall.py:{variant}"
TRAINED = 0.9
SMALLEST, MIDDLE, LARGEST = map(nearest, (16, 256, 1024))  # key sizes of the claims
CLAIMS = (
    Claim("tied_at_small", "at d_k = 16 scaled and unscaled are equal, to two points of accuracy",
          lead("scaled", "unscaled", SMALLEST), "equal", margin=0.02, published="tied"),
    Claim("worse_at_large", "at the largest d_k the unscaled arm recalls less, its rate tuned",
          lead("scaled", "unscaled", LARGEST), "greater", margin=0.02, published="scaled better"),
    Claim("additive_beats_unscaled", "at d_k = 256 additive attention recalls more than unscaled",
          lead("additive", "unscaled", MIDDLE), "greater", margin=0.02, published="additive better"),
    Claim("additive_as_scaled", "at d_k = 256 additive and scaled are equal, to two points",
          lead("additive", "scaled", MIDDLE), "equal", margin=0.02, published="similar"),
    Claim("cosine_as_scaled", "at d_k = 256 cosine with a learned gain and scaled are equal, to two points",
          lead("cosine", "scaled", MIDDLE), "equal", margin=0.02, primary=False),
    Claim("inverse_as_scaled", "at d_k = 256 the scale 1/d_k and scaled are equal, to two points",
          lead("inverse", "scaled", MIDDLE), "equal", margin=0.02, primary=False),
    Claim("entropy_at_start", "at the largest d_k attention starts less spread out without the scale",
          difference("start_entropy", "scaled", "unscaled", missing="skip", stage="final",
                     key_size=LARGEST), "greater", primary=False),
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


def draw(rows, settings):
    """Accuracy and steps of every seed over key size, accuracy over the rate, and three learning curves."""
    final = tuned_arms.final_of(rows)
    largest = max(size for arm, size, _ in final if arm in MAIN)
    config = merge(load(FILE.format(**settings)), settings["config"])
    title = ("recall with and without the scale; dots: seeds; arrows: numbers of seeds not there; curves: "
             + ranges_of(final.values()))
    with titled_figure(13.2, 6.8, title) as figure:
        axes = figure.subplots(2, 3)
        tuned_arms.draw_sizes(axes[0, 0], rows, "test_accuracy")
        axes[0, 0].set(ylabel="test accuracy, rate tuned on dev", ylim=(-0.03, 1.03))
        draw_floors(axes[0, 0], config.data)
        last = config.training.steps
        tuned_arms.draw_sizes(axes[0, 2], rows, "steps_to_90", worst=last, open_from=last)
        axes[0, 2].set(ylabel="steps to 0.9 on dev", ylim=(0, 1.1 * last))
        for arm, colour in zip(MAIN, style.COLOURS):
            tuned_arms.draw_rates(axes[0, 1], rows, arm, largest, "accuracy", colour)
            curves = [row["curve"] for at, row in final.items() if at[:2] == (arm, largest)]
            draw_curves(axes[1], curves, arm, colour)
        for ax in (axes[0, 1], axes[1, 0]):
            ax.set(ylabel=f"dev accuracy at d_k = {largest:,}", ylim=(-0.03, 1.03))
        axes[1, 1].set(ylabel="entropy of the last layer, share of log S")
        axes[1, 2].set(ylabel="gradient norm of the query maps", yscale="log")
        for ax in (axes[0, 1], *axes[1]):
            ax.legend()
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=7)
    return figure


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
    cells=cells, measure=measure, draw=draw, config=FILE, overrides=overrides)
