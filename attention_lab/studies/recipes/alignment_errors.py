"""Error rates of cross-attention as a word alignment: columns of a study's table, and their figure."""

import numpy as np

from attention_lab.figures import style
from attention_lab.studies.recipes.architectures import by_seed
from attention_lab.studies.recipes.drawing import draw_seeds

STEPS = {"predict": "predicts", "input": "takes in"}
VARIANTS = {"predict": "weight, at the step that predicts", "input": "weight, at the step that takes in",
            "predict_by_value": "by value, predicts", "input_by_value": "by value, takes in"}
BASELINE = "#707070"  # colour
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


def spelled(head):
    """A head as people count them: "head 1.0" is "layer 2, head 1".

    >>> spelled("head 1.0")
    'layer 2, head 1'
    """
    layer, head = map(int, head.removeprefix("head ").split("."))
    return f"layer {layer + 1}, head {head + 1}"


def draw_table(ax, rows, arms):
    """A line for each arm and variant, and for the baselines: dots are seeds, pale ticks all heads."""
    lines = [(f"{arm}: {VARIANTS[name]}", arm, f"aer_{name}", f"every_{name}", colour)
             for arm in arms for name, colour in zip(VARIANTS, style.COLOURS)]
    lines += [(name.replace("_", " "), arm, f"aer_{name}", None, BASELINE)
              for name, arm in (("diagonal", arms[0]), ("uniform", arms[0]), ("not_trained", arms[-1]))]
    for y, (_, arm, column, heads, colour) in enumerate(lines):
        of_arm = [row for row in rows if row["arm"] == arm]
        if heads:
            every = np.concatenate([row[heads].ravel() for row in of_arm])
            ax.plot(every, np.full(len(every), y + 0.18), "|", color=colour, markersize=5, alpha=0.4)
        ax.plot([row[column] for row in of_arm], np.full(len(of_arm), y - 0.08), "o", color=colour,
                markersize=4, alpha=0.7)
    ax.set_yticks(range(len(lines)), [line[0] for line in lines])
    ax.invert_yaxis()
    ax.set(xlabel="alignment error rate, chosen on the other half")
    ax.grid(axis="x")


def draw_rates(ax, rows, arms):
    """Draws the error rates of every arm and variant, with those of every head and of the baselines."""
    for i, (name, colour) in enumerate(zip(VARIANTS, style.COLOURS)):
        for at, arm in enumerate(arms):
            values = by_seed(rows, f"aer_{name}", arm)
            x = at + 0.18 * (i - 1.5)
            every = np.concatenate([row[f"every_{name}"].ravel() for row in rows if row["arm"] == arm])
            ax.plot(np.full(len(every), x + 0.09), every, "_", color=colour, markersize=5, alpha=0.4)
            draw_seeds(ax, x, values, colour, VARIANTS[name] if not at else None, half=0.07)
    for name, line in (("uniform", ":"), ("diagonal", "--"), ("not_trained", "-")):
        for at, arm in enumerate(arms):
            ax.hlines(np.mean(by_seed(rows, f"aer_{name}", arm)), at - 0.45, at + 0.45, color=BASELINE,
                      linewidth=1.2, linestyle=line, zorder=0, label=None if at else name.replace("_", " "))
    ax.set_xticks(range(len(arms)), arms)
    ax.set(ylabel="alignment error rate, chosen on the other half", ylim=(0, 1))
    ax.grid(axis="y")
    ax.legend(ncols=2, fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1.0))
