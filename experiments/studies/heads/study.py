"""Do several heads see more than one, at equal cost? (Vaswani et al. 2017, 3.2.2)

K-fold recall: one query names k of eight places at once and wants their k values, all read out of the state
of that query. A head gives one weighted mean of the places, so that one layer of h heads that look at a place
each gives h of the k values. All models have the same width, the same number of parameters for each k, and
values of width / h units in each of h heads; in the arm "wide values" one or two heads have values of k times
the width in all. Each number of heads, k and layers takes the rate with the best accuracy on dev over
training, over four tuning seeds; ten other seeds, paired across arms, are scored on test.
"""

from attention_lab.figures import style
from attention_lab.studies import Claim, Study, mean, nearest
from attention_lab.studies.recipes import rates, runs
from attention_lab.studies.recipes.drawing import draw_seeds, seed_count, titled_figure

NAMED = ("arm", "layers", "heads", "fold")  # columns that name a model
PLATEAU = 0.05  # a model whose mean dev accuracy rises by more over its last fifth has not had enough steps
EQUAL, WIDE = "equal cost", "wide values"


def score(heads, fold, layers=1, arm=EQUAL):
    """Share of the answers that are right on test; a run that diverged counts as 0."""
    return mean("test_accuracy", 0.0, stage="final", arm=arm, heads=nearest(heads), fold=nearest(fold),
                layers=nearest(layers))


CLAIMS = (
    Claim("one_is_enough_for_one", "one layer, k = 1: one head recalls as much as four, to five points",
          score(4, 1) - score(1, 1), "equal", margin=0.05),
    Claim("two_for_two", "one layer, k = 2: two heads recall more than one, by more than ten points",
          score(2, 2) - score(1, 2), "greater", margin=0.1),
    Claim("four_for_four", "one layer, k = 4: four heads recall more than two, by more than ten points",
          score(4, 4) - score(2, 4), "greater", margin=0.1),
    Claim("lead_grows_with_places", "one layer: four heads lead one head by more at k = 4 than at k = 1, by "
          "more than ten points", (score(4, 4) - score(1, 4)) - (score(4, 1) - score(1, 1)), "greater",
          margin=0.1, published="several heads attend to several places"),
    Claim("one_of_two", "one layer, k = 2: one head gives one of the two values (share of right answers)",
          score(1, 2), "equal", 0.5, margin=0.1),
    Claim("two_of_four", "one layer, k = 4: two heads give two of the four values (share of right answers)",
          score(2, 4), "equal", 0.5, margin=0.1),
    Claim("one_of_four", "one layer, k = 4: one head gives one of the four values (share of right answers)",
          score(1, 4), "equal", 0.25, margin=0.1),
    Claim("small_values_suffice", "one layer, k = 4: eight heads, of half the units each, recall as much as "
          "four, to five points", score(8, 4) - score(4, 4), "equal", margin=0.05),
    Claim("second_layer_second_look", "k = 2, one head: two layers recall more than one, by more than ten "
          "points", score(1, 2, layers=2) - score(1, 2), "greater", margin=0.1),
    Claim("heads_over_layers", "k = 4: four heads of one layer recall more than one head of two layers, by "
          "more than ten points", score(4, 4) - score(1, 4, layers=2), "greater", margin=0.1),
    Claim("not_the_size_of_values", "one layer, k = 4: one head with values of four times the units recalls "
          "as much as one head, to five points", score(1, 4, arm=WIDE) - score(1, 4), "equal", margin=0.05,
          primary=False),
)


def models_of(settings):
    """The models that are compared, {column: value} each."""
    equal = runs.crossed(arm=[EQUAL], layers=settings["layers"], heads=settings["heads"],
                         fold=settings["folds"])
    largest = max(settings["folds"])
    wide = runs.crossed(arm=[WIDE], layers=[1], heads=[n for n in (1, 2) if n in settings["heads"]],
                        fold=[largest])
    return equal + wide


def cells(settings):
    """Tuning cells of all models, one program after another; then the final ones."""
    return rates.cells(models_of(settings), settings)


def overrides(cell, settings, rows):
    """The changes of a run in its config; the rate of a final one is None until rates are tuned."""
    rate = cell["rate"]
    if rate is None and rows is not None:
        scores = rates.by_rate(rows, "dev_mean", 0.0, **{name: cell[name] for name in NAMED})
        rate = rates.best(scores)
    units = settings["width"] * cell["fold"] // cell["heads"] if cell["arm"] == WIDE else None
    return settings["config"] | {
        "model.width": settings["width"], "model.num_layers": cell["layers"],
        "model.num_heads": cell["heads"], "model.value_size": units,
        "data.fold": cell["fold"], "optimizer.learning_rate": rate, "seed": cell["seed"],
        "data.split": "test" if cell["stage"] == "final" else "dev"}


def measure(cell, settings, train):
    """Scores of a run and its learning curve."""
    result, evaluations, _, changes = train(cell)
    curve = runs.curve(evaluations, "dev_accuracy")
    return {
        "rate_used": changes["optimizer.learning_rate"], "status": result["status"],
        "dev_accuracy": result.get("dev_accuracy", 0.0), "test_accuracy": result.get("test_accuracy"),
        "dev_mean": float(curve[:, 1].mean()) if len(curve) else 0.0,
        "late_rise": rates.late_rise(curve[:, 1]) if len(curve) else None,
        "curve": curve}


def draw(rows, settings):
    """Accuracy of every seed over the number of heads, a panel for each number of layers."""
    final = [row for row in rows if row["stage"] == "final"]
    rising = rates.still_rising(rows, PLATEAU, *NAMED)
    title = (f"k-fold recall, {seed_count(final)} seeds at each model's best rate, "
             f"{settings['config']['training.steps']:,} steps; dashed: layers x heads / k; "
             f"still rising: {', '.join(rising) or 'none'}")
    with titled_figure(4.9 * len(settings["layers"]) + 1.2, 4.2, title) as figure:
        panels = figure.subplots(1, len(settings["layers"]), sharey=True, squeeze=False)[0]
        for ax, layers in zip(panels, settings["layers"]):
            for place, (fold, colour) in enumerate(zip(settings["folds"], style.COLOURS)):
                _draw_fold(ax, final, settings["heads"], fold, layers, 0.22 * (place - 1), colour)
            if layers == 1:
                for row in (row for row in final if row["arm"] == WIDE):
                    x = settings["heads"].index(row["heads"]) + 0.38
                    ax.plot(x, row["test_accuracy"] or 0.0, "x", color=style.INK, markersize=4,
                            label=None if row["seed"] or row["heads"] > 1 else f"{WIDE}, k = {row['fold']}")
            ax.set_xticks(range(len(settings["heads"])), settings["heads"])
            ax.set(title=f"layers: {layers}", xlabel="heads", ylim=(-0.03, 1.03))
        panels[0].set(ylabel="share of the answers that are right, test")
        panels[0].legend(loc="lower right")
    return figure


def _draw_fold(ax, rows, heads, fold, layers, shift, colour):
    for x, number in enumerate(heads):
        scores = [row["test_accuracy"] or 0.0 for row in rows
                  if (row["arm"], row["layers"], row["heads"], row["fold"]) == (EQUAL, layers, number, fold)]
        draw_seeds(ax, x + shift, scores, colour, None if x else f"k = {fold}")
        ax.hlines(min(1.0, number * layers / fold), x + shift - 0.1, x + shift + 0.1, color=colour,
                  linestyle="--", linewidth=0.9)


STUDY = Study(
    question="Do several heads see more than one, at equal cost?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "tuning_seeds": 1, "heads": (1, 2), "folds": (1, 2), "layers": (1, 2),
                  "rates": (0.003,), "width": 16, "variant": "kfold,smoke",
                  "config": {"training.steps": 2, "training.eval_every": 1}},
        "cpu": {"seeds": 10, "tuning_seeds": 4, "heads": (1, 2, 4, 8), "folds": (1, 2, 4), "layers": (1, 2),
                "rates": (0.003, 0.01, 0.03), "width": 64, "variant": "kfold",
                "config": {"training.steps": 800}},
        "accelerator": {"seeds": 10, "tuning_seeds": 4, "heads": (1, 2, 4, 8, 16, 32), "folds": (1, 2, 4, 8),
                        "layers": (1, 2, 4), "rates": (0.0003, 0.001, 0.003, 0.01), "width": 256,
                        "variant": "kfold", "config": {
                            "data.pairs": 16, "data.vocabulary_size": 26000, "model.hidden": 512,
                            "training.steps": 20000, "training.batch_tokens": 8192}},
    },
    cells=cells, measure=measure, draw=draw, config="configs/recall.py:{variant}", overrides=overrides)
