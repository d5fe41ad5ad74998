"""Is attention a differentiable look-up, and what does a state need to look up as much? (Arora et al. 2023)

Multi-query recall: pairs of a key and a value, then some of the keys, each to be answered by its value. On
trained models of attention the study tests what match and value decide: it replaces values, swaps keys,
exchanges vectors, and makes the softmax sharper until it is a hard look-up, or flat. Beside them it trains
GRUs, LSTMs and linear attention of several widths, for the width at which nine in ten answers are right.
These models have one layer, embeddings and states of one width, and at each place see the token before as
well (`model.shift`), so that they differ in their memory alone. Each arm and width takes the rate with the
best accuracy on dev, mean over training and tuning seeds, at PAIRS pairs.

Without that shift one layer of attention is compared with two, on blocks of random tokens that begin again
(Elhage et al. 2021; Olsson et al. 2022). In one layer a head sees the token of each place alone, not the one
before it, by which it would have to match; the first of two layers can bring that one along. The study
measures the weight that heads give to the token after the earlier occurrence, and leaves out the head with
the largest.
"""

import jax
import numpy as np

from attention_lab import models
from attention_lab.analysis import head_ablation, induction, lookup
from attention_lab.config import split
from attention_lab.data import sequences, sources
from attention_lab.data.vocabulary import SPECIALS
from attention_lab.figures import style
from attention_lab.storage.runs import load_run
from attention_lab.studies import Claim, Study, function, mean
from attention_lab.studies.recipes import rates, recall, runs
from attention_lab.studies.recipes.drawing import draw_band, draw_seeds, seed_count, titled_figure
from attention_lab.studies.recipes.recall import RIGHT
from attention_lab.tasks.sequences.task import correct
from attention_lab.training.weights import scored_weights

ATTENTION = "attention"
ARMS = {
    ATTENTION: {"model.kind": "encoder"},
    "linear attention": {"model.kind": "linear_attention"},
    "gru": {"model.kind": "gru"},
    "lstm": {"model.kind": "lstm"},
}
REPEATED = {"one layer": 1, "two layers": 2}  # arms on repeated blocks, without the shift, by their layers
RECURRENT = ("gru", "lstm")
PLATEAU = 0.05  # an arm whose mean dev accuracy rises by more over its last fifth has not had enough steps
PAIRS, WIDTH = 4, 32  # of the models that are intervened on
# Temperatures of the softmax in all layers; 1 is that of training, the last picks the largest weight.
TEMPERATURES = (100.0, 8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.125, 0.001)
DID = {"value_followed": "value\nreplaced:\nanswer\nfollows",
       "value_stayed": "value\nreplaced:\nweight\nstays",
       "key_moved": "keys\nswapped:\nweight\nmoves", "key_followed": "keys\nswapped:\nanswer\nfollows",
       "vectors_followed": "vectors\nexchanged:\nanswer\nfollows"}


def model(column):
    """A column of the models that are intervened on; a run that diverged counts as 0."""
    return mean(column, 0.0, stage="final", arm=ATTENTION, pairs=PAIRS, width=WIDTH)


def repeated(column, arm):
    """A column of the models of repeated blocks; a run that diverged counts as 0."""
    return mean(column, 0.0, stage="final", arm=arm)


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
    Claim("one_layer_fails", "of a random block that begins again one layer of attention continues less than "
          "half rightly", repeated("test_accuracy", "one layer"), "less", 0.5,
          published="induction needs two layers"),
    Claim("two_layers_do_not", "of such blocks two layers of attention continue over nine in ten rightly",
          repeated("test_accuracy", "two layers"), "greater", RIGHT, published="induction needs two layers"),
    Claim("induction_head", "in the second of two layers a head gives over half of its weight to the token "
          "after the earlier occurrence", repeated("prefix_matching", "two layers"), "greater", 0.5,
          published="induction heads in two layers"),
    Claim("none_in_one_layer", "in one layer no head gives half of its weight to that token",
          repeated("prefix_matching", "one layer"), "less", 0.5, published="none in one layer"),
    Claim("head_is_needed", "the head of the second layer that gives most weight there costs more than ten "
          "points when it is left out", repeated("test_accuracy", "two layers") - repeated(
              "accuracy_without", "two layers"), "greater", 0.1, published="induction heads copy"),
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


def group(arm):
    """What the settings of an arm begin with, such as `recurrent_rates`."""
    return "recurrent_" if arm in RECURRENT else "repeated_" if arm in REPEATED else ""


def grid(settings):
    """The columns that name each arm, pairs and width; repeated blocks have no pairs."""
    return [{"arm": arm, "pairs": pairs, "width": width} for arm in (*ARMS, *REPEATED)
            for pairs in ((None,) if arm in REPEATED else settings["pairs"])
            for width in settings[f"{group(arm)}widths"]]


def cells(settings):
    """Tuning cells at the number of pairs of the models that are intervened on; then the final ones."""
    made = []
    for some in ("", "recurrent_", "repeated_"):
        arms = [arm for arm in grid(settings) if group(arm["arm"]) == some]
        tuned = [arm for arm in arms if arm["pairs"] in (PAIRS, None)]
        made += rates.cells(arms, {**settings, "rates": settings[f"{some}rates"]}, tuned)
    return sorted(made, key=lambda cell: cell["stage"] == "final")


def overrides(cell, settings, rows):
    """The recipe of a cell; the rate of a final one is None until rates are tuned."""
    arm, width, rate = cell["arm"], cell["width"], cell["rate"]
    if rate is None and rows is not None:
        scores = rates.by_rate(rows, "dev_mean", 0.0, arm=arm, width=width)
        rate = rates.best(scores)
    task = (_of_blocks if arm in REPEATED else _of_pairs)(cell, settings)
    steps = settings[f"{group(arm)}steps"]
    return settings["config"] | task | {
        "model.width": width, "model.hidden": width, "training.steps": steps,
        "training.eval_every": max(1, steps // 10), "training.checkpoint_every": steps,
        "optimizer.learning_rate": rate, "seed": cell["seed"],
        "data.split": "test" if cell["stage"] == "final" else "dev"}


def _of_pairs(cell, settings):
    """The task and model of an arm of recall."""
    arm, pairs, queries = cell["arm"], cell["pairs"], min(cell["pairs"], settings["queries"])
    return {"model.shift": True, "model.num_layers": 1, **ARMS[arm], "data.pairs": pairs,
            "data.queries": queries, "training.batch_tokens": settings["rows"] * (2 * pairs + queries)}


def _of_blocks(cell, settings):
    """The task and model of an arm on repeated blocks."""
    changes = runs.variant("configs/recall.py", "repeated")
    return {**changes, "model.shift": False, "model.num_layers": REPEATED[cell["arm"]],
            "training.batch_tokens": settings["rows"] * changes["data.length"]}


def measure(cell, settings, train):
    """Scores of a run; of the models that are intervened on also what interventions and temperatures do."""
    run = train(cell)
    curve = runs.curve(run.evaluations, "dev_accuracy")
    row = {"rate_used": run.changes["optimizer.learning_rate"], "status": run.result["status"],
           "dev_accuracy": run.result.get("dev_accuracy", 0.0),
           "test_accuracy": run.result.get("test_accuracy"),
           "dev_mean": float(curve[:, 1].mean()) if len(curve) else 0.0,
           "late_rise": rates.late_rise(curve[:, 1]) if len(curve) else None}
    row |= dict.fromkeys(COLUMNS)
    if run.result["status"] == "finished" and cell["stage"] == "final":
        if cell["arm"] in REPEATED:
            row |= _heads(run)
        elif (cell["arm"], cell["pairs"], cell["width"]) == (ATTENTION, PAIRS, WIDTH):
            row |= _probed(run, settings)
    return row


# prefix_matching: of the best head of the last layer; previous_token: of the best head of the first.
COLUMNS = ("matched", "answered", *DID, "accuracy_flat", "accuracy_hard", "by_temperature",
           "prefix_matching", "previous_token", "accuracy_without")


def _read(run):
    """The config of a run, its model, parameters and Hyper, and the sequences of test."""
    config = load_run(run.folder).config
    structure, hyper = split(config)
    made = models.build(structure, config.data.vocabulary_size)
    params = scored_weights(load_run(run.folder), made.init)
    return config, made, params, hyper, sources.load(config.data, ("test",))["test"]


def _heads(run):
    _, made, params, hyper, test = _read(run)
    scores = induction.head_scores(made, params, hyper, test)
    last = len(scores.prefix_matching) - 1
    head = induction.best_head(scores.prefix_matching, last)
    left = head_ablation.without(params, head, made.spec.model)
    return {"prefix_matching": float(scores.prefix_matching[last].max()),
            "previous_token": float(scores.previous_token[0].max()),
            "accuracy_without": accuracy(made, left, hyper, test)}


def _probed(run, settings):
    config, made, params, hyper, test = _read(run)
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


def draw(rows, settings):
    """What interventions do; temperatures; the width needed; induction heads; accuracy over width."""
    final = [row for row in rows if row["stage"] == "final"]
    probed = [row for row in final if (row["arm"], row["pairs"], row["width"]) == (ATTENTION, PAIRS, WIDTH)]
    colours = dict(zip(ARMS, style.COLOURS))
    rising = rates.still_rising(rows, PLATEAU, "arm", "pairs", "width")
    title = (f"multi-query recall and repeated blocks: {seed_count(final)} seeds; mean and range (no "
             f"interval); still rising: {', '.join(rising) or 'none'}")
    with titled_figure(15.2, 7.6, title) as figure:
        top, bottom = figure.subfigures(2, 1)
        left, right, width, blocks = top.subplots(1, 4, width_ratios=(5, 3, 3, 4))
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
        recall.draw_needed(width, rows, colours)
        _draw_blocks(blocks, final)
        panels = bottom.subplots(1, len(recall.pairs_of(rows)), sharey=True, squeeze=False)[0]
        for ax, pairs in zip(panels, recall.pairs_of(rows)):
            recall.draw_widths(ax, [row for row in final if row["pairs"] == pairs], colours)
            ax.set(title=f"{pairs} pairs", xlabel="width", ylabel="test accuracy", ylim=(-0.03, 1.03))
        panels[-1].legend(loc="lower right")
    return figure


def _draw_blocks(ax, rows):
    """Accuracy on repeated blocks, without a head, and the weights of heads: a dot for each seed."""
    names = {"test_accuracy": "accuracy", "accuracy_without": "accuracy\nwithout\nthe head",
             "prefix_matching": "its weight\nafter the\nsame token",
             "previous_token": "layer 1:\nweight on\ntoken before"}
    for place, (arm, colour) in enumerate(zip(REPEATED, style.COLOURS[len(ARMS):])):
        for x, name in enumerate(names):
            scores = [row[name] or 0.0 for row in rows if row["arm"] == arm]
            draw_seeds(ax, x + 0.3 * place - 0.15, scores, colour, None if x else arm, half=0.12)
    ax.set_xticks(range(len(names)), names.values())
    ax.axhline(RIGHT, color=style.FAINT, zorder=0)
    ax.set(ylim=(-0.03, 1.03), title="repeated blocks, without the shift")
    ax.legend()


SMOKE = {"data.vocabulary_size": 44, "data.train_size": 64, "data.dev_size": 8, "data.test_size": 8}
STUDY = Study(
    question="Is attention a look-up by match, and how wide must a recurrent state be to look up as much?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "tuning_seeds": 1, "pairs": (2, 4), "queries": 2, "rows": 8, "probed": 8,
                  "widths": (32,), "recurrent_widths": (8,), "repeated_widths": (8,),
                  "rates": (0.003,), "recurrent_rates": (0.003,), "repeated_rates": (0.003,),
                  "steps": 2, "recurrent_steps": 2, "repeated_steps": 2, "variant": "mqar",
                  "config": SMOKE},
        # As many keys and values as a GRU learns to bind in minutes.
        "cpu": {"seeds": 10, "tuning_seeds": 4, "pairs": (2, 4, 8), "queries": 4, "rows": 64, "probed": 512,
                "widths": (8, 16, 32), "recurrent_widths": (32, 64, 128), "repeated_widths": (64,),
                "rates": (0.01, 0.03, 0.1), "recurrent_rates": (0.001, 0.003, 0.01),
                "repeated_rates": (0.001, 0.003, 0.01), "steps": 600, "recurrent_steps": 2000,
                "repeated_steps": 1000, "variant": "mqar", "config": {"data.vocabulary_size": 20}},
        "accelerator": {"seeds": 10, "tuning_seeds": 4, "pairs": (4, 8, 16, 32, 64), "queries": 64,
                        "rows": 256, "probed": 1024, "widths": (32, 64, 128, 256, 512),
                        "recurrent_widths": (32, 64, 128, 256, 512), "repeated_widths": (64,),
                        "rates": (0.0003, 0.001, 0.003, 0.01),
                        "recurrent_rates": (0.0003, 0.001, 0.003, 0.01),
                        "repeated_rates": (0.0003, 0.001, 0.003, 0.01), "steps": 20000,
                        "recurrent_steps": 20000, "repeated_steps": 4000, "variant": "mqar",
                        "config": {"data.vocabulary_size": 8196, "data.train_size": 100000}},
    },
    cells=cells, measure=measure, draw=draw, config="configs/recall.py:{variant}", overrides=overrides,
    functions={"growth": recall.slope_of_width, "width_ratio": recall.width_ratio})
