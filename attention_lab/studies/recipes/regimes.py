"""Agreement of explanations in an LSTM of film reviews, over regimes of training.

    short             dropout 0.5, batches of 2,048 tokens, 4 passes, 128 units: that of `explanation_sst`
    long              no dropout, batches of 640 tokens, 8 passes, 256 units
    long, small       the same, and embeddings start ten times smaller

Importances are those of Jain & Wallace 2019: attention, input times gradient with constant weights, leaving
words out. Learning rate and classifier are theirs in every regime; the checkpoint is selected on dev.
"""

import numpy as np

from attention_lab.analysis import agreement
from attention_lab.analysis import explanations as importances
from attention_lab.figures import style
from attention_lab.statistics import Claim
from attention_lab.studies.recipes import explanations, runs
from attention_lab.studies.recipes.architectures import by_seed
from attention_lab.studies.recipes.drawing import draw_seeds, seed_count, titled_figure
from attention_lab.studies.values import difference

_LONG = {"training.dropout": 0.0, "training.batch_tokens": 640, "training.epochs": 8.0, "model.hidden": 256}
REGIMES = {
    "short": {"training.dropout": 0.5, "training.batch_tokens": 2048, "training.epochs": 4.0,
              "model.hidden": 128},
    "long": _LONG,
    "long, small": _LONG | {"model.embedding_scale": 0.1},
}
SHORT, LONG, SMALL = REGIMES
PAIRS = {"gradient": "attention,\ngradient", "leave_one_out": "attention,\nremoval",
         "between": "gradient,\nremoval"}
CLASSES = ("negative", "positive")  # in alphabetical order
METHODS = ("attention", "gradient_detached", "leave_one_out")
COLUMNS = ("status", "steps", "sentences", "dev_accuracy", "test_accuracy",
           *(f"tau_{name}{part}" for name in PAIRS for part in ("", *(f"_{label}" for label in CLASSES))))
CONFIG = {"data.buckets": (24, 56), "model.width": 128}
SMOKE = {name: explanations.SMOKE[name] for name in ("seeds", "sentences", "file", "variant", "config")} | {
    "regimes": {SHORT: {}, LONG: {"training.dropout": 0.0}, SMALL: {"model.embedding_scale": 0.1}}}

# Claims on any corpus.
REGIME = Claim(
    "regime", "attention agrees with gradients by over 0.15 of tau more in an LSTM trained long, with small "
    "embeddings, than in one trained short", difference("tau_gradient", SMALL, SHORT), "greater", 0.15)
SCALE = Claim(
    "scale", "in an LSTM trained long attention agrees with gradients more if embeddings start ten times "
    "smaller", difference("tau_gradient", SMALL, LONG), "greater", margin=0.05)


def cells(settings):
    """A run for each regime and seed."""
    return runs.crossed(arm=settings["regimes"], seed=range(settings["seeds"]))


def overrides(cell, settings, rows):
    """The changes of a run in its config."""
    return runs.with_data(settings["config"] | settings["regimes"][cell["arm"]] | {
        "seed": cell["seed"], "data.split": "test"}, settings)


def measure(cell, settings, train):
    """Scores of a run, and how well its explanations agree, over all sentences and by the predicted class."""
    run = train(cell)
    row = dict.fromkeys(COLUMNS) | {name: run.result[name] for name in ("status", "steps")}
    if run.result["status"] != "finished":
        return row
    trained, sentences = explanations.read(run.folder, settings["sentences"])
    importance = importances.explain(trained.classifier, trained.params, sentences, METHODS)
    row |= {"sentences": len(sentences)}
    row |= {name: run.result[name] for name in ("dev_accuracy", "test_accuracy")}
    for name in PAIRS:
        tau = agreement.kendall(*(importance[method] for method in explanations.PAIRS[name]))
        row[f"tau_{name}"] = float(np.nanmean(tau))
        row |= {f"tau_{name}_{label}": value if np.isfinite(value) else None for label, value in zip(
            CLASSES, explanations.by_prediction(trained, sentences, tau))}
    return row


def draw(rows, title, published=()):
    """Agreement of each pair in each regime, over all sentences and by the predicted class, and accuracy.

    published: {column of the table: value}, drawn as dotted bars.
    """
    published = dict(published)
    pairs = [(f"tau_{name}", label) for name, label in PAIRS.items()]
    parts = [(f"tau_{name}_{label}", f"{PAIRS[name]}\n{label}") for name in PAIRS for label in CLASSES]
    with titled_figure(13.2, 4.0, f"{title}; points: {seed_count(rows)} seeds, bars: their mean") as figure:
        axes = figure.subplots(1, 3, width_ratios=(1.0, 1.7, 0.6))
        for ax, columns in zip(axes, (pairs, parts, [("test_accuracy", "")])):
            _draw_columns(ax, rows, columns, published)
        axes[0].set(ylabel="Kendall's tau, mean over sentences")
        axes[1].set(ylabel="tau where this class is predicted")
        axes[2].set(ylabel="test accuracy")
        axes[0].legend()
    return figure


def _draw_columns(ax, rows, columns, published):
    arms, label = list(dict.fromkeys(row["arm"] for row in rows)), "published"
    for x, (column, _) in enumerate(columns):
        for place, (arm, colour) in enumerate(zip(arms, style.COLOURS)):
            values = by_seed(rows, column, arm)
            if np.isfinite(values).any():
                draw_seeds(ax, x + 0.26 * (place - 1), values[np.isfinite(values)], colour,
                           label=None if x else arm)
        if column in published:
            ax.plot([x - 0.42, x + 0.42], [published[column]] * 2, ":", color=style.INK, label=label)
            label = None
    ax.set_xticks(range(len(columns)), [name for _, name in columns], fontsize=8)


# Fields of Study.
SHARED = {"cells": cells, "measure": measure, "config": "{file}", "overrides": overrides,
          "check": runs.check_data}
