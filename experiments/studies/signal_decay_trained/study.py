"""After training: how far back does a network learn to look, and what has become of its gradient?

"Repeat the word k positions ago" (configs/echo.py), for several k at one learning rate: the steps until 99 %
of the answers on dev are right, and the norm of d h_T / d x_(T-j) over the distance j before and after
training. Norms are measured on sequences longer than those trained on; their slope is fitted over the trained
distances.
"""

import numpy as np

from attention_lab import models
from attention_lab.analysis import decay
from attention_lab.config import all_fields, replace, split
from attention_lab.data.synthetic import echo
from attention_lab.figures import style
from attention_lab.storage.runs import load_run
from attention_lab.studies import Claim, Study, function, mean, nearest, slope
from attention_lab.studies.recipes import runs
from attention_lab.studies.recipes.drawing import (
    draw_band,
    draw_ranges,
    draw_unreached,
    ranges_of,
    titled_figure,
)
from attention_lab.training.weights import first_weights, scored_weights

FILE = "configs/echo.py"
# Variants of that file, whose default is one layer of attention, and an arm's changes in them.
ARMS = {"rnn": ("rnn", {}), "lstm, bias 0": ("lstm", {"model.forget_bias": 0.0}),
        "lstm, bias 1": ("lstm", {}), "gru": ("gru", {}), "attention": ("", {})}
RIGHT = 0.99  # accuracy on dev at which a distance counts as learnt
FAR = "the longest distance (60)"


def far(column, arm):
    """A column of an arm at the longest distance of the claims."""
    return mean(column, arm=arm, distance=nearest(60))


def growth(arm):
    """The slope of log steps on log distance."""
    return slope("steps", over="distance", arm=arm)


CLAIMS = (
    Claim("attention_learns_far", f"attention has learnt {FAR} by the end", far("accuracy", "attention"),
          "greater", RIGHT, published="learns"),
    Claim("rnn_fails_far", f"an RNN has not: fewer than half of its answers are right at {FAR}",
          far("accuracy", "rnn"), "less", 0.5, published="fails"),
    Claim("steps_grow", "an LSTM needs more steps the further back it has to look (slope of log2 steps on "
          "log2 distance; a run that has not learnt counts as the last step)", growth("lstm, bias 1"),
          "greater", published="grows"),
    Claim("steps_flat", "attention's steps grow less with distance than an LSTM's",
          growth("attention") - growth("lstm, bias 1"), "less", published="less"),
    Claim("attention_flat", "attention's steps do not depend on distance (slope of log2 steps on log2 "
          "distance, to 0.1)", growth("attention"), "equal", margin=0.1, published="flat"),
    Claim("bias_learns_sooner", "a forget bias of 1 lets an LSTM learn sooner than one of 0 (log2 steps, "
          "mean over distances)", function("log_steps", arm="lstm, bias 1")
          - function("log_steps", arm="lstm, bias 0"), "less", published="sooner", primary=False),
    Claim("slope_moves", "training makes an LSTM's gradient (bias 1) fall less steeply (slope, nats a step)",
          far("slope_after", "lstm, bias 1") - far("slope_before", "lstm, bias 1"), "greater",
          published="training moves it"),
    Claim("gru_steps_grow", "a GRU needs more steps the further back it has to look", growth("gru"),
          "greater", primary=False),
)


def cells(settings):
    """A run for each arm, distance and seed."""
    return runs.crossed(arm=ARMS, distance=settings["distances"], seed=range(settings["seeds"]))


def overrides(cell, settings, rows):
    """The changes of a run in its config."""
    variant, of_arm = ARMS[cell["arm"]]
    changed = runs.recurrent_variant(FILE, variant) | of_arm | settings["config"] | {
        "data.distance": cell["distance"], "seed": cell["seed"]}
    if "length" in settings:  # the same at every distance, so that all compile the same programs
        changed["data.answers"] = settings["length"] - cell["distance"]
    length = cell["distance"] + changed.get("data.answers", all_fields()["data.answers"].default)
    # The same number of sequences per step, and so of answers, at every distance.
    return changed | {"training.batch_tokens": settings["rows"] * length}


def measure(cell, settings, train):
    """The steps that a run needed to learn, and its gradient norms before and after training."""
    result, evaluations, folder, _ = train(cell)
    learnt = [line["step"] for line in evaluations if line["dev_accuracy"] >= RIGHT]
    row = {"status": result["status"], "accuracy": result.get("test_accuracy", 0.0),
           "steps": learnt[0] if learnt else result["steps"], "learnt": int(bool(learnt))}
    run = load_run(folder)
    trained_on = np.arange(1, run.config.data.distance + run.config.data.answers)
    for name, norms in zip(("before", "after"), _norms(run, settings["sequences"], settings["followed"])):
        curve = np.asarray(norms, np.float64).mean(axis=0)
        row |= {f"slope_{name}": float(np.polyfit(trained_on, curve[trained_on], 1)[0]),
                f"curve_{name}": curve}
    return row


def _norms(run, count, followed):
    """log |d h_T / d x_(T-k)|, k = 0 to `followed`, (N, 1 + followed), before and after training."""
    data = run.config.data
    structure, hyper = split(run.config)
    model = models.build(structure, data.vocabulary_size)
    source = echo.sequences(count, data.distance, 1 + followed - data.distance, data.vocabulary_size,
                            data.corpus_seed, "dev").source
    # No model depends on the distance or the batch size: one program serves all.
    structure = replace(structure, {"data.distance": 1, "training.batch_tokens": 1})
    return [decay.sequence_norms(structure, params, hyper, source)
            for params in (first_weights(run.config, model.init), scored_weights(run, model.init))]


def log_steps(rows, arm):
    """log2 of the steps of an arm, mean over distances, by seed."""
    steps = {}
    for row in rows:
        if row["arm"] == arm:
            steps.setdefault(row["seed"], []).append(np.log2(row["steps"]))
    return {seed: np.mean(logs) for seed, logs in steps.items()}


def draw(rows, settings):
    """Steps to learn and accuracy over the distance, and the gradient before and after training."""
    distances = sorted({row["distance"] for row in rows})
    by_cell = {}
    for row in rows:
        by_cell.setdefault((row["arm"], row["distance"]), []).append(row)
    title = f"give back the word k places ago; {ranges_of(rows)}; open arrows: seeds that have not learnt"
    with titled_figure(10.6, 7.2, title) as figure:
        axes = figure.subplots(2, 2).ravel()
        for index, (arm, colour) in enumerate(zip(ARMS, style.COLOURS)):
            shifted = np.array(distances) * 1.07 ** (index - 2)
            _draw_steps(axes[0], shifted, [by_cell[arm, distance] for distance in distances], colour, arm)
            draw_ranges(axes[1], shifted, [[row["accuracy"] for row in by_cell[arm, distance]]
                                           for distance in distances], colour, label=arm)
            if arm == "attention":  # its peaks differ in position between seeds
                continue
            for name, line in (("before", "--"), ("after", "-")):
                logs = np.stack([row[f"curve_{name}"] for row in by_cell[arm, distances[-1]]])[:, 1:]
                draw_band(axes[2], range(1, 1 + logs.shape[1]), logs / np.log(10), colour, line,
                          linewidth=1.2)
        axes[2].axvline(distances[-1], color="0.6", linewidth=0.8)
        for distance, colour in zip(distances[-2:], style.COLOURS[5:]):
            after = by_cell["attention", distance][0]["curve_after"][1:] / np.log(10)
            axes[3].plot(range(1, 1 + len(after)), after, color=colour, linewidth=1.2,
                         label=f"trained for {distance}")
            axes[3].axvline(distance, color=colour, linewidth=0.8, linestyle=":")
        axes[0].set(ylabel=f"steps to {RIGHT:.0%} right on dev", yscale="log")
        axes[1].set(ylabel="accuracy on test", ylim=(0, 1.03))
        axes[0].set_yticks([100, 200, 500, 1000, 2000], ["100", "200", "500", "1,000", "2,000"])
        axes[2].set(ylabel="log10 of the gradient's norm (dashed: before)",
                    xlabel=f"words between, trained for {distances[-1]} (grey)")
        axes[3].set(ylabel="log10 of the gradient's norm", title="attention, first seed",
                    xlabel="words between (dotted: trained for)")
        for ax in axes[:2]:
            ax.set_xscale("log")
            ax.set_xticks(distances, [str(distance) for distance in distances])
            ax.minorticks_off()
            ax.set_xlabel("words between a word and its echo")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
        axes[3].legend()
    return figure


def _draw_steps(ax, places, cells, colour, label):
    """A dot for each seed that has learnt, an open arrow at the last step for those that have not."""
    for place, of_cell in zip(places, cells):
        steps = [row["steps"] for row in of_cell if row["learnt"]]
        ax.plot(place * 1.006 ** (np.arange(len(steps)) - (len(steps) - 1) / 2), steps, "o", color=colour,
                markersize=3.5, alpha=0.8)
        draw_unreached(ax, place, max(row["steps"] for row in of_cell), len(of_cell) - len(steps), colour)
    ax.plot([], [], "o", color=colour, markersize=3.5, label=label)


STUDY = Study(
    question="How far back does a network learn to look, and what has become of its gradient by then?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "distances": (2, 4), "length": 7, "rows": 16, "sequences": 4,
                  "followed": 8, "variant": "smoke",
                  "config": {"training.steps": 2, "training.eval_every": 2, "training.checkpoint_every": 2}},
        "cpu": {"seeds": 8, "distances": (5, 10, 20, 60), "rows": 32, "sequences": 64, "followed": 120,
                "variant": "", "config": {}},
        "accelerator": {"seeds": 8, "distances": (5, 10, 20, 40, 60, 120), "rows": 32, "sequences": 64,
                        "followed": 135, "variant": "",
                        "config": {"training.steps": 20000, "model.width": 256, "model.hidden": 256}},
    },
    cells=cells, measure=measure, draw=draw, functions={"log_steps": log_steps},
    config=FILE + ":{variant}", overrides=overrides)
