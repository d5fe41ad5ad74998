"""From how far back can one word be given back, and does a gradient that arrives say so? (Bengio et al. 1994)

One of four words is marked among fillers and has to be given back at the end (configs/memory.py): two bits to
be kept, whatever the distance k; the sequences are the same at every k but for the place of the mark. Each
arm takes at each distance the rate at which it learns soonest on dev, over four tuning seeds; ten other
seeds, paired across arms and distances, are scored on test. A run has learnt at its first evaluation with
nine in ten right on dev; one that never does counts as the last step, and is censored in the log-rank tests.
After training the norm of d h_T / d x is measured at the marked word, and summed over all other places.
"""

import math

import numpy as np
from scipy.special import logsumexp

from attention_lab import models
from attention_lab.analysis import decay
from attention_lab.config import replace, split
from attention_lab.data import sources
from attention_lab.figures import style
from attention_lab.statistics.survival import log_rank, share_reached
from attention_lab.storage.runs import load_run
from attention_lab.studies import Claim, Study, function, mean, nearest, slope
from attention_lab.studies.recipes import rates, runs
from attention_lab.studies.recipes.drawing import draw_unreached, seed_count, titled_figure
from attention_lab.training.weights import scored_weights

FILE = "configs/memory.py:{variant}"
ARMS = {"rnn": "rnn", "lstm": "lstm", "gru": "gru", "attention": ""}  # variants of that file
RECURRENT = ("rnn", "lstm", "gru")
LEARNT = 0.9  # accuracy on dev from which on a run has learnt
PLATEAU = 0.05  # an arm whose mean dev accuracy rises by more over its last fifth has not had enough steps
GRADIENTS = ("gradient_marked", "gradient_elsewhere")
NEAR, FAR = nearest(5), nearest(120)


def at(column, arm, distance):
    """A column of an arm's final runs at a distance; a run that diverged has answered nothing."""
    return mean(column, missing=0.0, arm=arm, stage="final", distance=distance)


def growth(arm):
    """The slope of log steps on log distance."""
    return slope("steps", over="distance", arm=arm, stage="final")


CLAIMS = (
    Claim("rnn_near", "from 5 places an RNN gives back more than nine in ten marked words",
          at("test_accuracy", "rnn", NEAR), "greater", 0.9, published="learns"),
    Claim("rnn_fails_far", "from 120 places it gives back fewer than half",
          at("test_accuracy", "rnn", FAR), "less", 0.5, published="fails"),
    Claim("lstm_slower", "an LSTM needs more steps the further back the word is (slope of log steps on log "
          "distance; a run that has not learnt counts as the last step)", growth("lstm"), "greater",
          published="grows"),
    Claim("gru_slower", "a GRU needs more steps the further back the word is (the same slope)",
          growth("gru"), "greater", published="grows"),
    Claim("attention_far", "from 120 places attention gives back more than 99 in 100",
          at("test_accuracy", "attention", FAR), "greater", 0.99, published="learns"),
    Claim("attention_flat", "attention's steps do not depend on the distance (log10 of steps at 120 less "
          "that at 5, to 0.15)", at("log_steps", "attention", FAR) - at("log_steps", "attention", NEAR),
          "equal", margin=0.15, published="flat"),
    Claim("flatter", "attention's steps grow less with distance than a GRU's (slope)",
          growth("attention") - growth("gru"), "less", published="less"),
    Claim("gradient_marked", "recurrent networks: accuracy is higher where the gradient at the marked word "
          "is larger, the sum elsewhere held constant (points for ten times as much)",
          function("regression", column="gradient_marked"), "greater", published="a gradient is memory"),
    Claim("gradient_elsewhere", "and lower where the gradient's sum elsewhere is larger, that at the marked "
          "word held constant", function("regression", column="gradient_elsewhere"), "less"),
    Claim("gru_sooner", "a GRU learns sooner than an LSTM at 40 places (log10 of steps)",
          at("log_steps", "gru", nearest(40)) - at("log_steps", "lstm", nearest(40)), "less", primary=False),
)


def cells(settings):
    """Tuning cells, one arm after another; then the final ones."""
    return rates.cells(runs.crossed(arm=ARMS, distance=settings["distances"]), settings)


def overrides(cell, settings, rows):
    """The changes of a run in its config; the rate of a final one is None until rates are tuned."""
    rate = cell["rate"]
    if rate is None and rows is not None:
        # By the mean over training: the rate at which it learns soonest. The lowest of equals.
        scores = rates.by_rate(rows, "dev_mean", 0.0, arm=cell["arm"], distance=cell["distance"])
        rate = rates.best(scores)
    return runs.recurrent_variant("configs/memory.py", ARMS[cell["arm"]]) | settings["config"] | {
        "data.distance": cell["distance"], "optimizer.learning_rate": rate, "seed": cell["seed"],
        "data.split": "test" if cell["stage"] == "final" else "dev"}


def measure(cell, settings, train):
    """The step at which a run had learnt, its scores, and on final runs its gradients after training."""
    result, evaluations, folder, changes = train(cell)
    curve = runs.curve(evaluations, "dev_accuracy")
    learnt = curve[curve[:, 1] >= LEARNT, 0]
    steps = int(learnt[0]) if len(learnt) else settings["config"]["training.steps"]
    row = {"rate_used": changes["optimizer.learning_rate"], "status": result["status"],
           "dev_accuracy": result.get("dev_accuracy", 0.0), "test_accuracy": result.get("test_accuracy"),
           "dev_mean": float(curve[:, 1].mean()) if len(curve) else 0.0, "learnt": int(len(learnt) > 0),
           "steps": steps, "log_steps": math.log10(steps),
           "late_rise": rates.late_rise(curve[:, 1]) if len(curve) else None,
           **dict.fromkeys(GRADIENTS), "gradient": None, "curve": curve}
    if cell["stage"] == "final" and result["status"] == "finished":
        row |= gradients(folder, settings["sequences"])
    return row


def gradients(folder, count):
    """log10 |d h_T / d x_(T-k)|, mean over dev sequences: at the mark, summed elsewhere, and at every k.

    A gradient of exactly 0, of units that are saturated, has no logarithm: None.
    """
    run = load_run(folder)
    data, (structure, hyper) = run.config.data, split(run.config)
    init = models.build(structure, data.vocabulary_size).init
    source = sources.load(replace(run.config, {"data.dev_size": count}).data, ("dev",))["dev"].source
    # No model depends on the place of the mark: one program serves all distances.
    norms = decay.sequence_norms(replace(structure, {"data.distance": 1}), scored_weights(run, init), hyper,
                                 source)
    mean_norms = np.asarray(norms, np.float64).mean(axis=0)
    sums = mean_norms[data.distance], logsumexp(np.delete(mean_norms, data.distance))
    row = {name: total / np.log(10) if np.isfinite(total) else None for name, total in zip(GRADIENTS, sums)}
    return row | {"gradient": mean_norms / np.log(10)}


def regression(rows, column):
    """By seed: change of accuracy for ten times as much of a gradient, the other gradient held constant.

    Least squares over the recurrent arms and all distances: accuracy on log10 of the gradient at the marked
    word and log10 of the sum elsewhere. Runs without either, which diverged or are saturated, are left out.
    """
    slopes = {}
    final = [row for row in rows if row["stage"] == "final" and row["arm"] in RECURRENT
             and None not in (row[name] for name in GRADIENTS)]
    for seed in sorted({row["seed"] for row in final}):
        own = [row for row in final if row["seed"] == seed]
        design = np.array([[1.0, *(row[name] for name in GRADIENTS)] for row in own])
        fitted = np.linalg.lstsq(design, [row["test_accuracy"] for row in own], rcond=None)[0]
        slopes[seed] = float(fitted[1 + GRADIENTS.index(column)])
    return slopes


def draw(rows, settings):
    """Seeds: steps, accuracy, accuracy by both gradients; then the share that has learnt, arm by arm."""
    final = [row for row in rows if row["stage"] == "final"]
    rising = rates.still_rising(rows, PLATEAU, "arm", "distance")
    title = (f"give back a marked word: {seed_count(final)} seeds at each arm's best rate, "
             f"{settings['config']['training.steps']:,} steps; open arrows: seeds that have not learnt; "
             f"still rising: {', '.join(rising) or 'none'}")
    with titled_figure(13.2, 7.2, title) as figure:
        axes = figure.subplots(2, 4)
        for index, (arm, colour) in enumerate(zip(ARMS, style.COLOURS)):
            of_arm = [row for row in final if row["arm"] == arm]
            for k in settings["distances"]:
                cell, place = [row for row in of_arm if row["distance"] == k], k * 1.22 ** (index - 1.5)
                _draw_seeds(axes[0, 0], place, [row["steps"] for row in cell if row["learnt"]], colour)
                draw_unreached(axes[0, 0], place, settings["config"]["training.steps"],
                               sum(not row["learnt"] for row in cell), colour)
                _draw_seeds(axes[0, 1], place, [row["test_accuracy"] or 0.0 for row in cell], colour)
            for ax, column in zip(axes[0, 2:], GRADIENTS):
                shown = [row for row in of_arm if row[column] is not None]
                ax.plot([row[column] for row in shown], [row["test_accuracy"] for row in shown], "o",
                        color=colour, markersize=3.5, alpha=0.7, label=arm)
            _draw_learnt(axes[1, index], of_arm, settings["distances"], arm)
        for ax in axes[0, :2]:
            ax.set_xscale("log")
            ax.set_xticks(settings["distances"], [str(k) for k in settings["distances"]])
            ax.minorticks_off()
            ax.set_xlabel("places between the marked word and the answer")
        axes[0, 0].set(ylabel=f"steps to {LEARNT:.0%} right on dev", yscale="log")
        for ax in axes[0, 1:]:
            ax.axhline(0.25, color=style.INK, linestyle=":", linewidth=0.9)
            ax.set(ylabel="accuracy on test (dotted: chance)", ylim=(0, 1.03))
        axes[0, 2].set_xscale("symlog")  # saturated units have gradients of 1e-400
        axes[0, 2].xaxis.set_major_formatter("{x:g}")
        axes[0, 2].set_xlabel("log10 of the gradient at the marked word")
        axes[0, 3].set_xlabel("log10 of the gradient's sum elsewhere")
        axes[0, 3].legend()
        axes[1, 0].legend(title="places")
        axes[1, 0].set_ylabel("share of seeds that have learnt")
    return figure


def _draw_seeds(ax, place, values, colour):
    ax.plot(place * 1.006 ** (np.arange(len(values)) - (len(values) - 1) / 2), values, "o", color=colour,
            markersize=3.5, alpha=0.7)


def _draw_learnt(ax, rows, distances, arm):
    """The share of an arm's runs that have learnt by a step, by distance."""
    curves = {k: ([row["steps"] for row in rows if row["distance"] == k],
                  [bool(row["learnt"]) for row in rows if row["distance"] == k]) for k in distances}
    last = max(row["curve"][-1, 0] for row in rows if len(row["curve"]))
    for (k, given), colour in zip(curves.items(), style.COLOURS):
        steps, share = share_reached(*given)
        ax.step([0, *steps, last], [0, *share, share[-1] if len(share) else 0], where="post", color=colour,
                label=str(k))
    p = log_rank(*curves[distances[0]], *curves[distances[-1]])
    ax.set(title=f"{arm}; log-rank, {distances[0]} and {distances[-1]} places: p = {p:.2g}",
           xlabel="optimizer steps", ylim=(-0.03, 1.03))


_SMALL = {"model.width": 32, "model.hidden": 32, "data.dev_size": 128}

STUDY = Study(
    question="From how far back is one word given back, and does a gradient that arrives say so?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "tuning_seeds": 2, "distances": (2, 5), "rates": (0.001, 0.003), "sequences": 4,
                  "variant": "smoke", "config": {"training.steps": 3, "training.eval_every": 1}},
        "cpu": {"seeds": 10, "tuning_seeds": 4, "distances": (5, 15, 40, 120),
                "rates": (0.001, 0.003, 0.01, 0.03, 0.1), "sequences": 32, "variant": "",
                "config": _SMALL | {"training.steps": 1000, "training.eval_every": 25,
                                    "training.checkpoint_every": 1000}},
        "accelerator": {"seeds": 10, "tuning_seeds": 4, "distances": (5, 15, 40, 80, 120),
                        "rates": (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1), "sequences": 64, "variant": "",
                        "config": _SMALL | {"training.steps": 10000, "training.eval_every": 50,
                                            "training.checkpoint_every": 10000}},
    },
    cells=cells, measure=measure, draw=draw, functions={"regression": regression}, config=FILE,
    overrides=overrides)
