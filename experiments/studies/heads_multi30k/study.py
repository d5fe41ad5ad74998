"""Does the translation of real captions depend on the number of heads, at constant width?

`heads_translation` on Multi30k, English to French, tokenised and lower-cased: with h heads a head has
queries, keys and values of width / h units, so that the number of parameters is the same for all. Each
number of heads has its learning rate, tuned on val with other seeds. Scored by greedy BLEU on
test_2016_flickr.
"""

from attention_lab.studies import Claim, Study, mean, nearest
from attention_lab.studies.recipes import architectures, rates, runs, tuned_arms
from attention_lab.studies.recipes.drawing import seed_count, titled_figure
from attention_lab.studies.recipes.head_counts import best_rates, draw_heads, draw_rates, draw_training

PLATEAU = 1.0  # BLEU on dev: a number of heads that gains more over its last fifth has not had enough steps


def lead(heads, other):
    """Test BLEU with so many heads, minus that with another number; a run that diverged counts as 0."""
    return (mean("test_bleu", 0.0, stage="final", heads=nearest(heads))
            - mean("test_bleu", 0.0, stage="final", heads=nearest(other)))


CLAIMS = (
    Claim("sixteen_lead_one", "sixteen heads translate captions better than one (BLEU)", lead(16, 1),
          "greater", margin=0.5, published=0.9),
    Claim("sixteen_trail_four", "sixteen heads translate captions worse than four (BLEU)", lead(16, 4),
          "less", margin=0.5, published="0.3 more; 32 heads drop"),
    Claim("four_as_eight", "four and eight heads translate captions equally well, to one BLEU", lead(8, 4),
          "equal", margin=1.0, published=0.3),
    Claim("two_lead_one", "two heads translate captions better than one (BLEU)", lead(2, 1), "greater",
          margin=0.5, primary=False),
    Claim("eight_lead_one", "eight heads translate captions better than one (BLEU)", lead(8, 1), "greater",
          margin=0.5, published=0.9, primary=False),
)


def cells(settings):
    """Tuning cells, one number of heads after another; then the final ones."""
    return rates.cells(runs.crossed(heads=settings["heads"]), settings)


def overrides(cell, settings, rows):
    """The changes of a run in its config; the rate of a final one is None until rates are tuned."""
    rate = cell["rate"]
    if rate is None and rows is not None:
        rate = rates.best(best_rates(rows, heads=cell["heads"]))
    return runs.with_data(settings["config"] | {
        "model.num_heads": cell["heads"], "optimizer.learning_rate": rate, "seed": cell["seed"],
        "data.split": "test" if cell["stage"] == "final" else "dev"}, settings)


def measure(cell, settings, train):
    """Scores and learning curve of a run."""
    row = tuned_arms.translation(train(cell))
    return row | {"late_rise": rates.late_rise(row["curve"][:, 1]) if len(row["curve"]) else None}


def draw(rows, settings):
    """Test BLEU over the number of heads, and dev BLEU over the rate and over training."""
    final = [row for row in rows if row["stage"] == "final"]
    rising = rates.still_rising(rows, PLATEAU, "heads")
    title = (f"Multi30k, {seed_count(final)} seeds, each number of heads at its best rate; bars: means and "
             "their 95 % intervals; curves: range\n"
             f"heads that gained more than {PLATEAU:g} BLEU in the last fifth: {', '.join(rising) or 'none'}")
    with titled_figure(11.4, 3.6, title) as figure:
        axes = figure.subplots(1, 3)
        draw_heads(axes[0], rows, settings["heads"], "test_bleu", "BLEU")
        draw_rates(axes[1], rows, settings["heads"])
        draw_training(axes[2], rows, settings["heads"])
        for ax in axes[1:]:
            ax.set(ylabel="BLEU, dev", ylim=(0, None))
    return figure


STUDY = Study(
    question="Does the translation of captions depend on the number of heads, at constant width?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "tuning_seeds": 1, "rates": (0.003,), "heads": (1, 2), "variant": "smoke",
                  "config": architectures.smoke()},
        "cpu": {"seeds": 10, "tuning_seeds": 2, "rates": (0.0025, 0.005, 0.01), "heads": (1, 2, 4, 8, 16),
                "variant": "multi30k", "config": architectures.SMALL_CAPTIONS},
        "accelerator": {"seeds": 10, "tuning_seeds": 3, "rates": (0.0005, 0.001, 0.002, 0.004),
                        "heads": (1, 2, 4, 8, 16, 32), "variant": "multi30k",
                        "config": architectures.LONG_CAPTIONS},
    },
    cells=cells, measure=measure, draw=draw, config=architectures.FILE + ":{variant}", overrides=overrides,
    check=runs.check_data)
