"""Does softmax saturate as keys grow, unless q.k is divided by sqrt(d_k)? (Vaswani et al. 2017, 3.2.1)

Queries and keys are independent standard normal. The variance of q.k grows as d_k, the softmax of 64
such logits turns one-hot, and the gradient that reaches the query dies for the typical row. Its mean
does not fall, for the rare undecided row has a gradient that grows with the keys: so the median is judged.
"""

from attention_lab.statistics import Claim
from experiments.studies.record import Study

KEYS = 64
ARMS = ("unscaled", "scaled")

CLAIMS = (
    Claim("variance_unscaled", "var(q.k) grows as d_k: slope 1 of its logarithm on log d_k", "variance",
          ("slope", "1"), "equal", margin=0.03, published="slope 1"),
    Claim("variance_scaled", "with 1/sqrt(d_k) the variance does not depend on d_k: slope 0", "variance",
          ("slope", "0"), "equal", margin=0.03, published="slope 0"),
    Claim("entropy_unscaled", "at d_k = 256 entropy over log 64 is below 0.10 without the scale", "entropy",
          ("unscaled", "0.10"), "less", published="towards 0"),
    Claim("entropy_scaled", "at d_k = 256 entropy over log 64 is above 0.85 with the scale", "entropy",
          ("scaled", "0.85"), "greater", published="kept"),
    Claim("median_gradient", "from d_k = 64 to 1,024 the median gradient in q falls a hundredfold or more, "
          "without the scale (log10 of the fall, less 2)", "gradient_median", ("fall", "2"), "greater",
          published="extremely small gradients"),
    Claim("mean_gradient", "from d_k = 64 to 1,024 the mean gradient in q falls by half or more, without the "
          "scale (log10 of the fall, less log10 2)", "gradient_mean", ("fall", "0.30"), "greater",
          primary=False),
)


def cells(settings):
    """A cell for each seed, key size and arm."""
    return [{"seed": seed, "key_size": size, "arm": arm} for seed in range(settings["seeds"])
            for size in settings["key_sizes"] for arm in ARMS]


def measure(cell, settings, rows, folder):
    """Rows of random attention, summed up."""
    import jax
    import jax.numpy as jnp

    from attention_lab.analysis import saturation
    scale = cell["key_size"] ** -0.5 if cell["arm"] == "scaled" else 1.0
    # Both arms of a seed see the same queries and keys.
    key = jax.random.fold_in(jax.random.key(cell["seed"]), cell["key_size"])
    found = saturation.random_rows(key, settings["rows"], KEYS, cell["key_size"], jnp.float32(scale))
    return saturation.summary(found)


def differences(rows):
    """What each claim is judged by, a number for each seed."""
    import numpy as np
    table = {(row["seed"], row["key_size"], row["arm"]): row for row in rows}
    seeds = sorted({row["seed"] for row in rows})
    sizes = sorted({row["key_size"] for row in rows})

    def slope(seed, arm):
        variances = [table[seed, size, arm]["variance"] for size in sizes]
        return np.polyfit(np.log(sizes), np.log(variances), 1)[0]

    def fall(seed, column):
        small, large = (max(table[seed, size, "unscaled"][column], 1e-300) for size in (64, 1024))
        return np.log10(small / large)

    return {
        "variance_unscaled": [slope(seed, "unscaled") - 1.0 for seed in seeds],
        "variance_scaled": [slope(seed, "scaled") for seed in seeds],
        "entropy_unscaled": [table[seed, 256, "unscaled"]["entropy"] - 0.10 for seed in seeds],
        "entropy_scaled": [table[seed, 256, "scaled"]["entropy"] - 0.85 for seed in seeds],
        "median_gradient": [fall(seed, "gradient_median") - 2.0 for seed in seeds],
        "mean_gradient": [fall(seed, "gradient_mean") - np.log10(2.0) for seed in seeds],
    }


def draw(rows, settings):
    """Four panels over d_k, theory under the points."""
    import numpy as np

    from attention_lab.analysis import saturation
    from attention_lab.figures import style
    sizes = np.array(sorted({row["key_size"] for row in rows}))
    seeds = sorted({row["seed"] for row in rows})

    def of(arm, column):
        table = {(row["seed"], row["key_size"]): row[column] for row in rows if row["arm"] == arm}
        return np.array([[table[seed, size] for size in sizes] for seed in seeds])

    with style.look():
        figure = style.figure(8.6, 6.4, layout="constrained")
        axes = figure.subplots(2, 2)
        panels = [("variance", "variance of the logits"), ("entropy", "entropy / log 64"),
                  ("saturated", "share of rows with a weight above 0.99"),
                  ("gradient_median", "gradient of the weights in q (norm)")]
        for ax, (column, label) in zip(axes.flat, panels):
            for arm, colour in zip(ARMS, (style.ORANGE, style.BLUE)):
                values = of(arm, column)
                name = arm if column != "gradient_median" else f"{arm}, median"
                ax.plot(sizes, values.mean(0), "o", color=colour, markersize=4, label=name)
                ax.vlines(sizes, values.min(0), values.max(0), color=colour, linewidth=1.0)
            ax.set_xscale("log", base=2)
            ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
            ax.tick_params(axis="x", labelrotation=45)
            ax.minorticks_off()
            ax.grid(axis="y")
            ax.set(xlabel="key size d_k", ylabel=label)
        theory = {"color": style.FAINT, "zorder": 0}
        axes[0, 0].plot(sizes, sizes, label="theory: d_k and 1", **theory)
        axes[0, 0].plot(sizes, np.ones(len(sizes)), **theory)
        axes[0, 0].set_yscale("log")
        axes[0, 1].plot(sizes, saturation.predicted_entropy(sizes.astype(float), KEYS),
                        label="normal logits of that variance", **theory)
        axes[0, 1].plot(sizes, saturation.predicted_entropy(np.ones(len(sizes)), KEYS), **theory)
        axes[1, 1].plot(sizes, of("unscaled", "gradient_mean").mean(0), "^", color=style.ORANGE,
                        markersize=4, markerfacecolor="none", label="unscaled, mean")
        axes[1, 1].plot(sizes, of("unscaled", "gradient_q95").mean(0), "_", color=style.ORANGE, markersize=7,
                        label="unscaled, 95 % quantile")
        axes[1, 1].set_yscale("log")
        for ax in axes.flat:
            ax.legend()
        figure.suptitle(f"softmax over {KEYS} keys, random queries and keys; points: mean of {len(seeds)} "
                        "seeds, bars: their range", parse_math=False)
    return figure


STUDY = Study(
    name="softmax_saturation",
    question="Does softmax(q.k) saturate as keys grow, and does 1/sqrt(d_k) prevent it?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 6, "key_sizes": (16, 64, 256, 1024), "rows": 100},
        "cpu": {"seeds": 8, "key_sizes": (4, 16, 64, 128, 256, 512, 1024, 4096), "rows": 2000},
        "accelerator": {"seeds": 8, "key_sizes": (4, 16, 64, 128, 256, 512, 1024, 4096), "rows": 20000},
    },
    cells=cells, measure=measure, differences=differences, draw=draw)
