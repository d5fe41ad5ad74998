"""Error rates of cross-attention as a word alignment: columns of a study's table, and their figure."""

import numpy as np

from attention_lab.figures import style
from attention_lab.studies.recipes.architectures import by_seed
from attention_lab.studies.recipes.drawing import draw_seeds

STEPS = {"predict": "predicts", "input": "takes in"}
VARIANTS = {"predict": "weight, at the step that predicts", "input": "weight, at the step that takes in",
            "predict_by_value": "by value, predicts", "input_by_value": "by value, takes in"}
LABELS = tuple(f"head_{name}" for name in VARIANTS)


def columns(errors):
    """Columns of `head_alignment.errors`: every_... has shape (layers, heads), layer_means_... (layers,)."""
    row = {}
    for (step, by_value), chosen in errors.chosen.items():
        name = step + "_by_value" * by_value
        layers = len({head.partition(".")[0] for head in chosen.rates if "." in head})
        every = np.array([[rate for head, rate in chosen.rates.items()
                           if head.startswith(f"{layer}.") and not head.endswith("mean")]
                          for layer in range(layers)])
        row |= {f"aer_{name}": chosen.error_rate, f"selection_{name}": chosen.selection_rate,
                f"mean_{name}": chosen.mean, f"head_{name}": f"head {chosen.name}", f"every_{name}": every,
                f"layer_means_{name}": np.array([chosen.rates.get(f"{layer}.mean", every[layer, 0])
                                                 for layer in range(layers)])}
    return row | {f"aer_{name}": getattr(errors, name) for name in ("not_trained", "diagonal", "uniform")}


def better_step(rows, arm):
    """Error rates of an arm by seed, at the step with the smaller error on the selection half."""
    selection, scored = (np.array([by_seed(rows, f"{name}_{step}", arm) for step in STEPS])
                         for name in ("selection", "aer"))
    rates = np.take_along_axis(scored, selection.argmin(axis=0)[None], axis=0)[0]
    return dict(zip(by_seed(rows, "seed", arm).astype(int).tolist(), rates))


def draw_rates(ax, rows, arms):
    """Draws the error rates of every arm and variant, with those of every head and of the baselines."""
    for i, (name, colour) in enumerate(zip(VARIANTS, style.COLOURS)):
        for at, arm in enumerate(arms):
            values = by_seed(rows, f"aer_{name}", arm)
            x = at + 0.18 * (i - 1.5)
            every = np.concatenate([row[f"every_{name}"].ravel() for row in rows if row["arm"] == arm])
            ax.plot(np.full(len(every), x + 0.09), every, "_", color=colour, markersize=5, alpha=0.25)
            draw_seeds(ax, x, values, colour, VARIANTS[name] if not at else None, half=0.07)
    for name, line in (("uniform", ":"), ("diagonal", "--"), ("not_trained", "-")):
        for at, arm in enumerate(arms):
            ax.hlines(np.mean(by_seed(rows, f"aer_{name}", arm)), at - 0.45, at + 0.45, color=style.FAINT,
                      linestyle=line, zorder=0, label=None if at else name.replace("_", " "))
    ax.set_xticks(range(len(arms)), arms)
    ax.set(ylabel="alignment error rate, chosen on the other half", ylim=(0, 1))
    ax.grid(axis="y")
    ax.legend(ncols=2, fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1.0))
