"""Is the rate at which a gradient decays the log of the recurrent gain? (Bengio 1994; Pascanu et al. 2013)

As signal_decay, with the orthogonal recurrent matrix times a gain g. A step back multiplies the gradient of
an RNN by g and by tanh' = 1 - h^2, which is at most 1, so that its log norm falls by at least -log g a step:

    log |d h_T / d x_(T-k)| = constant + k log g + the damping by tanh' over k steps

Inputs of standard deviation s = 0.01 leave tanh nearly linear for g <= 1: over T steps the variance of a unit
stays below s^2 T, 0.012 here, so that the slope on k is log g to 0.012 at g = 1, and to less below. With
inputs of standard deviation 1 the damping is that of mean-field theory (`decay.mean_field_rate`; Schoenholz
et al. 2017), whose error for H units is near 3 (m - 1) / 4H, 0.0075 to 0.013 here, where
m = E[tanh'^4] / E[tanh'^2]^2. The path along an LSTM's cell has no recurrent matrix: it forgets at
log sigmoid(bias), whatever the gain.
"""

import functools

import jax
import numpy as np

from attention_lab.analysis import decay
from attention_lab.figures import style
from attention_lab.studies import Claim, Study, function, mean
from attention_lab.studies.recipes.drawing import draw_band, draw_ranges, ranges_of, titled_figure
from attention_lab.studies.recipes.runs import crossed

GATED = {"lstm, bias 0": ("lstm", 0.0), "lstm, bias 1": ("lstm", 1.0), "gru": ("gru", 1.0)}
CELLS = {"rnn": ("rnn", 1.0), **GATED}
SMALL, STANDARD = 0.01, 1.0  # standard deviations of the inputs


def on_gain(arm, spread=STANDARD, column="slope", largest=1.5):
    """The least-squares slope of a column on log gain, over gains up to the largest."""
    return function("on_gain", arm=arm, spread=spread, column=column, largest=largest)


def at(arm, gain, spread=STANDARD, column="slope"):
    """A column of an arm at a gain."""
    return mean(column, arm=arm, gain=gain, spread=spread)


CLAIMS = (
    Claim("slope_is_log_gain", "small inputs, gains of 0.5 to 1: an RNN's slope (nats a step) grows by 1 for "
          "1 in log gain", on_gain("rnn", SMALL, largest=1.0), "equal", 1.0, margin=0.05,
          published="log gain"),
    Claim("nothing_else_decays", "small inputs, gains of 0.5 to 1: the slope less log gain (mean over gains)",
          function("above", theory="log gain", spread=SMALL, largest=1.0), "equal", margin=0.012),
    Claim("mean_field", "standard inputs, gains of 0.5 to 1.5: the slope less that of mean-field theory "
          "(mean over gains)", function("above", theory="mean field", spread=STANDARD, largest=1.5), "equal",
          margin=0.03),
    Claim("tanh_takes_from_gain", "standard inputs: an RNN's slope grows by less than 1 for 1 in log gain",
          on_gain("rnn"), "less", 1.0),
    Claim("no_cure", "standard inputs: at a gain of 1.5 an RNN's gradient still vanishes (slope)",
          at("rnn", 1.5), "less", published="may explode"),
    Claim("explodes", "small inputs: at a gain of 1.5 an RNN's gradient explodes (slope)",
          at("rnn", 1.5, SMALL), "greater", published="may explode"),
    Claim("explodes_slowly", "small inputs: at a gain of 1.5 it grows at less than half of log gain (slope)",
          at("rnn", 1.5, SMALL), "less", 0.5 * float(np.log(1.5))),
    Claim("cell_path_0", "an LSTM of bias 0: the rate along the cell alone does not depend on log gain",
          on_gain("lstm, bias 0", column="cell_rate"), "equal", margin=0.05),
    Claim("cell_path_1", "an LSTM of bias 1: the rate along the cell alone does not depend on log gain",
          on_gain("lstm, bias 1", column="cell_rate"), "equal", margin=0.05),
    Claim("cell_path_0_at_largest", "at a gain of 1.5 it is log sigmoid(0) = -0.69 a step with bias 0",
          at("lstm, bias 0", 1.5, column="cell_rate"), "equal", float(np.log(0.5)), margin=0.15,
          published=-0.69),
    Claim("cell_path_1_at_largest", "at a gain of 1.5 it is log sigmoid(1) = -0.31 a step with bias 1",
          at("lstm, bias 1", 1.5, column="cell_rate"), "equal", float(-np.log1p(np.exp(-1.0))), margin=0.15,
          published=-0.31),
    Claim("lstm_depends_less", "an LSTM's slope (bias 1) depends less on log gain than an RNN's",
          on_gain("lstm, bias 1") - on_gain("rnn"), "less"),
    Claim("gru_depends_less", "a GRU's slope depends less on log gain than an RNN's",
          on_gain("gru") - on_gain("rnn"), "less"),
)


def cells(settings):
    """A cell for each network, gain, spread of the inputs and seed."""
    seeds = range(settings["seeds"])
    return (crossed(arm=["rnn"], gain=settings["gains"], spread=[SMALL, STANDARD], seed=seeds)
            + crossed(arm=GATED, gain=settings["gated_gains"], spread=[STANDARD], seed=seeds))


@functools.partial(jax.jit, static_argnums=0)
def norms_of(module, params, xs):
    """`recurrent_norms` of each input, (N, T, D) -> (N, T)."""
    return jax.lax.map(lambda x: decay.recurrent_norms(module, params, x), xs)


@functools.partial(jax.jit, static_argnums=0)
def rates_of(module, params, xs):
    """`cell_path_rate` of each input, (N, T, D) -> (N,)."""
    return jax.vmap(lambda x: decay.cell_path_rate(module, params, x))(xs)


def measure(cell, settings, train):
    """The log gradient norm over distance, mean over inputs; its slope; an LSTM cell's forgetting rate."""
    weights, inputs = jax.random.split(jax.random.key(cell["seed"]))
    x = cell["spread"] * jax.random.normal(inputs, (settings["inputs"], settings["length"],
                                                    settings["size"]))
    kind, bias = CELLS[cell["arm"]]
    module = decay.cell(kind, settings["size"], settings["size"], bias)
    params = decay.start(module, weights)
    params |= {"recurrent": cell["gain"] * params["recurrent"]}
    curve = np.asarray(norms_of(module, params, x), np.float64).mean(axis=0)
    rate = float(rates_of(module, params, x).mean()) if kind == "lstm" else None
    return {"slope": float(np.polyfit(np.arange(1, len(curve)), curve[1:], 1)[0]), "cell_rate": rate,
            "curve": curve}


THEORIES = {"log gain": lambda gain, spread: float(np.log(gain)), "mean field": decay.mean_field_rate}


def _by_seed(rows, arm, spread, largest):
    rows_of = {}
    for row in rows:
        if (row["arm"], row["spread"]) == (arm, spread) and row["gain"] <= largest:
            rows_of.setdefault(row["seed"], []).append(row)
    return rows_of


def regressed(rows, arm, spread, column, largest):
    """The least-squares slope of a column on log gain, by seed."""
    return {seed: float(np.polyfit(np.log([row["gain"] for row in of_seed]),
                                   [row[column] for row in of_seed], 1)[0])
            for seed, of_seed in _by_seed(rows, arm, spread, largest).items()}


def above(rows, theory, spread, largest):
    """An RNN's slope less that of a theory, mean over gains, by seed."""
    return {seed: float(np.mean([row["slope"] - THEORIES[theory](row["gain"], spread) for row in of_seed]))
            for seed, of_seed in _by_seed(rows, "rnn", spread, largest).items()}


def draw(rows, settings):
    """An RNN's gradient over distance; its slope over gain beside theory; gated cells over gain."""
    title = "gradient of the last state in an earlier word, before training; " + ranges_of(rows)
    with titled_figure(13.2, 4.2, title) as figure:
        curves, slopes, gated = figure.subplots(1, 3)
        distances = np.arange(1, settings["length"])
        for gain, colour in zip(settings["gains"], style.COLOURS):
            stack = np.stack([row["curve"][1:] for row in rows if (row["arm"], row["gain"], row["spread"])
                              == ("rnn", gain, SMALL)]) / np.log(10)
            draw_band(curves, distances, stack, colour, label=f"gain {gain:g}")
            curves.plot(distances, stack[:, 0].mean() + (distances - 1) * np.log10(gain), ":", color=colour)
        curves.set(xlabel="words between the input and the last state",
                   ylabel="log10 of the gradient's norm", title="RNN, small inputs; dotted: k log gain")
        fine = np.linspace(settings["gains"][0], settings["gains"][-1], 60)
        slopes.plot(fine, np.log(fine), ":", color=style.INK, label="log gain")
        for spread, line, colour in zip((SMALL, STANDARD), ("--", "-."), style.COLOURS):
            slopes.plot(fine, [decay.mean_field_rate(gain, spread) for gain in fine], line, linewidth=1,
                        color=colour, label=f"mean field, inputs of {spread:g}")
            _over_gain(slopes, rows, "rnn", spread, "slope", colour, "o", f"RNN, inputs of {spread:g}")
        for arm, colour in zip(GATED, style.COLOURS[2:]):
            _over_gain(gated, rows, arm, STANDARD, "slope", colour, "o-", arm)
            if GATED[arm][0] == "lstm":
                _over_gain(gated, rows, arm, STANDARD, "cell_rate", colour, "s--", f"{arm}: cell alone")
        slopes.set(xlabel="recurrent gain", ylabel="slope, nats a step", title="RNN")
        gated.set(xlabel="recurrent gain", ylabel="slope or rate, nats a step",
                  title="gated cells, standard inputs")
        for ax in (curves, slopes, gated):
            ax.legend(fontsize=7)
    return figure


def _over_gain(ax, rows, arm, spread, column, colour, line, label):
    chosen = [row for row in rows if (row["arm"], row["spread"]) == (arm, spread)]
    gains = sorted({row["gain"] for row in chosen})
    draw_ranges(ax, gains, [[row[column] for row in chosen if row["gain"] == gain] for gain in gains],
                colour, line, label=label)


GAINS = (0.5, 0.7, 0.9, 1.0, 1.2, 1.5)
STUDY = Study(
    question="Is the rate at which a gradient decays in an untrained network the log of its recurrent gain?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "length": 12, "inputs": 3, "size": 8, "gains": (0.5, 1.0, 1.5),
                  "gated_gains": (0.5, 1.5)},
        "cpu": {"seeds": 10, "length": 121, "inputs": 32, "size": 64, "gains": GAINS,
                "gated_gains": (0.5, 1.0, 1.5)},
        "accelerator": {"seeds": 10, "length": 121, "inputs": 256, "size": 256, "gains": GAINS,
                        "gated_gains": GAINS},
    },
    cells=cells, measure=measure, draw=draw, functions={"on_gain": regressed, "above": above})
