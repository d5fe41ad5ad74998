"""Is attention a differentiable look-up, and what does a state need to look up as much? (Arora et al. 2023)

Multi-query recall: pairs of a key and a value, then some of the keys, each to be answered by its value. On
trained models of attention the study tests what match and value decide: it replaces values, swaps keys,
exchanges vectors, and makes the softmax sharper until it is a hard look-up, or flat. Beside them it trains
GRUs, LSTMs and linear attention of several widths, for the width at which nine in ten answers are right.
These models have one layer, embeddings and states of one width, and at each place see the token before as
well (`model.shift`), so that they differ in their memory alone. Without that shift one layer of attention is
compared with two: the first of two can bring the key to its value. Each arm and width takes the rate with the
best accuracy on dev, mean over training and tuning seeds, at PAIRS pairs.
"""

import jax
import numpy as np

from attention_lab import models
from attention_lab.analysis import lookup
from attention_lab.config import split
from attention_lab.data import sequences, sources
from attention_lab.data.vocabulary import SPECIALS
from attention_lab.figures import style
from attention_lab.storage.runs import load_run
from attention_lab.studies import Claim, Study, function, mean
from attention_lab.studies.recipes import rates, runs
from attention_lab.studies.recipes.drawing import (
    draw_band,
    draw_ranges,
    draw_seeds,
    seed_count,
    titled_figure,
)
from attention_lab.studies.recipes.recall import RIGHT, width_needed
from attention_lab.tasks.sequences.task import correct
from attention_lab.training.weights import scored_weights

TUNING_SEEDS = (100, 101, 102, 103)
ATTENTION = "attention"
ARMS = {
    ATTENTION: {"model.kind": "encoder"},
    "linear attention": {"model.kind": "encoder", "attention.compatibility": "linear"},
    "gru": {"model.kind": "gru"},
    "lstm": {"model.kind": "lstm"},
    "no shift, one layer": {"model.kind": "encoder", "model.shift": False},
    "no shift, two layers": {"model.kind": "encoder", "model.shift": False, "model.num_layers": 2},
}
RECURRENT = ("gru", "lstm")
CONTROLS = ("no shift, one layer", "no shift, two layers")  # where models are intervened on alone
PAIRS, WIDTH = 4, 32  # of the models that are intervened on
# Temperatures of the softmax in all layers; 1 is that of training, the last picks the largest weight.
TEMPERATURES = (100.0, 8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.125, 0.001)
DID = {"value_followed": "value replaced:\nanswer follows", "value_stayed": "value replaced:\nweight stays",
       "key_moved": "keys swapped:\nweight moves", "key_followed": "keys swapped:\nanswer follows",
       "vectors_followed": "vectors exchanged:\nanswer follows"}


def model(column):
    """A column of the models that are intervened on; a run that diverged counts as 0."""
    return mean(column, 0.0, stage="final", arm=ATTENTION, pairs=PAIRS, width=WIDTH)


def control(layers):
    """The accuracy of attention without the shift; a run that diverged counts as 0."""
    return mean("test_accuracy", 0.0, stage="final", arm=CONTROLS[layers - 1], pairs=PAIRS, width=WIDTH)


def growth(arm):
    """The slope of log2 of the width needed on log2 of the pairs, of an arm."""
    return function("growth", arm=arm)


CLAIMS = (
    Claim("place_by_match", "the largest weight of the last layer is at the value of the key that is asked "
          "for, in over nine in ten sequences", model("matched"), "greater", RIGHT,
          published="high match, high weight"),
    Claim("value_decides", "where that value is replaced, the answer is the new one, in over nine in ten",
          model("value_followed"), "greater", RIGHT, published="sum of values"),
    Claim("value_does_not_move", "where that value is replaced, the largest weight stays, in over nine in "
          "ten", model("value_stayed"), "greater", RIGHT),
    Claim("key_decides", "where two keys change places, the largest weight moves with the key, in over nine "
          "in ten", model("key_moved"), "greater", RIGHT, published="high match, high weight"),
    Claim("vectors_decide", "where the last layer's values at two places are exchanged, and nothing else, "
          "the answer is the other value, in over nine in ten", model("vectors_followed"), "greater", RIGHT,
          published="sum of values"),
    Claim("hard_suffices", "a hard look-up (the largest weight is 1) recalls as much as the softmax, to five "
          "points", model("accuracy_hard") - model("test_accuracy"), "equal", margin=0.05),
    Claim("flat_fails", "weights that are all but equal (temperature 100) recall less than half",
          model("accuracy_flat"), "less", 0.5),
    Claim("one_layer_fails", "without the shift, where no place has both a value and its key, one layer of "
          "attention recalls less than half", control(1), "less", 0.5,
          published="induction needs two layers"),
    Claim("two_layers_do_not", "without the shift two layers of attention recall over nine in ten",
          control(2), "greater", RIGHT, published="induction needs two layers"),
    Claim("gru_grows", "a GRU needs more width the more pairs there are (slope of log2 width on log2 pairs)",
          growth("gru"), "greater", published="grows"),
    Claim("lstm_grows", "an LSTM needs more width the more pairs there are (the same slope)", growth("lstm"),
          "greater", published="grows"),
    Claim("linear_grows", "linear attention needs more width the more pairs there are (the same slope)",
          growth("linear attention"), "greater", published="grows"),
    Claim("attention_does_not", "attention needs the same width for any number of pairs (the same slope, to "
          "a quarter)", growth(ATTENTION), "equal", margin=0.25, published="constant"),
    Claim("gru_needs_more", "at the most pairs a GRU needs over four times the width of attention (log2 of "
          "the ratio)", function("width_ratio", arm="gru", other=ATTENTION), "greater", 2.0),
)


def grid(settings):
    """(arm, pairs, width) of the final runs; of controls where models are intervened on alone."""
    return [(arm, pairs, width) for arm in ARMS for pairs in settings["pairs"]
            for width in settings["widths" if arm not in RECURRENT else "recurrent_widths"]
            if arm not in CONTROLS or (pairs, width) == (PAIRS, WIDTH)]


def cells(settings):
    """Tuning cells at the number of pairs of the models that are intervened on; then the final ones."""
    seeds = TUNING_SEEDS[:settings["tuning_seeds"]]
    tuning = [{"stage": "tune", "arm": arm, "pairs": pairs, "width": width, "rate": rate, "seed": seed}
              for arm, pairs, width in grid(settings) if pairs == PAIRS
              for rate in settings["rates"] for seed in seeds]
    return tuning + [
        {"stage": "final", "arm": arm, "pairs": pairs, "width": width, "rate": None, "seed": seed}
        for arm, pairs, width in grid(settings) for seed in range(settings["seeds"])]


def by_rate(rows, arm, width):
    """{rate: mean dev accuracy over the tuning seeds and over training}, rates rising."""
    scores = {}
    for row in rows:
        if (row["stage"], row["arm"], row["width"]) == ("tune", arm, width):
            scores.setdefault(row["rate"], []).append(row["dev_mean"])
    return {rate: float(np.mean(scores[rate])) for rate in sorted(scores)}


def overrides(cell, settings, rows):
    """The recipe of a cell; the rate of a final one is None until rates are tuned."""
    arm, pairs, width, rate = cell["arm"], cell["pairs"], cell["width"], cell["rate"]
    if rate is None and rows is not None:
        scores = by_rate(rows, arm, width)
        rate = max(scores, key=scores.get)
    steps = settings["recurrent_steps" if arm in RECURRENT else "steps"]
    return settings["config"] | {"model.shift": True, "model.num_layers": 1} | ARMS[arm] | {
        "model.width": width, "model.hidden": width, "data.pairs": pairs,
        "training.steps": steps, "training.eval_every": max(1, steps // 10),
        "training.checkpoint_every": steps,
        "training.batch_tokens": settings["rows"] * (2 * pairs + min(pairs, settings["queries"])),
        "data.queries": min(pairs, settings["queries"]),
        "optimizer.learning_rate": rate, "seed": cell["seed"],
        "data.split": "test" if cell["stage"] == "final" else "dev"}


def measure(cell, settings, train):
    """Scores of a run; of the models that are intervened on also what interventions and temperatures do."""
    run = train(cell)
    curve = runs.curve(run.evaluations, "dev_accuracy")
    row = {"rate_used": run.changes["optimizer.learning_rate"], "status": run.result["status"],
           "dev_accuracy": run.result.get("dev_accuracy", 0.0),
           "test_accuracy": run.result.get("test_accuracy"),
           "dev_mean": float(curve[:, 1].mean()) if len(curve) else 0.0,
           "late_rise": rates.late_rise(curve[:, 1]) if len(curve) else None}
    probed = run.result["status"] == "finished" and (
        cell["stage"], cell["arm"], cell["pairs"], cell["width"]) == ("final", ATTENTION, PAIRS, WIDTH)
    return row | (_probed(run, settings) if probed else dict.fromkeys(COLUMNS))


COLUMNS = ("matched", "answered", *DID, "accuracy_flat", "accuracy_hard", "by_temperature")


def _probed(run, settings):
    config = load_run(run.folder).config
    structure, hyper = split(config)
    made = models.build(structure, config.data.vocabulary_size)
    params = scored_weights(load_run(run.folder), made.init)
    test = sources.load(config.data, ("test",))["test"]
    half = (config.data.vocabulary_size - len(SPECIALS)) // 2
    first = len(SPECIALS) + (config.data.keys or half)
    values = range(first, first + (config.data.values or half))
    some = sequences.Sequences(*(x[:settings["probed"]] for x in test))
    shares = lookup.interventions(made, params, hyper, some, config.data.pairs, values)
    scales = [hyper.attention_scale / np.float32(temperature) for temperature in TEMPERATURES]
    curve = [accuracy(made, params, hyper._replace(attention_scale=scale), test) for scale in scales]
    return shares | {"accuracy_flat": curve[0], "accuracy_hard": curve[-1], "by_temperature": np.array(curve)}


def accuracy(made, params, hyper, test):
    """The share of right answers."""
    sums = [jax.device_get(correct(made, params, batch, hyper)) for batch in sequences.in_order(test, 256)]
    return float(sum(part.total for part in sums) / sum(part.count for part in sums))


def _seeds(rows):
    return sorted({row["seed"] for row in rows if row["stage"] == "final"})


def _pairs(rows):
    return sorted({row["pairs"] for row in rows})


def slope_of_width(rows, arm):
    """The slope of log2 of the width needed on log2 of the pairs, by seed; without noise of rounding."""
    pairs = _pairs(rows)
    needed = {seed: [width_needed(rows, arm, many, seed) for many in pairs] for seed in _seeds(rows)}
    slopes = {seed: np.polyfit(np.log2(pairs), widths, 1)[0] for seed, widths in needed.items()}
    return {seed: round(float(slope), 9) for seed, slope in slopes.items()}


def width_ratio(rows, arm, other):
    """log2 of the ratio of the widths that two arms need at the most pairs, by seed."""
    most = _pairs(rows)[-1]
    return {seed: width_needed(rows, arm, most, seed) - width_needed(rows, other, most, seed)
            for seed in _seeds(rows)}


def draw(rows, settings):
    """What interventions do; accuracy over temperature; accuracy over width; the width needed over pairs."""
    final = [row for row in rows if row["stage"] == "final"]
    probed = [row for row in final if (row["arm"], row["pairs"], row["width"]) == (ATTENTION, PAIRS, WIDTH)]
    arms = [arm for arm in ARMS if arm not in CONTROLS]
    colours = dict(zip(ARMS, style.COLOURS))
    title = f"multi-query recall: {seed_count(final)} seeds; mean and range (no interval)"
    with titled_figure(13.2, 7.6, title) as figure:
        top, bottom = figure.subfigures(2, 1)
        left, right, width = top.subplots(1, 3, width_ratios=(5, 3, 3))
        for index, name in enumerate(DID):
            draw_seeds(left, index, [row[name] or 0.0 for row in probed], colours[ATTENTION], half=0.3)
        left.set_xticks(range(len(DID)), DID.values())
        left.axhline(RIGHT, color=style.FAINT)
        left.set(ylim=(-0.03, 1.03), ylabel=f"share of sequences, {PAIRS} pairs, width {WIDTH}")
        curves = np.array([row["by_temperature"] for row in probed if row["by_temperature"] is not None])
        if len(curves):
            draw_band(right, TEMPERATURES, curves, colours[ATTENTION], label=ATTENTION)
        right.set(xscale="log", xlabel="temperature of the softmax (1: as trained)", ylabel="test accuracy",
                  ylim=(-0.03, 1.03))
        right.invert_xaxis()
        for arm in arms:
            needed = [[2.0 ** width_needed(rows, arm, pairs, seed) for seed in _seeds(rows)]
                      for pairs in _pairs(rows)]
            draw_ranges(width, _pairs(rows), needed, colours[arm], label=arm)
        width.set_xscale("log", base=2)
        width.set_yscale("log", base=2)
        width.set(xlabel="pairs", ylabel=f"width for {RIGHT:.0%} (twice the largest: none)")
        width.set_xticks(_pairs(rows), [str(pairs) for pairs in _pairs(rows)])
        width.legend()
        panels = bottom.subplots(1, len(_pairs(rows)), sharey=True, squeeze=False)[0]
        for ax, pairs in zip(panels, _pairs(rows)):
            _draw_widths(ax, [row for row in final if row["pairs"] == pairs], colours)
            ax.set(title=f"{pairs} pairs", xlabel="width", ylabel="test accuracy", ylim=(-0.03, 1.03))
        panels[-1].legend(loc="lower right")
    return figure


def _draw_widths(ax, rows, colours):
    widths = sorted({row["width"] for row in rows})
    for arm, colour in colours.items():
        scores = {}
        for row in rows:
            if row["arm"] == arm:
                scores.setdefault(row["width"], []).append(row["test_accuracy"] or 0.0)
        if scores:
            draw_ranges(ax, sorted(scores), [scores[size] for size in sorted(scores)], colour, label=arm)
    ax.set_xscale("log", base=2)
    ax.set_xticks(widths, [str(size) for size in widths])
    ax.axhline(RIGHT, color=style.FAINT, zorder=0)


SMOKE = {"data.vocabulary_size": 44, "data.train_size": 64, "data.dev_size": 8, "data.test_size": 8}
STUDY = Study(
    question="Is attention a look-up by match, and how wide must a recurrent state be to look up as much?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "tuning_seeds": 1, "pairs": (2, 4), "widths": (32,), "recurrent_widths": (8,),
                  "rates": (0.003,), "queries": 2, "rows": 8, "probed": 8, "variant": "mqar",
                  "steps": 2, "recurrent_steps": 2, "config": SMOKE},
        # As many keys and values as a GRU learns to bind in minutes.
        "cpu": {"seeds": 10, "tuning_seeds": 4, "pairs": (2, 4, 8), "widths": (8, 16, 32),
                "recurrent_widths": (32, 64, 128), "rates": (0.003, 0.01, 0.03), "queries": 4, "rows": 64,
                "probed": 512, "variant": "mqar", "steps": 600, "recurrent_steps": 2000,
                "config": {"data.vocabulary_size": 20}},
        "accelerator": {"seeds": 10, "tuning_seeds": 4, "pairs": (4, 8, 16, 32, 64),
                        "widths": (32, 64, 128, 256, 512), "recurrent_widths": (32, 64, 128, 256, 512),
                        "rates": (0.0003, 0.001, 0.003, 0.01), "queries": 64, "rows": 256, "probed": 1024,
                        "variant": "mqar", "steps": 20000, "recurrent_steps": 20000,
                        "config": {"data.vocabulary_size": 8196, "data.train_size": 100000}},
    },
    cells=cells, measure=measure, draw=draw, config="configs/recall.py:{variant}", overrides=overrides,
    functions={"growth": slope_of_width, "width_ratio": width_ratio})
