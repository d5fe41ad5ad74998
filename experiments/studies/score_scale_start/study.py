"""Does the scale 1/sqrt(d_k) matter where arms start alike? (Vaswani et al. 2017, 3.2.1; Yang et al. 2022)

Multi-query recall by a two-layer causal Transformer with one head. The initial query projection of each arm
is multiplied so that logits have the same standard deviation at the start, whatever the scale and the key
size: what is left of the scale is what it does to learning. Each arm and key size takes the rate at which it
learns soonest on dev, over four tuning seeds; ten other seeds, paired across arms, are scored on test. The
main arms have every key size, the others the largest.
"""

import math
from typing import NamedTuple

import numpy as np

from attention_lab.config.load import load
from attention_lab.config.parse import merge
from attention_lab.figures import style
from attention_lab.studies import Claim, Study, difference
from attention_lab.studies.recipes import rates, runs
from attention_lab.studies.recipes.drawing import draw_seeds, seed_count, titled_figure
from attention_lab.studies.recipes.equal_start import query_gain
from attention_lab.studies.recipes.recall import draw_floors, lead

FILE = "configs/recall.py:{variant}"
TUNING_SEEDS = (100, 101, 102, 103)
LEARNT = 0.9  # dev accuracy from which on a run has learnt


class Arm(NamedTuple):
    """An arm.

    Fields: attention.scale; start, the logits' standard deviation before training; slow_maps, whether the
    rate of queries and keys is divided by sqrt(d_k); tuned_as, the arm whose rate it takes, "" for its own.
    """

    scale: float | str
    start: float = 1.3
    slow_maps: bool = False
    tuned_as: str = ""


ARMS = {
    "scaled": Arm("inverse_sqrt"),
    "unscaled": Arm(1.0),
    "1/d_k": Arm("inverse"),
    "unscaled, slow maps": Arm(1.0, slow_maps=True),
    "scaled, flat": Arm("inverse_sqrt", 0.3, tuned_as="scaled"),
    "unscaled, flat": Arm(1.0, 0.3, tuned_as="unscaled"),
    "scaled, peaky": Arm("inverse_sqrt", 5.0, tuned_as="scaled"),
    "unscaled, peaky": Arm(1.0, 5.0, tuned_as="unscaled"),
}


MAIN = ("scaled", "unscaled")
SMALL, LARGE = 16, 256
CLAIMS = (
    Claim("tied_at_small", "at d_k = 16 scaled and unscaled are equal, to five points of accuracy",
          lead("scaled", "unscaled", SMALL), "equal", margin=0.05, published="tied"),
    Claim("worse_at_large", "at d_k = 256 the unscaled arm recalls less, by more than ten points",
          lead("scaled", "unscaled", LARGE), "greater", margin=0.1, published="scaled better"),
    Claim("gap_grows", "the scaled arm leads by more at 256 than at 16, by more than ten points",
          lead("scaled", "unscaled", LARGE) - lead("scaled", "unscaled", SMALL), "greater", margin=0.1,
          published="only at large d_k"),
    Claim("later_at_large", "at d_k = 256 the unscaled arm learns later (log10 of steps, the last if never)",
          difference("log_steps", "unscaled", "scaled", stage="final", key_size=LARGE), "greater"),
    Claim("slow_maps_help", "at d_k = 256 the unscaled arm recalls more where queries and keys learn at "
          "1/sqrt(d_k) of the rate, by more than ten points",
          lead("unscaled, slow maps", "unscaled", LARGE), "greater", margin=0.1),
    Claim("slow_maps_close", "at d_k = 256 that arm and the scaled one are equal, to five points",
          lead("unscaled, slow maps", "scaled", LARGE), "equal", margin=0.05),
    Claim("inverse_as_scaled", "at d_k = 256 the scale 1/d_k and scaled are equal, to five points",
          lead("1/d_k", "scaled", LARGE), "equal", margin=0.05, primary=False),
    Claim("flat_start_helps", "at d_k = 256 the unscaled arm recalls more from a start of 0.3 than of 5",
          lead("unscaled, flat", "unscaled, peaky", LARGE), "greater", primary=False),
    Claim("gradient_not_smaller", "at d_k = 256 the queries' gradient is not smaller without the scale "
          "(log10, first evaluation)",
          difference("log_gradient", "unscaled", "scaled", stage="final", key_size=LARGE), "greater",
          primary=False),
)


def arms_of(size, settings):
    """The arms of a key size."""
    return ARMS if size == max(settings["key_sizes"]) else MAIN


def cells(settings):
    """Tuning cells of the arms with a rate of their own, one program after another; then the final ones."""
    tuning = [{"stage": "tune", "arm": name, "key_size": size, "rate": rate, "seed": seed}
              for size in settings["key_sizes"] for name in arms_of(size, settings) if not ARMS[name].tuned_as
              for rate in settings["rates"] for seed in TUNING_SEEDS[:settings["tuning_seeds"]]]
    return tuning + [{"stage": "final", "arm": name, "key_size": size, "rate": None, "seed": seed}
                     for size in settings["key_sizes"] for name in arms_of(size, settings)
                     for seed in range(settings["seeds"])]


def best_rate(rows, arm, size):
    """The rate with the largest mean dev accuracy over training and tuning seeds; the lowest of equals."""
    scores = by_rate(rows, ARMS[arm].tuned_as or arm, size)
    return rates.best(scores)


def by_rate(rows, arm, size):
    """{rate: mean over the tuning seeds of the mean dev accuracy over training}, rates rising."""
    scores = {}
    for row in rows:
        if (row["stage"], row["arm"], row["key_size"]) == ("tune", arm, size):
            scores.setdefault(row["rate"], []).append(row["dev_mean"])
    return {rate: float(np.mean(scores[rate])) for rate in sorted(scores)}


def overrides(cell, settings, rows):
    """The recipe of a cell; the rate of a final one is None until rates are tuned."""
    arm, size, rate = ARMS[cell["arm"]], cell["key_size"], cell["rate"]
    if rate is None and rows is not None:
        rate = best_rate(rows, cell["arm"], size)
    return settings["config"] | {
        "attention.scale": arm.scale,
        "attention.query_gain": query_gain(arm.start, arm.scale, size, settings["width"]),
        "optimizer.query_key_rate": float(f"{size ** -0.5:.5g}") if arm.slow_maps else 1.0,
        "model.width": settings["width"], "model.key_size": size, "optimizer.learning_rate": rate,
        "seed": cell["seed"], "data.split": "test" if cell["stage"] == "final" else "dev"}


def measure(cell, settings, train):
    """Scores of a run, the step at which it had learnt, and its learning curve."""
    result, evaluations, _, changes = train(cell)
    entropy = max((name for line in evaluations for name in line if name.startswith("dev_entropy_")),
                  default="")
    curve = runs.curve(evaluations, "dev_accuracy", entropy, "dev_query_gradient")
    learnt = curve[curve[:, 1] >= LEARNT, 0]
    return {
        "rate_used": changes["optimizer.learning_rate"], "status": result["status"],
        "dev_accuracy": result.get("dev_accuracy", 0.0), "test_accuracy": result.get("test_accuracy"),
        "dev_mean": float(curve[:, 1].mean()) if len(curve) else 0.0,
        "learnt": int(len(learnt) > 0),
        "log_steps": math.log10(learnt[0] if len(learnt) else settings["config"]["training.steps"]),
        "log_gradient": math.log10(curve[0, 3]) if len(curve) and curve[0, 3] > 0 else None,
        "start_entropy": float(curve[0, 2]) if len(curve) else None,
        "late_rise": rates.late_rise(curve[:, 1]) if len(curve) else None,
        "curve": curve}


def draw(rows, settings):
    """Seeds by arm and key size; the share that has learnt, by step; dev accuracy by rate; entropy."""
    final = [row for row in rows if row["stage"] == "final"]
    sizes, data = settings["key_sizes"], merge(load(FILE.format(**settings)), settings["config"]).data
    title = (f"recall where logits start alike: {seed_count(final)} seeds at each arm's best rate, "
             f"{settings['config']['training.steps']:,} steps")
    with titled_figure(13.2, 8.4, title) as figure:
        top, bottom = figure.subfigures(2, 1)
        widths = [len(arms_of(size, settings)) for size in sizes]
        panels = top.subplots(1, len(sizes), sharey=True, squeeze=False, width_ratios=widths)[0]
        for ax, size in zip(panels, sizes):
            _draw_arms(ax, [row for row in final if row["key_size"] == size], arms_of(size, settings), size)
            draw_floors(ax, data)
        panels[-1].legend(loc="center left")
        axes = bottom.subplots(1, 3)
        for name, colour in zip([name for name in ARMS if not ARMS[name].tuned_as], style.COLOURS):
            at = [row for row in final if row["arm"] == name and row["key_size"] == sizes[-1]]
            _draw_learnt(axes[0], at, colour, name)
            tuned = by_rate(rows, name, sizes[-1])
            axes[1].plot(list(tuned), list(tuned.values()), "o-", color=colour, label=name, markersize=4)
            curves = [row["curve"] for row in at if len(row["curve"])]
            if curves:
                length = min(map(len, curves))
                stack = np.stack([curve[:length] for curve in curves])
                axes[2].plot(stack[0, :, 0], np.median(stack[:, :, 2], axis=0), color=colour, label=name)
        axes[0].set(xlabel="optimizer steps", ylabel=f"share of seeds that have learnt, d_k = {sizes[-1]}",
                    ylim=(-0.03, 1.03))
        axes[1].set(xscale="log", xlabel="peak learning rate", ylim=(0, 1.03),
                    ylabel=f"mean dev accuracy over training, d_k = {sizes[-1]}")
        axes[2].set(xlabel="optimizer steps", ylim=(-0.03, 1.03),
                    ylabel=f"entropy of the last layer, share of log S, d_k = {sizes[-1]}")
        axes[0].legend(loc="lower right")
    return figure


def _draw_arms(ax, rows, arms, size):
    for index, name in enumerate(arms):
        scores = [row["test_accuracy"] or 0.0 for row in rows if row["arm"] == name]
        draw_seeds(ax, index, scores, style.COLOURS[list(ARMS).index(ARMS[name].tuned_as or name)], half=0.3)
    ax.set_xticks(range(len(arms)), [name.replace(", ", ",\n") for name in arms])
    ax.set_xlim(-0.6, len(arms) - 0.4)
    ax.set(title=f"d_k = {size}", ylabel="test accuracy", ylim=(-0.03, 1.03))


def _draw_learnt(ax, rows, colour, label):
    """The share of runs that have learnt by a step; runs that never do keep it below 1."""
    steps = sorted(10.0 ** row["log_steps"] for row in rows if row["learnt"])
    last = max((row["curve"][-1, 0] for row in rows if len(row["curve"])), default=0)
    shares = np.arange(1, len(steps) + 1) / max(len(rows), 1)
    ax.step([0, *steps, last], [0, *shares, shares[-1] if steps else 0], where="post", color=colour,
            label=label)


STUDY = Study(
    question="Where logits start alike, do models learn without the scale 1/sqrt(d_k)?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "tuning_seeds": 2, "key_sizes": (16, 256), "rates": (0.001, 0.003), "width": 16,
                  "variant": "smoke", "config": {"training.steps": 3, "training.eval_every": 1,
                                                 "model.num_layers": 1}},
        "cpu": {"seeds": 10, "tuning_seeds": 4, "key_sizes": (16, 256),
                "rates": (0.0001, 0.0003, 0.001, 0.003, 0.01), "width": 64, "variant": "",
                "config": {"training.steps": 3000, "training.eval_every": 100,
                           "training.checkpoint_every": 3000}},
        "accelerator": {"seeds": 10, "tuning_seeds": 4, "key_sizes": (16, 64, 256, 1024),
                        "rates": (0.0001, 0.0003, 0.001, 0.003, 0.01), "width": 64, "variant": "",
                        "config": {"training.steps": 12000, "training.eval_every": 200,
                                   "training.checkpoint_every": 3000}},
    },
    cells=cells, measure=measure, draw=draw, config=FILE, overrides=overrides)
