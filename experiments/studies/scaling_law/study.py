"""Did attention win because it scales? (Kaplan et al. 2020; Hoffmann et al. 2022)

Causal Transformers and GRUs of equal numbers of weights model stories whose entropy H is known from the rules
of the grammar that writes them. So the loss above H is measured and not fitted: loss - H = a x^-alpha, of
weights, tokens and compute. Stories never repeat, so that nothing is overfitted. Learning rates fall with a
power of the width that a pilot selected on dev, with another seed.
"""

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from attention_lab.analysis.token_losses import token_losses
from attention_lab.data import sources
from attention_lab.figures import style
from attention_lab.statistics.bootstrap import two_level
from attention_lab.studies import Claim, Study, function
from attention_lab.studies.recipes import power_laws, runs
from attention_lab.studies.recipes.architectures import parameters
from attention_lab.studies.recipes.drawing import draw_ranges, ranges_of, titled_figure
from attention_lab.tasks.load import load

FILE = "configs/language.py"
T, GRU = "transformer", "gru"
ARMS = {T: "", GRU: "gru"}
NAMES = {T: "Transformer", GRU: "GRU"}
MIDDLE = 64  # the width at which a rate is given
# Learning rates: (a, b) for a (MIDDLE / width)^b, selected on dev with another seed at the widths 16 and 128.
RATES = {T: (0.005, 1.0), GRU: (0.006, 0.8)}
LATE = 0.25  # share of the steps from which on the loss is fitted over tokens
FITTED = ("falls_with_weights", "falls_to_the_end", "falls_faster_with_weights")


CLAIMS = (
    Claim("falls_with_weights", "the Transformer's loss above the entropy falls with its weights: alpha",
          function("weights", arm=T), "greater", published="0.34 (Hoffmann et al. 2022, web text)"),
    Claim("falls_to_the_end", "over its three largest sizes it still does: alpha",
          function("weights", arm=T, first=-3), "greater", published="no wall"),
    Claim("falls_faster_with_weights", "alpha over weights is larger for the Transformer than for the GRU",
          function("weights", arm=T) - function("weights", arm=GRU), "greater"),
    Claim("falls_faster_with_data", "alpha over tokens, of the largest models, is larger for the Transformer",
          function("data", arm=T, share=LATE) - function("data", arm=GRU, share=LATE), "greater"),
    Claim("falls_faster_with_compute", "alpha over compute, at the best size, is larger for the Transformer",
          function("compute", arm=T) - function("compute", arm=GRU), "greater"),
    Claim("ahead_at_largest", "at the largest size the GRU's loss is above the Transformer's, nats a word",
          function("lead", place=-1), "greater", margin=0.01),
    Claim("gap_grows_with_position", "that gap grows with the position in the context, nats a doubling",
          function("gap_by_position"), "greater"),
    Claim("straight", "alpha of the Transformer over its three largest sizes is that over its three smallest",
          function("bend"), "equal", margin=0.2, primary=False),
    Claim("ahead_at_smallest", "at the smallest size, too, the GRU's loss is above the Transformer's",
          function("lead", place=0), "greater", primary=False),
)


def cells(settings):
    """A run for each width, arm and seed."""
    return runs.crossed(width=settings["widths"], arm=ARMS, seed=range(settings["seeds"]))


def overrides(cell, settings, rows):
    """The recipe of a cell: a hidden layer four times as wide, or as many weights in a GRU."""
    width, (rate, power) = cell["width"], settings["rates"][cell["arm"]]
    hidden = 4 * width if cell["arm"] == T else gru_size(width)
    return dict(runs.variant(FILE, ARMS[cell["arm"]])) | settings["config"] | {
        "model.width": width, "model.hidden": hidden, "seed": cell["seed"],
        "optimizer.learning_rate": float(f"{rate * (MIDDLE / width) ** power:.3g}")}


def gru_size(width):
    """Units h of a GRU of two layers with the weights of two layers of attention, 24 d^2 at width d.

    Its layers have 3 (d + h) h and 6 h^2 weights, the way back to the embeddings h d.
    """
    return round(width * (-4 + (16 + 36 * 24) ** 0.5) / 18)


def measure(cell, settings, train):
    """The loss above the entropy: on test, by context and by position; on dev, over the steps."""
    run = train(cell)
    finished = load(run.folder)
    config, language = finished.run.config, finished.model
    contexts = sources.load(config.data, ("test",))["test"].contexts(language.tokenizer, config.data.context)
    if run.result["status"] == "diverged":  # has learnt nothing
        losses = np.full(contexts.target.shape, np.log(language.tokenizer.size))
    else:
        losses = token_losses(language.model, finished.params, contexts, language.hyper)
    excess = losses - contexts.surprisal
    curve = runs.curve(run.evaluations, "dev_excess")
    return {"status": run.result["status"], "weights": parameters(finished.params),
            "tokens_per_second": round(run.result["tokens_per_second"]),
            "train_seconds": run.result["train_seconds"], "entropy": float(contexts.surprisal.mean()),
            "test_excess": float(excess.mean()), "by_context": excess.mean(axis=1),
            "by_position": excess.mean(axis=0), "curve": curve}


def lead(rows, place):
    """Loss of the GRU less that of the Transformer at a size, 0 the smallest, -1 the largest, by seed."""
    excess = {arm: power_laws.by_seed(rows, arm, lambda group: group[place]["test_excess"]) for arm in ARMS}
    return {seed: excess[GRU][seed] - value for seed, value in excess[T].items()}


def octaves(length):
    """Positions of a context in parts, each twice as long as the one before: (first, last) from 4 on."""
    firsts = [4]
    while 2 * firsts[-1] < length:
        firsts.append(2 * firsts[-1])
    return list(zip(firsts, [*firsts[1:], length]))


def by_octave(row):
    """The mean excess of a row in each of `octaves`."""
    excess = row["by_position"]
    return np.array([excess[first:last].mean() for first, last in octaves(len(excess))])


def gap_by_position(rows):
    """The slope of the GRU's excess less the Transformer's over octaves of the position, by seed."""
    last = {arm: power_laws.by_seed(rows, arm, lambda group: by_octave(group[-1])) for arm in ARMS}
    return {seed: float(np.polyfit(range(len(octave)), last[GRU][seed] - octave, 1)[0])
            for seed, octave in last[T].items()}


def bend(rows):
    """alpha of the Transformer over its three largest sizes less that over its three smallest, by seed."""
    upper = power_laws.of_weights(rows, T, first=-3)
    small = sorted({row["width"] for row in rows})[:3]
    lower = power_laws.of_weights([row for row in rows if row["width"] in small], T)
    return {seed: upper[seed] - lower[seed] for seed in upper}


def resampled(rows):
    """Intervals of alpha over weights from resampled seeds and test contexts."""
    weights = {arm: power_laws.by_seed(rows, arm, lambda group: [row["weights"] for row in group])[0]
               for arm in ARMS}
    parts = np.stack([np.stack([_by_context(rows, arm, seed) for arm in ARMS], axis=1)
                      for seed in sorted({row["seed"] for row in rows})])

    def alphas(sums):  # (seeds, arms, sizes)
        return np.array([[power_laws.exponent(weights[T], excess[0]),
                          power_laws.exponent(weights[T][-3:], excess[0][-3:]),
                          power_laws.exponent(weights[T], excess[0])
                          - power_laws.exponent(weights[GRU], excess[1])] for excess in sums])

    return dict(zip(FITTED, two_level(parts, alphas))) if len(parts) > 1 else {}


def _by_context(rows, arm, seed):
    """The excess by context and size, (contexts, sizes)."""
    return np.stack([row["by_context"] for row in sorted(rows, key=lambda row: row["width"])
                     if (row["arm"], row["seed"]) == (arm, seed)], axis=1)


def draw(rows, settings):
    """The loss above the entropy over weights, tokens and compute, and by position."""
    title = f"loss above the entropy of {rows[0]['entropy']:.2f} nats a word; {ranges_of(rows)}"
    tokens = settings["config"]["training.batch_tokens"]
    with titled_figure(13.2, 3.8, title) as figure:
        axes = figure.subplots(1, 4)
        for arm, colour, mark in zip(ARMS, style.COLOURS, ("o-", "s-")):
            of_arm = [row for row in rows if row["arm"] == arm]
            groups = list(power_laws.by_seed(rows, arm, list).values())
            weights = [row["weights"] for row in groups[0]]
            excess = np.array([[row["test_excess"] for row in group] for group in groups])
            draw_ranges(axes[0], weights, excess.T, colour, mark, label=NAMES[arm])
            curves = np.stack([group[-1]["curve"] for group in groups])
            draw_ranges(axes[1], curves[0, :, 0] * tokens, curves[:, :, 1].T, colour, mark, label=NAMES[arm])
            for row in of_arm:
                axes[2].plot(row["weights"] * row["curve"][:, 0] * tokens * 6, row["curve"][:, 1],
                             color=colour, alpha=0.15, linewidth=0.7)
            lines = [power_laws.frontier(group, 9) for group in groups]
            draw_ranges(axes[2], lines[0][0] * tokens * 6, np.array([excess for _, excess in lines]).T,
                        colour, mark, label=NAMES[arm])
            places = octaves(len(of_arm[0]["by_position"]))
            draw_ranges(axes[3], [first for first, _ in places],
                        np.array([by_octave(group[-1]) for group in groups]).T, colour, mark,
                        label=NAMES[arm])
        for ax, label in zip(axes, ("weights without embeddings", "million words trained on, largest models",
                                    "compute, 6 x weights x words", "words before it, largest models")):
            ax.set(xscale="log", yscale="log", xlabel=label)
            style.plain_log(ax.yaxis, (1, 1.5, 2, 3, 5, 7))
            ax.legend()
        axes[1].xaxis.set_major_formatter(lambda value, _: f"{value / 1e6:g}")
        axes[1].xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        for ax in axes:
            ax.xaxis.set_minor_formatter(NullFormatter())
        axes[0].set_ylabel("loss - entropy, nats a word")
        axes[3].set_xticks([first for first, _ in places],
                           [f"{first} to {last - 1}" for first, last in places])
    return figure


RECIPE = {
    "data.lexicon_size": 2000, "data.context": 64, "data.dev_size": 128, "data.test_size": 512,
    "training.steps": 1000, "training.batch_tokens": 2048, "training.eval_every": 100,
    "training.checkpoint_every": 1000, "training.average_decay": 0.99, "optimizer.schedule": "constant",
    "optimizer.warmup_steps": 200,
}
STUDY = Study(
    question="Does the loss of a Transformer fall faster with weights, data and compute than that of a GRU?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "widths": (16, 24, 32),
                  "rates": RATES,
                  "config": {"training.steps": 4, "training.eval_every": 1, "training.checkpoint_every": 4,
                             "training.batch_tokens": 128, "data.dev_size": 8, "data.test_size": 8}},
        "cpu": {"seeds": 10, "variant": "", "widths": (16, 24, 40, 64, 96, 128),
                "rates": RATES, "config": RECIPE},
        "accelerator": {"seeds": 10, "variant": "", "widths": (32, 48, 96, 160, 256, 448, 704, 1120),
                        "rates": RATES,
                        "config": RECIPE | {"data.lexicon_size": 4000, "data.context": 256,
                                            "data.test_size": 1024, "training.steps": 20000,
                                            "training.batch_tokens": 65536, "training.eval_every": 1000,
                                            "training.checkpoint_every": 20000,
                                            "optimizer.warmup_steps": 1000}},
    },
    cells=cells, measure=measure, draw=draw, config=FILE + ":{variant}", overrides=overrides,
    functions={"weights": power_laws.of_weights, "compute": power_laws.of_compute, "bend": bend, "lead": lead,
               "data": power_laws.of_data, "gap_by_position": gap_by_position},
    resampled=resampled)
