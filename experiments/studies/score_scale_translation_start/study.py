"""Does translation need the scale 1/sqrt(d_k) where logits start alike? (Vaswani et al. 2017; Yang et al.)

The built-in grammar, sentences of up to 12 words, translated by a Transformer with one head. As in
`score_scale_start`, the initial query projections are multiplied so that logits have the same standard
deviation at the start, whatever the scale and the key size: what is left of the scale is what it does to
learning. Each arm and key size takes the rate with the best BLEU on dev over tuning seeds; ten other seeds,
paired across arms, are scored on test, greedily.
"""

import math

from attention_lab.figures import style
from attention_lab.studies import Claim, Study, difference
from attention_lab.studies.recipes import architectures, rates
from attention_lab.studies.recipes.drawing import draw_curves, draw_estimate, seed_count, titled_figure
from attention_lab.studies.recipes.equal_start import query_gain

SCALED, UNSCALED, SLOW = "scaled", "unscaled", "unscaled, slow maps"
SCALES = {SCALED: "inverse_sqrt", UNSCALED: 1.0, SLOW: 1.0}
START = 1.3  # the logits' standard deviation before training
SMALL, LARGE = 16, 256
LEARNT = 80.0  # BLEU on dev from which on a run has learnt
PLATEAU = 1.0  # BLEU on dev: an arm that gains more over its last fifth has not had enough steps


def lead(arm, other, size, column="test_bleu"):
    """A column of an arm minus another's at a key size; a run that diverged counts as 0."""
    return difference(column, arm, other, missing=0.0, stage="final", key_size=size)


CLAIMS = (
    Claim("tied_at_small", "at d_k = 16 scaled and unscaled translate equally well, to two BLEU",
          lead(SCALED, UNSCALED, SMALL), "equal", margin=2.0, published="tied"),
    Claim("worse_at_large", "at d_k = 256 unscaled translates worse (BLEU)",
          lead(SCALED, UNSCALED, LARGE), "greater", margin=2.0, published="scaled better"),
    Claim("gap_grows", "scaled leads unscaled by more at 256 than at 16 (BLEU)",
          lead(SCALED, UNSCALED, LARGE) - lead(SCALED, UNSCALED, SMALL), "greater", margin=2.0,
          published="only at large d_k"),
    Claim("later_at_large", f"at d_k = 256 unscaled reaches {LEARNT:g} BLEU on dev later (log10 of steps, "
          "twice the last if never)",
          difference("log_steps", UNSCALED, SCALED, stage="final", key_size=LARGE), "greater"),
    Claim("slow_maps_close", "at d_k = 256 unscaled whose queries and keys learn at 1/sqrt(d_k) of the rate "
          "translates as well as scaled, to two BLEU", lead(SLOW, SCALED, LARGE), "equal", margin=2.0),
)


def arms_of(size, settings):
    """The arms of a key size: slow maps at the largest alone."""
    return [arm for arm in settings["arms"] if arm != SLOW or size == max(settings["key_sizes"])]


def cells(settings):
    """Tuning cells, one key size and arm after another; then the final ones."""
    return rates.cells([{"arm": arm, "key_size": size} for size in settings["key_sizes"]
                        for arm in arms_of(size, settings)], settings)


def best_rates(rows, arm, size):
    """{rate: mean dev BLEU over the tuning seeds}; a run that diverged has 0."""
    return rates.by_rate(rows, "dev_bleu", 0.0, arm=arm, key_size=size)


def overrides(cell, settings, rows):
    """The changes of a run in its config; the rate of a final one is None until rates are tuned."""
    arm, size, rate = cell["arm"], cell["key_size"], cell["rate"]
    if rate is None and rows is not None:
        scores = best_rates(rows, arm, size)
        rate = rates.best(scores)
    return settings["config"] | {
        "model.num_heads": 1, "model.key_size": size, "attention.scale": SCALES[arm],
        "attention.query_gain": query_gain(START, SCALES[arm], size, settings["config"]["model.width"]),
        "optimizer.query_key_rate": float(f"{size ** -0.5:.5g}") if arm == SLOW else 1.0,
        "optimizer.learning_rate": rate, "seed": cell["seed"],
        "data.split": "test" if cell["stage"] == "final" else "dev"}


def measure(cell, settings, train):
    """Scores of a run, the step at which it had learnt, and its learning curve."""
    row = architectures.measure_words(cell, settings, train)
    curve = row["curve"]
    learnt = curve[curve[:, 1] >= LEARNT, 0]
    never = 2 * settings["config"]["training.steps"]
    return row | {"learnt": int(len(learnt) > 0),
                  "log_steps": math.log10(learnt[0] if len(learnt) else never)}


def draw(rows, settings):
    """Test BLEU by arm and key size; dev BLEU over the rate and over steps at both key sizes."""
    final = [row for row in rows if row["stage"] == "final"]
    rising = rates.still_rising(rows, PLATEAU, "arm", "key_size")
    title = (f"{seed_count(final)} seeds, each arm at its best rate; logits start with a standard deviation "
             f"of {START:g}; curves: range\nmore than {PLATEAU:g} BLEU gained in the last fifth: "
             + (", ".join(rising) or "none"))
    colours = dict(zip(SCALES, style.COLOURS))
    with titled_figure(10.2, 3.1 * len(settings["key_sizes"]) + 0.6, title) as figure:
        panels = figure.subplots(len(settings["key_sizes"]), 3, squeeze=False)
        for axes, size in zip(panels, settings["key_sizes"]):
            arms = arms_of(size, settings)
            for x, arm in enumerate(arms):
                runs = [row for row in final if (row["arm"], row["key_size"]) == (arm, size)]
                scores = [row["test_bleu"] or 0.0 for row in runs]
                draw_estimate(axes[0], x, scores, colours[arm])
                tuned = best_rates(rows, arm, size)
                axes[1].plot(list(tuned), list(tuned.values()), "o-", color=colours[arm], markersize=4,
                             label=arm)
                draw_curves([axes[2]], [row["curve"] for row in runs], arm, colours[arm])
            axes[0].set_xticks(range(len(arms)), [arm.replace(", ", ",\n") for arm in arms])
            axes[0].set(title=f"d_k = {size}", ylabel="BLEU, test", ylim=(0, None))
            axes[1].set(xscale="log", xlabel="learning rate, tuning seeds", ylabel="BLEU, dev",
                        ylim=(0, None))
            axes[1].legend()
            axes[2].set(ylabel="BLEU, dev", ylim=(0, None))
            axes[2].axhline(LEARNT, color=style.FAINT, zorder=0)
    return figure


_SIZES = {"arms": tuple(SCALES), "key_sizes": (SMALL, LARGE)}

STUDY = Study(
    question="Where logits start alike, does a model translate without the scale 1/sqrt(d_k)?",
    claims=CLAIMS,
    presets={
        "smoke": _SIZES | {"seeds": 2, "tuning_seeds": 1, "rates": (0.003,), "variant": "smoke",
                           "config": architectures.smoke() | {"model.width": 16}},
        "cpu": _SIZES | {"seeds": 10, "tuning_seeds": 3, "rates": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02),
                         "variant": "", "config": architectures.SHORT_GRAMMAR | {"training.eval_every": 40}},
        "accelerator": _SIZES | {
            "seeds": 10, "tuning_seeds": 4, "key_sizes": (16, 64, 256, 1024),
            "rates": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02), "variant": "",
            "config": architectures.SHORT_GRAMMAR | {
                "training.steps": 4000, "training.eval_every": 200, "training.checkpoint_every": 4000}},
    },
    cells=cells, measure=measure, draw=draw, config=architectures.FILE + ":{variant}", overrides=overrides)
