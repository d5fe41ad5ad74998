"""Does the scale 1/sqrt(d_k) matter for learning? (Vaswani et al. 2017, 3.2.1; Britz et al. 2017)

Multi-query recall by a two-layer causal Transformer of one head, over key size and arm. Each arm and size
gets the same learning rates and takes the one that is best on dev over two seeds of its own; then eight
other seeds, paired across arms, are trained at that rate and scored on test. A rate "trains" where the mean
dev accuracy of the tuning seeds is at least TRAINED.
"""

from attention_lab.statistics import Claim
from experiments.studies.record import Study

ARMS = {
    "scaled": {"attention.scale": "inverse_sqrt"},
    "unscaled": {"attention.scale": 1.0},
    "inverse": {"attention.scale": "inverse"},
    "cosine": {"attention.compatibility": "cosine"},
    "additive": {"attention.compatibility": "additive"},
}
MAIN = ("scaled", "unscaled")
TUNING_SEEDS = (100, 101)
TRAINED = 0.9
_KEPT = {}  # the program of the last cell, which the next one may share

CLAIMS = (
    Claim("tied_at_small", "at d_k = 16 scaled and unscaled are equal, to two points of accuracy",
          "test_accuracy", ("scaled", "unscaled"), "equal", margin=0.02, published="tied"),
    Claim("worse_at_large", "at the largest d_k the unscaled arm recalls less, its rate tuned",
          "test_accuracy", ("scaled", "unscaled"), "greater", margin=0.02, published="scaled better"),
    Claim("additive_beats_unscaled", "at d_k = 256 additive attention recalls more than unscaled",
          "test_accuracy", ("additive", "unscaled"), "greater", margin=0.02, published="additive better"),
    Claim("additive_as_scaled", "at d_k = 256 additive and scaled are equal, to two points",
          "test_accuracy", ("additive", "scaled"), "equal", margin=0.02, published="similar"),
    Claim("cosine_as_scaled", "at d_k = 256 cosine with a learned gain and scaled are equal, to two points",
          "test_accuracy", ("cosine", "scaled"), "equal", margin=0.02, primary=False),
    Claim("inverse_as_scaled", "at d_k = 256 the scale 1/d_k and scaled are equal, to two points",
          "test_accuracy", ("inverse", "scaled"), "equal", margin=0.02, primary=False),
    Claim("entropy_at_start", "at the largest d_k attention starts less spread out without the scale",
          "start_entropy", ("scaled", "unscaled"), "greater", primary=False),
)


def sizes_of(arm, settings):
    """Key sizes of an arm; the largest are for the two main arms alone."""
    return settings["key_sizes"] + (settings["main_key_sizes"] if arm in MAIN else ())


def cells(settings):
    """Tuning cells first, those of one program together; then the final ones."""
    pairs = [(arm, size) for arm in ARMS for size in sizes_of(arm, settings)]
    pairs.sort(key=lambda pair: (pair[1], ARMS[pair[0]].get("attention.compatibility", "dot")))
    tuning = [{"stage": "tune", "arm": arm, "key_size": size, "rate": rate, "seed": seed}
              for arm, size in pairs for rate in settings["rates"] for seed in TUNING_SEEDS]
    final = [{"stage": "final", "arm": arm, "key_size": size, "rate": "best", "seed": seed}
             for arm, size in pairs for seed in range(settings["seeds"])]
    return tuning + final


def best_rate(rows, arm, size):
    """The rate with the highest mean dev accuracy over the tuning seeds; the lower one of equals."""
    scores = _tuned(rows, arm, size)
    return max(scores, key=lambda rate: sum(scores[rate]) / len(scores[rate]))


def config(settings):
    """The config file of the runs."""
    return f"configs/recall.py:{settings['variant']}"


def overrides(cell, settings, rows):
    """What the run behind a cell changes in it."""
    tuned = best_rate(rows, cell["arm"], cell["key_size"]) if cell["rate"] == "best" else cell["rate"]
    return settings["config"] | ARMS[cell["arm"]] | {
        "model.key_size": cell["key_size"], "optimizer.learning_rate": tuned, "seed": cell["seed"],
        "data.split": "test" if cell["stage"] == "final" else "dev"}


def measure(cell, settings, rows, folder):
    """Trains a cell, or reads it where it is finished; what it scored and how it learned."""
    from attention_lab.files import JsonLines
    from attention_lab.sweeps.execution import Shared, execute
    from attention_lab.sweeps.plan import plan
    from attention_lab.tasks import build
    from configs.recall import get_config
    if "shared" not in _KEPT:
        _KEPT["shared"] = Shared(build)
    changed = overrides(cell, settings, rows)
    outcome, = execute(plan(get_config(settings["variant"]), [changed]), folder, _KEPT["shared"],
                       "python -m experiments.reproduce score_scale", say=lambda line: None)
    if outcome.result is None:
        raise ValueError(f"{outcome.folder}: {outcome.error}")
    result, lines = outcome.result, JsonLines(outcome.folder / "metrics.jsonl").read()
    looks = [line for line in lines if "dev_accuracy" in line]
    reached = [line["step"] for line in looks if line["dev_accuracy"] >= TRAINED]
    return {
        "rate_used": changed["optimizer.learning_rate"], "status": result["status"],
        "dev_accuracy": result.get("dev_accuracy", 0.0), "test_accuracy": result.get("test_accuracy", ""),
        "start_entropy": looks[0]["dev_entropy_1"] if looks else "",
        "start_gradient": looks[0]["dev_query_gradient"] if looks else "",
        "steps_to_90": reached[0] if reached else "",
        "curve": ";".join(f"{line['step']}:{line['dev_accuracy']:.4f}:{line['dev_entropy_1']:.4f}:"
                          f"{line['dev_query_gradient']:.3g}" for line in looks)}


def differences(rows):
    """Paired by seed; nothing for what a preset does not have."""
    final = {(row["arm"], row["key_size"], row["seed"]): row for row in rows if row["stage"] == "final"}
    seeds = sorted({seed for _, _, seed in final})
    largest = max(size for arm, size, _ in final if arm in MAIN)
    middle = max(size for arm, size, _ in final if arm == "additive")

    def pairs(one, other, size, column="test_accuracy"):
        return [_number(final[one, size, seed][column]) - _number(final[other, size, seed][column])
                for seed in seeds]

    return {
        "tied_at_small": pairs("scaled", "unscaled", min(size for _, size, _ in final)),
        "worse_at_large": pairs("scaled", "unscaled", largest),
        "additive_beats_unscaled": pairs("additive", "unscaled", middle),
        "additive_as_scaled": pairs("additive", "scaled", middle),
        "cosine_as_scaled": pairs("cosine", "scaled", middle),
        "inverse_as_scaled": pairs("inverse", "scaled", middle),
        "entropy_at_start": pairs("scaled", "unscaled", largest, "start_entropy"),
    }


def _number(value):
    return 0.0 if value == "" else float(value)  # a diverged run recalls nothing


def largest_rate(rows, arm, size):
    """The largest rate that trains, or None."""
    tuned = _tuned(rows, arm, size)
    return max((rate for rate, scores in tuned.items() if sum(scores) / len(scores) >= TRAINED), default=None)


def _tuned(rows, arm, size):
    tuned = {}
    for row in rows:
        if (row["stage"], row["arm"], row["key_size"]) == ("tune", arm, size):
            tuned.setdefault(row["rate"], []).append(row["dev_accuracy"])
    return dict(sorted(tuned.items()))


def draw(rows, settings):
    """Accuracy over key size and over the rates that were tried, rates that train, and three curves."""
    from attention_lab.figures import style
    final = [row for row in rows if row["stage"] == "final"]
    largest = max(row["key_size"] for row in final if row["arm"] in MAIN)
    with style.look():
        figure = style.figure(13.2, 6.6, layout="constrained")
        axes = figure.subplots(2, 3)
        _draw_sizes(axes[0, 0], axes[0, 2], rows, final)
        for arm, colour in zip(MAIN, style.COLOURS):
            tuned = _tuned(rows, arm, largest)
            means = [sum(scores) / len(scores) for scores in tuned.values()]
            axes[0, 1].plot(list(tuned), means, "o-", color=colour, label=arm)
            _draw_curves(axes[1], [row["curve"] for row in final if row["curve"]
                                   and (row["arm"], row["key_size"]) == (arm, largest)], arm, colour)
        axes[0, 1].set_xscale("log")
        axes[0, 1].set(xlabel="peak learning rate", ylabel=f"dev accuracy at d_k = {largest:,}",
                       ylim=(-0.03, 1.03))
        axes[1, 0].set(ylabel=f"dev accuracy at d_k = {largest:,}", ylim=(-0.03, 1.03))
        axes[1, 1].set(ylabel="entropy of the last layer, share of log S")
        axes[1, 2].set(ylabel="gradient norm of the query maps", yscale="log")
        for ax in axes.flat:
            ax.grid(axis="y")
            ax.legend()
        figure.suptitle(f"recall with and without the scale; mean and range of "
                        f"{len({row['seed'] for row in final})} seeds", parse_math=False)
    return figure


def _draw_sizes(accuracy, rates, rows, final):
    import numpy as np

    from attention_lab.figures import style
    for number, (arm, colour) in enumerate(zip(ARMS, style.COLOURS)):
        sizes = np.array(sorted({row["key_size"] for row in final if row["arm"] == arm}))
        scores = [[_number(row["test_accuracy"]) for row in final
                   if (row["arm"], row["key_size"]) == (arm, size)] for size in sizes]
        shifted = sizes * (1.0 + 0.04 * (number - 2))
        accuracy.plot(shifted, [np.mean(one) for one in scores], "o-", color=colour, markersize=4, label=arm)
        accuracy.vlines(shifted, [min(one) for one in scores], [max(one) for one in scores], color=colour,
                        linewidth=1.0)
        largest = [largest_rate(rows, arm, size) or np.nan for size in sizes]
        # Arms that share a rate would cover each other.
        rates.plot(shifted, np.array(largest, float) * (1.0 + 0.03 * (number - 2)), "o-", color=colour,
                   markersize=4, label=arm if np.isfinite(largest).any() else f"{arm} (none)")
    sizes = sorted({row["key_size"] for row in final})
    for ax in (accuracy, rates):
        ax.set_xscale("log", base=2)
        ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
        ax.set_xlabel("key size d_k")
    tried = sorted({row["rate"] for row in rows if row["stage"] == "tune"})
    rates.set(ylabel="largest peak learning rate that trains", yscale="log",
              ylim=(min(tried) / 1.5, max(tried) * 1.5))
    accuracy.set(ylabel="test accuracy, rate tuned on dev", ylim=(-0.03, 1.03))


def _draw_curves(axes, texts, arm, colour):
    import numpy as np
    curves = [np.array([[float(x) for x in look.split(":")] for look in text.split(";")]) for text in texts]
    if not curves:
        return
    length = min(map(len, curves))
    stack = np.stack([curve[:length] for curve in curves])
    for column, ax in enumerate(axes, 1):
        steps, values = stack[0, :, 0], stack[:, :, column]
        ax.plot(steps, values.mean(0), color=colour, label=arm)
        ax.fill_between(steps, values.min(0), values.max(0), color=colour, alpha=0.2, linewidth=0)
        ax.set_xlabel("optimizer steps")


STUDY = Study(
    name="score_scale",
    question="Do models learn without the scale 1/sqrt(d_k), and from which key size on do they not?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 6, "key_sizes": (4,), "main_key_sizes": (8,), "rates": (0.003,),
                  "variant": "smoke", "config": {"training.steps": 3}},
        "cpu": {"seeds": 8, "key_sizes": (16, 64, 256), "main_key_sizes": (1024,),
                "rates": (0.0003, 0.001, 0.003, 0.01), "variant": "", "config": {}},
        "accelerator": {"seeds": 8, "key_sizes": (16, 64, 256), "main_key_sizes": (1024,),
                        "rates": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03), "variant": "",
                        "config": {"data.vocabulary_size": 8192, "data.pairs": 32,
                                   "training.batch_tokens": 16384, "training.steps": 6000}},
    },
    cells=cells, measure=measure, differences=differences, draw=draw, config=config, overrides=overrides)
