"""After training: how far back does a network learn to look, and what has become of its gradient?

"Give back the word k places ago" (configs/echo.py), by recurrent networks and by one causal layer of
attention, for several k and at one learning rate. Measured are the steps until 99 % of the answers on dev are
right, and the norm of d h_T / d x_(T-j) over the distance j, of the model that has just been trained. The
norms are followed over sequences longer than those trained on; the slope is that over the trained ones.
"""

import functools

from attention_lab.statistics import Claim
from experiments.studies import architectures, training
from experiments.studies.record import Study
from experiments.studies.signal_decay import curve

# Variants of configs/echo.py, which is itself one layer of attention, and what is changed in them.
ARMS = {"rnn": ("rnn", {}), "lstm, bias 0": ("lstm", {"model.forget_bias": 0.0}),
        "lstm, bias 1": ("lstm", {}), "gru": ("gru", {}), "attention": ("", {})}
RIGHT = 0.99  # of the answers on dev, from which on a distance counts as learnt
FAR = "the longest distance (60)"

CLAIMS = (
    Claim("attention_learns_far", f"attention has learnt {FAR} by the end", "accuracy",
          ("attention", "0.99"), "greater", published="learns"),
    Claim("rnn_fails_far", f"an RNN has not: fewer than half of its answers are right at {FAR}", "accuracy",
          ("rnn", "0.5"), "less", published="fails"),
    Claim("steps_grow", "an LSTM needs more steps the further back it has to look (slope of log2 steps on "
          "log2 distance; a run that has not learnt counts as the last step)", "steps", ("lstm, bias 1", "0"),
          "greater", published="grows"),
    Claim("steps_flat", "attention's steps grow less with distance than an LSTM's", "steps",
          ("attention", "lstm, bias 1"), "less", published="less"),
    Claim("attention_flat", "attention's steps do not depend on distance (slope of log2 steps on log2 "
          "distance, to 0.1)", "steps", ("attention", "0"), "equal", margin=0.1, published="flat"),
    Claim("bias_learns_sooner", "a forget bias of 1 lets an LSTM learn sooner than one of 0 (log2 steps, "
          "mean over distances)", "steps", ("lstm, bias 1", "lstm, bias 0"), "less", published="sooner",
          primary=False),
    Claim("slope_moves", "training makes an LSTM's gradient (bias 1) fall less steeply (slope, nats a step)",
          "slope", ("after", "before"), "greater", published="training moves it"),
    Claim("gru_steps_grow", "a GRU needs more steps the further back it has to look", "steps", ("gru", "0"),
          "greater", primary=False),
)


def cells(settings):
    """A run for each arm, distance and seed."""
    return [{"arm": arm, "distance": distance, "seed": seed} for arm in ARMS
            for distance in settings["distances"] for seed in range(settings["seeds"])]


def config(settings):
    """The config file of the runs."""
    return f"configs/echo.py:{settings['variant']}"


def overrides(cell, settings, rows):
    """What the run behind a cell changes in its config."""
    from attention_lab.config import all_fields
    from configs.echo import VARIANTS
    variant, own = ARMS[cell["arm"]]
    changed = architectures.variant(VARIANTS, variant) | own | settings["config"] | {
        "data.distance": cell["distance"], "seed": cell["seed"]}
    if "length" in settings:  # the same at every distance, so that all compile the same programs
        changed["data.answers"] = settings["length"] - cell["distance"]
    length = cell["distance"] + changed.get("data.answers", all_fields()["data.answers"].default)
    # As many sequences, and answers, in a step at every distance.
    return changed | {"training.batch_tokens": settings["rows"] * length}


def measure(cell, settings, rows, folder):
    """Trains a cell, or reads it where it is finished: when it had learnt, and the gradient's norms."""
    import numpy as np

    from attention_lab.storage import runs
    result, looks, run = training.trained(config(settings), overrides(cell, settings, rows), folder,
                                          "signal_decay_trained")
    learnt = [line["step"] for line in looks if line["dev_accuracy"] >= RIGHT]
    found = {"status": result["status"], "accuracy": result.get("test_accuracy", 0.0),
             "steps": learnt[0] if learnt else result["steps"], "learnt": int(bool(learnt))}
    run = runs.load_run(run)
    trained_on = np.arange(1, run.config.data.distance + run.config.data.answers)
    for name, norms in zip(("before", "after"), _norms(run, settings["sequences"], settings["followed"])):
        mean = np.asarray(norms, np.float64).mean(axis=0)
        found |= {f"slope_{name}": float(np.polyfit(trained_on, mean[trained_on], 1)[0]),
                  f"curve_{name}": ";".join(f"{k}:{value:.4f}" for k, value in enumerate(mean))}
    return found


def _norms(run, count, followed):
    """log |d h_T / d x_(T-k)|, k = 0 to `followed`, (N, 1 + followed), before and after training."""
    from attention_lab import models
    from attention_lab.config import replace, split
    from attention_lab.data.synthetic import echo
    from attention_lab.training.weights import first_weights, scored_weights
    data = run.config.data
    structure, hyper = split(run.config)
    model = models.build(structure, data.vocabulary_size)
    source = echo.sequences(count, data.distance, 1 + followed - data.distance, data.vocabulary_size,
                            data.corpus_seed, "dev").source
    # No model depends on the distance, nor on how large a step was: one program serves all.
    norms = _jitted(replace(structure, {"data.distance": 1, "training.batch_tokens": 1}))
    return [norms(params, hyper, source) for params in (first_weights(run.config, model.init),
                                                        scored_weights(run, model.init))]


@functools.lru_cache(maxsize=8)
def _jitted(structure):
    import jax

    from attention_lab.analysis import decay
    return jax.jit(lambda params, hyper, source: jax.lax.map(
        lambda one: decay.token_norms(structure, params, hyper, one), source))


def differences(rows):
    """What each claim is judged by, a number for each seed."""
    import numpy as np
    table = {(row["arm"], row["distance"], row["seed"]): row for row in rows}
    seeds = sorted({row["seed"] for row in rows})
    distances = sorted({row["distance"] for row in rows})
    longest = distances[-1]

    def of(arm, column, distance=longest):
        return np.array([float(table[arm, distance, seed][column]) for seed in seeds])

    def log_steps(arm):
        return np.log2([of(arm, "steps", distance) for distance in distances])

    def growth(arm):
        return np.polyfit(np.log2(distances), log_steps(arm), 1)[0]

    return {
        "attention_learns_far": of("attention", "accuracy") - RIGHT,
        "rnn_fails_far": of("rnn", "accuracy") - 0.5,
        "steps_grow": growth("lstm, bias 1"),
        "steps_flat": growth("attention") - growth("lstm, bias 1"),
        "attention_flat": growth("attention"),
        "bias_learns_sooner": (log_steps("lstm, bias 1") - log_steps("lstm, bias 0")).mean(0),
        "slope_moves": of("lstm, bias 1", "slope_after") - of("lstm, bias 1", "slope_before"),
        "gru_steps_grow": growth("gru"),
    }


def draw(rows, settings):
    """Steps to learn and accuracy over the distance, and the gradient before and after training."""
    import numpy as np

    from attention_lab.figures import style
    distances = sorted({row["distance"] for row in rows})
    with style.look():
        figure = style.figure(10.6, 7.2, layout="constrained")
        axes = figure.subplots(2, 2).ravel()
        for place, (arm, colour) in enumerate(zip(ARMS, style.COLOURS)):
            own = [[row for row in rows if (row["arm"], row["distance"]) == (arm, distance)]
                   for distance in distances]
            shifted = np.array(distances) * (1.0 + 0.04 * (place - 2))
            for ax, column in zip(axes, ("steps", "accuracy")):
                values = [[row[column] for row in at] for at in own]
                ax.plot(shifted, [np.mean(at) for at in values], "o-", color=colour, markersize=4, label=arm)
                ax.vlines(shifted, [min(at) for at in values], [max(at) for at in values], color=colour,
                          linewidth=1.0)
            if arm == "attention":  # its peaks lie at other places in other seeds
                continue
            for name, line in (("before", "--"), ("after", "-")):
                curves = np.stack([curve({"curve": row[f"curve_{name}"]}) for row in own[-1]])[:, 1:]
                words, logs = curves[0, :, 0], curves[:, :, 1] / np.log(10)
                axes[2].plot(words, logs.mean(0), line, color=colour, linewidth=1.2)
                axes[2].fill_between(words, logs.min(0), logs.max(0), color=colour, alpha=0.15, linewidth=0)
        axes[2].axvline(distances[-1], color="0.6", linewidth=0.8)
        for distance, colour in zip(distances[-2:], style.COLOURS[5:]):
            row = next(row for row in rows if (row["arm"], row["distance"]) == ("attention", distance))
            after = curve({"curve": row["curve_after"]})[1:]
            axes[3].plot(after[:, 0], after[:, 1] / np.log(10), color=colour, linewidth=1.2,
                         label=f"trained for {distance}")
            axes[3].axvline(distance, color=colour, linewidth=0.8, linestyle=":")
        axes[0].set(ylabel=f"steps to {RIGHT:.0%} right on dev (none: the last step)", yscale="log")
        axes[1].set(ylabel="accuracy on test", ylim=(0, 1.03))
        axes[0].set_yticks([100, 200, 500, 1000, 2000], ["100", "200", "500", "1,000", "2,000"])
        axes[2].set(ylabel="log10 of the gradient's norm (dashed: before)",
                    xlabel=f"words between, trained for {distances[-1]} (grey)")
        axes[3].set(ylabel="log10 of the gradient's norm, attention, first seed",
                    xlabel="words between (dotted: trained for)")
        for ax in axes[:2]:
            ax.set_xscale("log")
            ax.set_xticks(distances, [str(distance) for distance in distances])
            ax.minorticks_off()
            ax.set_xlabel("words between a word and its echo")
        for ax in axes:
            ax.grid(axis="y")
        for ax in axes[[0, 3]]:
            ax.legend()
        figure.suptitle("give back the word k places ago; mean and range of "
                        f"{len({row['seed'] for row in rows})} seeds", parse_math=False)
    return figure


STUDY = Study(
    name="signal_decay_trained",
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
    cells=cells, measure=measure, differences=differences, draw=draw, config=config, overrides=overrides)
