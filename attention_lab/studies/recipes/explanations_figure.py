"""The figure of the studies of explanation: agreement, causes, counterfactuals, adversaries, students."""

import numpy as np

from attention_lab.figures import style
from attention_lab.studies.recipes import explanations
from attention_lab.studies.recipes.architectures import by_seed
from attention_lab.studies.recipes.drawing import seed_count, titled_figure

NAMES = {"attention": "attention", "attention_mean": "attention, all layers", "rollout": "rollout",
         "value_norm": "weight x value", "value_zeroing": "value zeroing", "gradient": "gradient",
         "input_gradient": "input x gradient", "leave_one_out": "leave one out", "random": "random"}
PAIR_NAMES = {"gradient": "attention,\ngradient", "leave_one_out": "attention,\nremoval",
              "between": "gradient,\nremoval", "random": "random,\ngradient"}


def draw(rows, title, published=None):
    """All panels, from the table alone; `published`, {arm: {pair: tau}}, is drawn as bars."""
    truth_known = any(row["auc_attention"] is not None for row in rows)
    panels = [_agreement, *[_causes] * truth_known, _frozen, _trained, _students]
    with titled_figure(12.0, 7.4, f"{title}; points: {seed_count(rows)} seeds", grid=False) as figure:
        # Five panels: three above, two below; four: two and two.
        above = (len(panels) + 1) // 2
        grid = figure.add_gridspec(2, above * (len(panels) - above))
        for number, panel in enumerate(panels):
            line, column = divmod(number, above)
            wide = len(panels) - above if line == 0 else above
            ax = figure.add_subplot(grid[line, column * wide:(column + 1) * wide])
            panel(ax, rows, published or {})
            ax.grid(axis="y" if panel is not _causes else "x")
    return figure


def _dots(ax, x, values, colour, label=None):
    shifts = np.linspace(-0.06, 0.06, len(values))
    ax.plot(x + shifts, values, "o", color=colour, markersize=3, label=label)
    ax.plot([x - 0.13, x + 0.13], [np.mean(values)] * 2, color=colour, linewidth=1.8)


def _arms(rows):
    present = {row["arm"] for row in rows}
    return [arm for arm in explanations.EXPLAINED if arm in present]


def _agreement(ax, rows, published):
    arms = _arms(rows)
    for i, (arm, colour) in enumerate(zip(arms, style.COLOURS)):
        for x, pair in enumerate(explanations.PAIRS):
            at = x + 0.28 * (i - (len(arms) - 1) / 2)
            _dots(ax, at, by_seed(rows, f"tau_{pair}", arm), colour, arm if not x else None)
            if pair in published.get(arm, {}):
                label = "published" if (arm, pair) == (arms[-1], next(iter(published[arm]))) else None
                ax.plot(at, published[arm][pair], "_", color=style.INK, markersize=14, label=label)
    ax.axhline(0.0, color=style.FAINT, linewidth=0.7)
    ax.set_xticks(range(len(explanations.PAIRS)), [PAIR_NAMES[pair] for pair in explanations.PAIRS],
                  fontsize=8)
    ax.set(ylabel="Kendall's tau, mean over sentences",
           title="do explanations agree?")
    ax.legend()


def _causes(ax, rows, published):
    methods = [name for name in reversed(NAMES)
               if any(row[f"auc_{name}"] is not None for row in rows)]
    for i, (arm, colour) in enumerate(zip(_arms(rows), style.COLOURS)):
        for x, name in enumerate(methods):
            values = [row[f"auc_{name}"] for row in rows
                      if row["arm"] == arm and row[f"auc_{name}"] is not None]
            if values:
                at = x - 0.24 * (i - 1)
                ax.plot(values, [at] * len(values), "o", color=colour, markersize=3,
                        label=arm if name == "attention" else None)
    ax.axvline(0.5, color=style.FAINT, linewidth=0.7)
    ax.set_yticks(range(len(methods)), [NAMES[name] for name in methods])
    ax.set(xlabel="AUC of finding the deciding word (0.5: chance)", title="does it find the cause?")
    ax.legend()


def _frozen(ax, rows, published):
    for arm, colour in zip((explanations.LSTM, explanations.AVERAGE), style.COLOURS):
        values = [row["frozen_each"] for row in rows if row["arm"] == arm]
        for number, apart in enumerate(seed for seed in values if seed is not None):
            ax.plot(apart, np.linspace(0.0, 1.0, len(apart)), color=colour, linewidth=0.8,
                    label=None if number else arm)
    ax.axvline(np.log(2.0), color=style.FAINT, linewidth=0.7)
    ax.set(xlabel="divergence of the worst weights found, nats\n(log 2: nothing in common)",
           ylabel="share of sentences", title="other weights, same answer (frozen model)", xlim=(0, 0.72))
    ax.legend()


def _trained(ax, rows, published):
    adversaries = [row for row in rows
                   if row["arm"] == explanations.ADVERSARY and row["variation"] is not None]
    for mark, weight in zip("v^sDo", sorted({row["divergence_weight"] for row in adversaries})):
        points = np.array([(row["variation"], row["jensen_shannon"]) for row in adversaries
                           if row["divergence_weight"] == weight])
        ax.plot(*points.T, mark, color=style.ORANGE, markersize=4, markerfacecolor="none",
                label=f"adversaries, divergence x {weight:g}")
    seeds = [(row["other_seed_variation"], row["other_seed_apart"]) for row in rows
             if row["arm"] == explanations.LSTM and row["other_seed_apart"] is not None]
    ax.plot(*np.array(seeds).T, "x", color=style.BLUE, markersize=5, label="another seed of the model")
    ax.set(xlabel="total variation of the predictions", ylabel="divergence of the weights, nats",
           title="a model trained to look elsewhere", xlim=(0, None), ylim=(0, 0.72))
    ax.legend(loc="upper left")


def _students(ax, rows, published):
    arms = [explanations.LSTM, explanations.UNIFORM, explanations.AVERAGE, *explanations.STUDENTS]
    for x, arm in enumerate(arms):
        _dots(ax, x, by_seed(rows, "test_accuracy", arm), style.COLOURS[x])
    ax.set_xticks(range(len(arms)), ["its own", "equal", "its own", "equal", "lstm's", "adversary's"])
    ax.text(0.5, -0.16, "lstm", ha="center", transform=ax.get_xaxis_transform())
    ax.text(3.5, -0.16, "average, by weights that are", ha="center", transform=ax.get_xaxis_transform())
    ax.set(ylabel="test accuracy", title="are the weights of use?")
