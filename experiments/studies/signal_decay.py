"""How much of an early word reaches the last state, before anything is learnt? (Bengio et al. 1994)

The norm of d h_T / d x_(T-k) over the distance k, for recurrent cells and for one head of attention, on
independent standard normal inputs. A cell's recurrent map is orthogonal and its input map Glorot; attention
has no positions. How training moves the slopes is not measured here.
"""

from attention_lab.statistics import Claim
from experiments.studies.record import Study

CELLS = {"rnn": ("rnn", 1.0), "lstm, bias 0": ("lstm", 0.0), "lstm, bias 1": ("lstm", 1.0),
         "gru": ("gru", 1.0)}

CLAIMS = (
    Claim("rnn_decays", "the logarithm of an RNN's gradient falls with distance (slope, nats a step)",
          "slope", ("rnn", "0"), "less", published="vanishes"),
    Claim("bias_helps", "an LSTM's falls less steeply with a forget bias of 1 than of 0", "slope",
          ("lstm, bias 1", "lstm, bias 0"), "greater", published="slower"),
    Claim("cell_path_0", "along the cell alone an LSTM of bias 0 forgets at log sigmoid(0) = -0.69 a step",
          "cell_rate", ("lstm, bias 0", "-0.69"), "equal", margin=0.15, published="-0.69"),
    Claim("cell_path_1", "along the cell alone an LSTM of bias 1 forgets at log sigmoid(1) = -0.31 a step",
          "cell_rate", ("lstm, bias 1", "-0.31"), "equal", margin=0.15, published="-0.31"),
    Claim("attention_flat", "attention's gradient does not depend on distance (slope, nats a step)", "slope",
          ("attention", "0"), "equal", margin=0.005, published="flat"),
    Claim("attention_dilutes", "attention's gradient is diluted as 1/n: slope -1 of its logarithm on log n",
          "curve", ("slope", "-1"), "equal", margin=0.1, published="slope -1"),
    Claim("gru_decays", "the logarithm of a GRU's gradient falls with distance", "slope", ("gru", "0"),
          "less", primary=False),
)


def cells(settings):
    """A cell for each seed and network; attention at several lengths."""
    recurrent = [{"arm": arm, "length": settings["length"], "seed": seed}
                 for arm in CELLS for seed in range(settings["seeds"])]
    return recurrent + [{"arm": "attention", "length": length, "seed": seed}
                        for length in settings["lengths"] for seed in range(settings["seeds"])]


def measure(cell, settings, rows, folder):
    """The mean over inputs of the logarithm of the gradient's norm, its slope, and the cell's own rate."""
    import jax
    import numpy as np

    from attention_lab.analysis import decay
    weights, inputs = jax.random.split(jax.random.key(cell["seed"]))
    x = jax.random.normal(inputs, (settings["inputs"], cell["length"], settings["size"]))
    rate = ""
    if cell["arm"] == "attention":
        norms = jax.jit(jax.vmap(lambda one: decay.attention_norms(weights, one, settings["size"])))(x)
    else:
        kind, bias = CELLS[cell["arm"]]
        module = decay.cell(kind, settings["size"], settings["size"], bias)
        params = decay.start(module, weights)
        norms = jax.jit(lambda x: jax.lax.map(lambda one: decay.recurrent_norms(module, params, one), x))(x)
        if kind == "lstm":
            rate = float(jax.vmap(lambda one: decay.cell_path_rate(module, params, one))(x).mean())
    mean = np.asarray(norms, np.float64).mean(axis=0)
    far = np.arange(1, cell["length"])  # at distance 0 attention's own query is in the gradient
    return {"slope": float(np.polyfit(far, mean[1:], 1)[0]), "cell_rate": rate,
            "curve": ";".join(f"{k}:{value:.4f}" for k, value in enumerate(mean))}


def differences(rows):
    """What each claim is judged by, a number for each seed."""
    import numpy as np
    table = {(row["arm"], row["length"], row["seed"]): row for row in rows}
    seeds = sorted({row["seed"] for row in rows})
    lengths = sorted({row["length"] for row in rows if row["arm"] == "attention"})
    longest = {arm: max(length for name, length, _ in table if name == arm) for arm in (*CELLS, "attention")}

    def of(arm, column):
        return np.array([float(table[arm, longest[arm], seed][column]) for seed in seeds])

    def dilution(seed):
        means = [np.mean(curve(table["attention", length, seed])[1:, 1]) for length in lengths]
        return np.polyfit(np.log(lengths), means, 1)[0]

    return {
        "rnn_decays": of("rnn", "slope"),
        "bias_helps": of("lstm, bias 1", "slope") - of("lstm, bias 0", "slope"),
        "cell_path_0": of("lstm, bias 0", "cell_rate") - np.log(0.5),
        "cell_path_1": of("lstm, bias 1", "cell_rate") + np.log1p(np.exp(-1.0)),
        "attention_flat": of("attention", "slope"),
        "attention_dilutes": [dilution(seed) + 1.0 for seed in seeds],
        "gru_decays": of("gru", "slope"),
    }


def curve(row):
    """What a row's text holds: (k, mean log norm) for every distance."""
    import numpy as np
    return np.array([[float(x) for x in point.split(":")] for point in row["curve"].split(";")])


def draw(rows, settings):
    """The gradient over the distance, and attention's over the length."""
    import numpy as np

    from attention_lab.figures import style
    longest = {arm: max(row["length"] for row in rows if row["arm"] == arm) for arm in (*CELLS, "attention")}
    seeds = len({row["seed"] for row in rows})
    with style.look():
        figure = style.figure(9.6, 3.8, layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        for (arm, length), colour in zip(longest.items(), style.COLOURS):
            own = np.stack([curve(row) for row in rows if (row["arm"], row["length"]) == (arm, length)])
            distance, values = own[0, 1:, 0], own[:, 1:, 1] / np.log(10)
            left.plot(distance, values.mean(0), color=colour, label=arm)
            left.fill_between(distance, values.min(0), values.max(0), color=colour, alpha=0.2, linewidth=0)
        left.set(xlabel="words between the input and the last state", ylabel="log10 of the gradient's norm")
        lengths = sorted({row["length"] for row in rows if row["arm"] == "attention"})
        means = np.array([[np.exp(curve(row)[1:, 1].mean()) for row in rows
                           if (row["arm"], row["length"]) == ("attention", length)] for length in lengths])
        right.plot(lengths, means[0].mean() * lengths[0] / np.array(lengths), color=style.FAINT,
                   label="as 1/n", zorder=0)
        colour = style.COLOURS[len(CELLS)]
        right.plot(lengths, means.mean(1), "o", color=colour, markersize=4, label="attention")
        right.vlines(lengths, means.min(1), means.max(1), color=colour, linewidth=1.0)
        right.set(xlabel="words n", ylabel="gradient's norm, mean over distances", yscale="log")
        right.set_xscale("log", base=2)
        right.set_xticks(lengths, [str(length) for length in lengths])
        for ax in (left, right):
            ax.grid(axis="y")
            ax.legend()
        figure.suptitle("gradient of the last state in an earlier word, before training; mean and range of "
                        f"{seeds} seeds", parse_math=False)
    return figure


STUDY = Study(
    name="signal_decay",
    question="How much of a word reaches the last state of a network that has not learnt, over the distance?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "length": 12, "lengths": (8, 16), "inputs": 4, "size": 8},
        "cpu": {"seeds": 8, "length": 121, "lengths": (8, 16, 32, 64, 121), "inputs": 64, "size": 64},
        "accelerator": {"seeds": 8, "length": 121, "lengths": (8, 16, 32, 64, 121, 512), "inputs": 512,
                        "size": 256},
    },
    cells=cells, measure=measure, differences=differences, draw=draw)
