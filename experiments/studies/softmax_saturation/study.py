"""Does softmax saturate as keys grow, unless q.k is divided by sqrt(d_k)? (Vaswani et al. 2017, 3.2.1)

Queries and keys are independent standard normal. The mean gradient in q does not fall, as in the rare
undecided row it grows with the keys: therefore the median is judged. Also shown, without a claim, are queries
and keys of a model before and after training on recall: last layer, at the positions with a target.
"""

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab import models
from attention_lab.analysis import saturation
from attention_lab.config import split
from attention_lab.config.load import load
from attention_lab.config.parse import merge
from attention_lab.data import sequences
from attention_lab.data.synthetic import recall
from attention_lab.figures import style
from attention_lab.storage.runs import load_run
from attention_lab.studies import Claim, Study, function, mean, slope
from attention_lab.studies.recipes import tuned_arms
from attention_lab.studies.recipes.drawing import (
    draw_ranges,
    key_size_axis,
    ranges_of,
    titled_figure,
)
from attention_lab.studies.recipes.runs import crossed
from attention_lab.training.weights import first_weights, scored_weights

FILE = "configs/recall.py:{variant}"
KEYS = 64
ARMS = ("unscaled", "scaled")

CLAIMS = (
    Claim("variance_unscaled", "var(q.k) grows as d_k: slope 1 of its logarithm on log d_k",
          slope("variance", over="key_size", arm="unscaled", source="random"), "equal", 1.0, margin=0.03,
          published=1.0),
    Claim("variance_scaled", "with 1/sqrt(d_k) the variance does not depend on d_k: slope 0",
          slope("variance", over="key_size", arm="scaled", source="random"), "equal", margin=0.03,
          published=0.0, primary=False),  # the same logits divided by sqrt(d_k): the first claim again
    Claim("entropy_unscaled", "at d_k = 256 entropy over log 64 is below 0.10 without the scale",
          mean("entropy", arm="unscaled", key_size=256, source="random"), "less", 0.10,
          published="towards 0"),
    Claim("entropy_scaled", "at d_k = 256 entropy over log 64 is above 0.85 with the scale",
          mean("entropy", arm="scaled", key_size=256, source="random"), "greater", 0.85, published="kept"),
    Claim("median_gradient", "from d_k = 64 to 1,024 the median gradient in q falls a hundredfold or more, "
          "without the scale (log10 of the fall)", function("fall", column="gradient_median"), "greater", 2.0,
          published="extremely small gradients"),
    Claim("mean_gradient", "from d_k = 64 to 1,024 the mean gradient in q falls by half or more, without the "
          "scale (log10 of the fall)", function("fall", column="gradient_mean"), "greater",
          float(np.log10(2.0)), primary=False),
)


def cells(settings):
    """A cell for each seed, key size and arm: of random queries and keys, and of a model's."""
    seeds = range(settings["seeds"])
    return (crossed(source=["random"], seed=seeds, key_size=settings["key_sizes"], arm=ARMS)
            + crossed(source=["start", "trained"], seed=seeds, key_size=settings["model_key_sizes"],
                      arm=ARMS))


def overrides(cell, settings, rows):
    """The changes of a run in its config; None for a cell without a run."""
    return _changes(cell) if cell["source"] == "trained" else None


def _changes(cell):
    return tuned_arms.ARMS[cell["arm"]] | {"model.key_size": cell["key_size"], "seed": cell["seed"],
                                           "data.split": "dev"}


def measure(cell, settings, train):
    """Statistics of rows of attention."""
    if cell["source"] != "random":
        return saturation.summary(_model_rows(cell, settings, train))
    scale = cell["key_size"] ** -0.5 if cell["arm"] == "scaled" else 1.0
    # Both arms of a seed have the same queries and keys.
    key = jax.random.fold_in(jax.random.key(cell["seed"]), cell["key_size"])
    return saturation.summary(saturation.random_rows(key, settings["rows"], KEYS, cell["key_size"],
                                                     jnp.float32(scale)))


def _model_rows(cell, settings, train):
    config = merge(load(FILE.format(**settings)), _changes(cell))
    structure, hyper = split(config)
    model = models.build(structure, config.data.vocabulary_size)
    if cell["source"] == "start":
        params = first_weights(config, model.init)
    else:
        params = scored_weights(load_run(train(cell).folder), model.init)
    dev = recall.sequences(settings["sequences"], config.data.pairs, config.data.vocabulary_size,
                           config.data.corpus_seed, "dev")
    batch = next(sequences.in_order(dev, settings["sequences"]))
    q, k, _ = model.projections(params, batch, hyper)["encoder"][-1]
    return saturation.causal_rows(q[:, 0], k[:, 0], 2 * config.data.pairs, hyper.attention_scale)


def fall(rows, column):
    """log10 of a column at d_k = 64 over that at 1,024, without the scale, by seed."""
    table = {(row["key_size"], row["seed"]): max(row[column], 1e-300) for row in rows
             if (row["source"], row["arm"]) == ("random", "unscaled")}
    return {seed: np.log10(table[64, seed] / table[1024, seed]) for size, seed in table if size == 64}


def draw(rows, settings):
    """Four panels over d_k: random queries and keys with theory behind the points, and a model's."""
    panels = [("variance", "variance of the logits"), ("entropy", "entropy / log(number of keys)"),
              ("saturated", "share of rows that peak above 0.99"),
              ("gradient_median", "gradient of the weights in q (norm)")]
    random = [row for row in rows if row["source"] == "random"]
    of_models = [row for row in rows if row["source"] != "random"]
    below = "; below: a model's own, before and after it has learned recall" if of_models else ""
    title = (f"softmax over {KEYS} keys, random queries and keys{below}; "
             + ranges_of(rows))
    with titled_figure(14.6, 6.6 if of_models else 3.5, title) as figure:
        axes = figure.subplots(1 + bool(of_models), 4, squeeze=False)
        for column, (name, label) in enumerate(panels):
            _draw_panel(axes[0, column], random, name, {"random": "o"})
            if of_models:
                _draw_panel(axes[1, column], of_models, name, {"start": "s", "trained": "o"})
        _draw_theory(axes[0], random)
        for row in axes:
            for ax, (_, label) in zip(row, panels):
                ax.set_ylabel(label)
            row[0].set_yscale("log")
            row[2].set_ylim(-0.03, 1.03)
            row[3].set_yscale("log")
        axes[0, 3].legend()
        axes[-1, 1].legend(loc="center right", bbox_to_anchor=(1.0, 0.58))
    return figure


def _draw_panel(ax, rows, column, marks):
    sizes = np.array(sorted({row["key_size"] for row in rows}))
    for arm, colour in zip(ARMS, (style.ORANGE, style.BLUE)):
        for index, (source, mark) in enumerate(marks.items()):
            values = [[row[column] for row in rows if (row["arm"], row["source"], row["key_size"])
                       == (arm, source, size)] for size in sizes]
            draw_ranges(ax, sizes * (1.0 + 0.06 * index), values, colour, mark,
                        label=arm if source == "random" else f"{arm}, {source}",
                        markerfacecolor="none" if source == "start" else colour)
    key_size_axis(ax, sizes)
    ax.tick_params(axis="x", labelrotation=45)


def _draw_theory(axes, rows):
    sizes = np.array(sorted({row["key_size"] for row in rows}))
    theory = {"color": style.FAINT, "zorder": 0}
    axes[0].plot(sizes, sizes, label="theory: d_k and 1", **theory)
    axes[0].plot(sizes, np.ones(len(sizes)), **theory)
    axes[1].plot(sizes, saturation.predicted_entropy(sizes.astype(float), KEYS),
                 label="normal logits of that variance", **theory)
    axes[1].plot(sizes, saturation.predicted_entropy(np.ones(len(sizes)), KEYS), **theory)
    for column, mark, name in (("gradient_mean", "^", "mean"), ("gradient_q95", "_", "95 % quantile")):
        values = [np.mean([row[column] for row in rows if (row["arm"], row["key_size"])
                           == ("unscaled", size)]) for size in sizes]
        axes[3].plot(sizes, values, mark, color=style.ORANGE, markersize=5, markerfacecolor="none",
                     label=f"unscaled, {name}")
    for line, name in zip(axes[3].get_lines(), ("unscaled, median", "scaled, median")):
        line.set_label(name)
    for ax in axes[:2]:
        ax.legend()


STUDY = Study(
    question="Does softmax(q.k) saturate as keys grow, and does 1/sqrt(d_k) prevent it?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "key_sizes": (16, 64, 256, 1024), "rows": 100,
                  "model_key_sizes": (8,), "variant": "smoke", "sequences": 16},
        "cpu": {"seeds": 8, "key_sizes": (4, 16, 64, 128, 256, 512, 1024, 4096), "rows": 2000,
                "model_key_sizes": (16, 64, 256), "variant": "", "sequences": 256},
        "accelerator": {"seeds": 8, "key_sizes": (4, 16, 64, 128, 256, 512, 1024, 4096), "rows": 20000,
                        "model_key_sizes": (16, 64, 256, 1024), "variant": "", "sequences": 512},
    },
    cells=cells, measure=measure, draw=draw, labels=("source",), functions={"fall": fall},
    config=FILE, overrides=overrides)
