"""How much of an early word reaches the last state, before anything is learnt? (Bengio et al. 1994)

The norm of d h_T / d x_(T-k) over the distance k, for recurrent cells (orthogonal recurrent matrix, Glorot
input matrix) and one attention head without position encoding, on independent standard normal inputs.
"""

import jax
import numpy as np

from attention_lab.analysis import decay
from attention_lab.figures import style
from attention_lab.studies import Claim, Study, function, mean, nearest
from attention_lab.studies.recipes.drawing import (
    draw_band,
    draw_ranges,
    ranges_of,
    titled_figure,
)
from attention_lab.studies.recipes.runs import crossed

CELLS = {"rnn": ("rnn", 1.0), "lstm, bias 0": ("lstm", 0.0), "lstm, bias 1": ("lstm", 1.0),
         "gru": ("gru", 1.0)}


def of(arm, column="slope"):
    """A column of an arm at the greatest length."""
    return mean(column, arm=arm, length=nearest(512))


CLAIMS = (
    Claim("rnn_decays", "the logarithm of an RNN's gradient falls with distance (slope, nats a step)",
          of("rnn"), "less", published="vanishes"),
    Claim("bias_helps", "an LSTM's falls less steeply with a forget bias of 1 than of 0",
          of("lstm, bias 1") - of("lstm, bias 0"), "greater", published="slower"),
    Claim("cell_path_0", "along the cell alone an LSTM of bias 0 forgets at log sigmoid(0) = -0.69 a step",
          of("lstm, bias 0", "cell_rate"), "equal", float(np.log(0.5)), margin=0.15, published=-0.69),
    Claim("cell_path_1", "along the cell alone an LSTM of bias 1 forgets at log sigmoid(1) = -0.31 a step",
          of("lstm, bias 1", "cell_rate"), "equal", float(-np.log1p(np.exp(-1.0))), margin=0.15,
          published=-0.31),
    Claim("attention_flat", "attention's gradient does not depend on distance (slope, nats a step)",
          of("attention"), "equal", margin=0.005, published="flat"),
    Claim("attention_dilutes", "attention's gradient is diluted as 1/n: slope -1 of its logarithm on log n",
          function("dilution"), "equal", -1.0, margin=0.1, published=-1.0),
    Claim("gru_decays", "the logarithm of a GRU's gradient falls with distance", of("gru"), "less",
          primary=False),
)


def cells(settings):
    """A cell for each seed and network; attention at several lengths."""
    seeds = range(settings["seeds"])
    return (crossed(arm=CELLS, length=[settings["length"]], seed=seeds)
            + crossed(arm=["attention"], length=settings["lengths"], seed=seeds))


def measure(cell, settings, train):
    """The log gradient norm over distance, mean over inputs; its slope; an LSTM cell's forgetting rate."""
    weights, inputs = jax.random.split(jax.random.key(cell["seed"]))
    x = jax.random.normal(inputs, (settings["inputs"], cell["length"], settings["size"]))
    rate = None
    if cell["arm"] == "attention":
        norms = jax.jit(jax.vmap(lambda x: decay.attention_norms(weights, x, settings["size"])))(x)
    else:
        kind, bias = CELLS[cell["arm"]]
        module = decay.cell(kind, settings["size"], settings["size"], bias)
        params = decay.start(module, weights)
        norms = jax.jit(lambda xs: jax.lax.map(lambda x: decay.recurrent_norms(module, params, x), xs))(x)
        if kind == "lstm":
            rate = float(jax.vmap(lambda x: decay.cell_path_rate(module, params, x))(x).mean())
    curve = np.asarray(norms, np.float64).mean(axis=0)
    far = np.arange(1, cell["length"])  # at distance 0 the gradient includes attention's query
    return {"slope": float(np.polyfit(far, curve[1:], 1)[0]), "cell_rate": rate, "curve": curve}


def dilution(rows):
    """The slope of attention's mean log gradient on log length, by seed."""
    means = {}
    for row in sorted((row for row in rows if row["arm"] == "attention"), key=lambda row: row["length"]):
        means.setdefault(row["seed"], []).append((np.log(row["length"]), np.mean(row["curve"][1:])))
    return {seed: np.polyfit(*zip(*points), 1)[0] for seed, points in means.items()}


def draw(rows, settings):
    """The gradient over distance, and attention's over length."""
    longest = {arm: max(row["length"] for row in rows if row["arm"] == arm) for arm in (*CELLS, "attention")}
    with titled_figure(9.6, 3.8, "gradient of the last state in an earlier word, before training; "
                       + ranges_of(rows)) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        for (arm, length), colour in zip(longest.items(), style.COLOURS):
            curves = np.stack([row["curve"] for row in rows if (row["arm"], row["length"]) == (arm, length)])
            draw_band(left, range(1, length), curves[:, 1:] / np.log(10), colour, alpha=0.2, label=arm)
        left.set(xlabel="words between the input and the last state", ylabel="log10 of the gradient's norm")
        lengths = sorted({row["length"] for row in rows if row["arm"] == "attention"})
        means = np.array([[np.exp(row["curve"][1:].mean()) for row in rows
                           if (row["arm"], row["length"]) == ("attention", length)] for length in lengths])
        right.plot(lengths, means[0].mean() * lengths[0] / np.array(lengths), color=style.FAINT,
                   label="as 1/n", zorder=0)
        draw_ranges(right, lengths, means, style.COLOURS[len(CELLS)], "o", label="attention")
        right.set(xlabel="words n", ylabel="gradient's norm, mean over distances", yscale="log")
        right.set_xscale("log", base=2)
        right.set_xticks(lengths, [str(length) for length in lengths])
        for ax in (left, right):
            ax.legend()
    return figure


STUDY = Study(
    question="How much of a word reaches the last state of a network that has not learnt, over the distance?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "length": 12, "lengths": (8, 16), "inputs": 4, "size": 8},
        "cpu": {"seeds": 8, "length": 121, "lengths": (8, 16, 32, 64, 121), "inputs": 64, "size": 64},
        "accelerator": {"seeds": 8, "length": 121, "lengths": (8, 16, 32, 64, 121, 512), "inputs": 512,
                        "size": 256},
    },
    cells=cells, measure=measure, draw=draw, functions={"dilution": dilution})
