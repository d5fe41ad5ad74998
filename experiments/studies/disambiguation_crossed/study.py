"""Does a classifier of senses depend on its body, on how its states are read, or on both?

The grammar's ambiguous nouns, as in `disambiguation`, where self-attention was read at the noun and an LSTM
by additive attention. Here both bodies, two layers of self-attention and a GRU that reads both ways, are
crossed with both readings: the state at the noun, and additive attention over all states. Each arm takes the
rate with the best accuracy on dev over tuning seeds; ten other seeds, paired across arms, are scored on test.
"""

from attention_lab.figures import style
from attention_lab.studies import Claim, Study, function, mean
from attention_lab.studies.recipes import rates, runs, senses
from attention_lab.studies.recipes.drawing import (
    bin_axis,
    draw_band,
    draw_curves,
    draw_estimate,
    seed_count,
    titled_figure,
)

FILE = "configs/disambiguation.py"
ATTENTION, GRU = "self-attention", "gru"
BODIES = {ATTENTION: "", GRU: "gru"}  # variants of that file
EARLY = 500  # steps, where `disambiguation` ends
NOUN, POOLED = "at the noun", "additive attention"
READINGS = {NOUN: "place", POOLED: "additive"}  # model.pooling
COLOURS = {(body, reading): style.COLOURS[2 * i + j] for i, body in enumerate(BODIES)
           for j, reading in enumerate(READINGS)}
PLATEAU = 0.01  # accuracy on dev: an arm that gains more over its last fifth has not had enough steps


def at(bins, body, reading):
    """Accuracy of an arm over some bins of distance; see `senses.accuracy`."""
    return function("accuracy", bins=bins, stage="final", body=body, reading=reading)


def lead(reading, bins="far"):
    """Accuracy of self-attention minus that of the GRU, read alike."""
    return at(bins, ATTENTION, reading) - at(bins, GRU, reading)


def decay(body, reading):
    """Accuracy at the nearest distances minus that at the farthest."""
    return at("near", body, reading) - at("far", body, reading)


CLAIMS = (
    Claim("body_at_the_noun", "read at the noun, self-attention is better than a GRU at the farthest "
          "distances (accuracy)", lead(NOUN), "greater", margin=0.02),
    Claim("body_pooled", "read by additive attention, both are equal at the farthest distances, to two "
          "points", lead(POOLED), "equal", margin=0.02),
    Claim("reading_decides", "self-attention leads by more read at the noun than by additive attention "
          "(accuracy, farthest)", lead(NOUN) - lead(POOLED), "greater", margin=0.02),
    Claim("gru_decays", "read at the noun, a GRU is worse at the farthest distances than at the nearest",
          decay(GRU, NOUN), "greater", margin=0.02),
    Claim("pooled_gru_does_not", "read by additive attention, a GRU is as good at the farthest distances as "
          "at the nearest, to two points", decay(GRU, POOLED), "equal", margin=0.02),
    Claim("attention_does_not", "read at the noun, self-attention is as good at the farthest distances as "
          "at the nearest, to two points", decay(ATTENTION, NOUN), "equal", margin=0.02,
          published="no decay"),
    Claim("early_lead", f"read at the noun, self-attention is ahead of a GRU after {EARLY} steps (dev "
          "accuracy)", mean("early", 0.0, stage="final", body=ATTENTION, reading=NOUN) - mean(
              "early", 0.0, stage="final", body=GRU, reading=NOUN), "greater", margin=0.02),
    Claim("distracted", "beside a distractor, read at the noun, self-attention is better than a GRU "
          "(accuracy)", lead(NOUN, "distracted"), "greater", margin=0.02, primary=False),
    Claim("distracted_pooled", "beside a distractor, read by additive attention, both are equal, to two "
          "points", lead(POOLED, "distracted"), "equal", margin=0.02, primary=False),
)


def best_rates(rows, body, reading):
    """{rate: mean dev accuracy over the tuning seeds of an arm}; a run that diverged has 0."""
    return rates.by_rate(rows, "dev_accuracy", 0.0, body=body, reading=reading)


def cells(settings):
    """Tuning cells, one arm after another; then the final ones."""
    return rates.cells(runs.crossed(body=BODIES, reading=READINGS), settings)


def overrides(cell, settings, rows):
    """The changes of a run in its config; the rate of a final one is None until rates are tuned."""
    rate = cell["rate"]
    if rate is None and rows is not None:
        scores = best_rates(rows, cell["body"], cell["reading"])
        rate = rates.best(scores)
    units = {"model.hidden": settings["units"]} if cell["body"] == GRU else {}
    return runs.variant(FILE, BODIES[cell["body"]]) | settings["config"] | units | {
        "model.pooling": READINGS[cell["reading"]], "optimizer.learning_rate": rate, "seed": cell["seed"],
        "data.split": "test" if cell["stage"] == "final" else "dev"}


def measure(cell, settings, train):
    """Scores of a run by distance, and its learning curve; a tuning run is not scored on test."""
    run, table = train(cell), None
    if cell["stage"] == "final":
        test = senses.read_test(runs.cell_of(FILE, run.changes).config.data)
        table = senses.by_distance(senses.predictions(run.folder, test), test)
    curve = runs.curve(run.evaluations, "dev_accuracy")
    return {"rate_used": run.changes["optimizer.learning_rate"], "status": run.result["status"],
            "parameters": run.result["parameters"], "dev_accuracy": run.result.get("dev_accuracy"),
            "test_accuracy": run.result.get("test_accuracy"), "early": _early(curve),
            "late_rise": rates.late_rise(curve[:, 1]) if len(curve) else None, "curve": curve,
            "by_distance": table}


def _early(curve):
    """Dev accuracy at the last evaluation up to EARLY steps; None before any."""
    scores = curve[curve[:, 0] <= EARLY, 1]
    return float(scores[-1]) if len(scores) else None


def draw(rows, settings):
    """Accuracy by distance; seeds at the farthest distances; dev accuracy over the rate and over steps."""
    final = [row for row in rows if row["stage"] == "final"]
    rising = rates.still_rising(rows, PLATEAU, "body", "reading")
    title = (f"the sense of the grammar's ambiguous nouns; {seed_count(final)} seeds, each arm at its best "
             f"rate; bands and curves: range\nmore than {PLATEAU:g} of accuracy gained in the last fifth: "
             + (", ".join(rising) or "none"))
    with titled_figure(10.6, 6.8, title) as figure:
        (clear, distracted, legend), (seeds, tuning, training) = figure.subplots(2, 3)
        _draw_distances(clear, final, False)
        _draw_distances(distracted, final, True)
        for x, ((body, reading), colour) in enumerate(COLOURS.items()):
            far = list(senses.accuracy(final, "far", body=body, reading=reading).values())
            draw_estimate(seeds, x, far, colour)
            tuned = best_rates(rows, body, reading)
            tuning.plot(list(tuned), list(tuned.values()), "o-", color=colour, markersize=4)
            draw_curves([training], [row["curve"] for row in final if (row["body"], row["reading"])
                                     == (body, reading)], None, colour)
        seeds.set_xticks(range(len(COLOURS)), [])
        seeds.set(ylabel="test accuracy, farthest", xlabel="arms, in the order of the legend")
        tuning.set(xscale="log", xlabel="learning rate, tuning seeds", ylabel="dev accuracy")
        training.set(ylabel="dev accuracy")
        legend.axis("off")
        legend.legend(*clear.get_legend_handles_labels(), loc="center")
    return figure


def _draw_distances(ax, rows, distractors):
    for (body, reading), colour in COLOURS.items():
        tables = [row["by_distance"] for row in rows if (row["body"], row["reading"]) == (body, reading)]
        bins = senses.beside(tables, distractors)
        draw_band(ax, range(bins.shape[1]), bins[:, :, senses.ACCURACY], colour, "o-", markersize=4,
                  label=f"{body}, {reading}")
    bin_axis(ax, bins[0], senses.LEAST, senses.GREATEST, senses.SENTENCES)
    ax.set(xlabel="places to the deciding word (sentences)", ylabel="test accuracy",
           title="beside a distractor" if distractors else "without distractors")


# units: of the GRU, both directions together, so that it has as many weights as two layers of self-attention.
STUDY = Study(
    question="Does telling senses apart depend on the body of a classifier, on how it is read, or on both?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "tuning_seeds": 1, "rates": (0.003,), "variant": "smoke", "units": 32,
                  "config": {"data.train_size": 40, "data.dev_size": 8, "data.test_size": 80,
                             "data.lexicon_size": 300, "training.steps": 2, "training.eval_every": 2,
                             "training.checkpoint_every": 2}},
        "cpu": {"seeds": 10, "tuning_seeds": 2, "rates": (0.001, 0.003, 0.01), "variant": "", "units": 156,
                "config": {"data.lexicon_size": 500, "data.train_size": 40000, "data.buckets": (28, 42, 56),
                           "model.width": 64, "model.hidden": 128, "optimizer.warmup_steps": 100,
                           "training.steps": 1500, "training.batch_tokens": 2048, "training.eval_every": 125,
                           "training.checkpoint_every": 1500}},
        "accelerator": {"seeds": 10, "tuning_seeds": 4, "rates": (0.0003, 0.001, 0.003, 0.01), "variant": "",
                        "units": 310,
                        "config": {"data.train_size": 200000, "data.test_size": 5000,
                                   "training.steps": 10000, "training.batch_tokens": 8192,
                                   "training.eval_every": 500, "training.checkpoint_every": 10000}},
    },
    cells=cells, measure=measure, draw=draw, labels=("body", "reading"),
    functions={"accuracy": senses.accuracy},
    config=FILE + ":{variant}", overrides=overrides)
