"""Does a larger state hold longer sentences, and does attention need none? (Cho et al. 2014; Bahdanau 2015)

The built-in grammar, translated by GRUs of three sizes without attention and with additive attention, and by
a Transformer with rotary positions; without attention three times as long, as attention learns sooner. Each
arm takes the rate with the lowest loss on dev in short runs of four tuning seeds at its middle size; ten
other seeds translate new sentences of each length.
The dose is the size of the state, the response L50, the length at which BLEU falls below 50. Beside BLEU
stands the share of tokens that are right after the reference's own tokens, by tenths of a sentence, and the
floor of both: the same model given the source of another sentence of this length.
"""

import numpy as np

from attention_lab.analysis.teacher_forcing import by_share, right_tokens
from attention_lab.evaluation.lengths import by_length
from attention_lab.figures import style
from attention_lab.studies import Claim, Study, mean, nearest, slope
from attention_lab.studies.recipes import rates, runs
from attention_lab.studies.recipes.drawing import (
    draw_band,
    draw_ranges,
    draw_unreached,
    ranges_of,
    titled_figure,
)
from attention_lab.studies.recipes.lengths import length_at, unseen
from attention_lab.tasks.load import load

FILE = "configs/translation.py"
# Variants of that file, whose default is a Transformer, and an arm's changes in them.
ARMS = {"gru": ("gru", {}), "gru, additive": ("gru_bahdanau", {}),
        "transformer": ("", {"model.positions": "rotary"})}
GRU, ADDITIVE, TRANSFORMER = ARMS
TENTHS = 10
LEVEL = 50.0  # BLEU
PLATEAU = 2.0  # an arm whose mean dev BLEU rises by more over its last fifth has not had enough steps
SCORES = ("bleu", "floor", "first", "first_floor", "forced_first", "forced_last", "forced_floor_first",
          "forced_floor_last")
COLUMNS = ("status", "rate_used", "dev_loss", "dev_bleu", "late_rise", "l50",
           *(f"{name}_{column}" for name in ("near", "far") for column in SCORES),
           "lengths", "bleu", "floor", "first", "first_floor", "forced", "forced_floor")

SMALL, MIDDLE, LARGE = (nearest(units) for units in (64, 128, 256))


def of(column, arm, units):
    """A column of the final runs of an arm with so many units."""
    return mean(column, arm=arm, units=units, stage="final")


def growth(arm):
    """The slope of log L50 on log units."""
    return slope("l50", over="units", arm=arm, stage="final")


def lead(end, arm, units):
    """Tokens right at the longest length in the first or last tenth, less those with another's source."""
    return of(f"far_forced_{end}", arm, units) - of(f"far_forced_floor_{end}", arm, units)


CLAIMS = (
    Claim("fixed_grows", "without attention the length at which BLEU is 50 grows with the state (slope of "
          "log length on log units; 60 words if BLEU is above 50 at all lengths)", growth(GRU), "greater",
          published="a small vector forgets"),
    Claim("attention_flat", "with additive attention it does not depend on the state (the same slope, to "
          "0.1)", growth(ADDITIVE), "equal", margin=0.1, published="attention does not"),
    Claim("steeper", "it grows more without attention than with it", growth(GRU) - growth(ADDITIVE),
          "greater"),
    Claim("small_attention_holds", "at 60 words the smallest state with attention translates better than the "
          "largest without (BLEU)", of("far_bleu", ADDITIVE, SMALL) - of("far_bleu", GRU, LARGE), "greater"),
    Claim("transformer_holds", "a Transformer with rotary positions translates 60 words as well as 10, to "
          "five BLEU", of("far_bleu", TRANSFORMER, nearest(224)) - of("near_bleu", TRANSFORMER, nearest(224)),
          "equal", margin=5.0),
    Claim("first_words_kept", "at 60 words more than nine in ten of the first three words are right without "
          "attention, with the largest state", of("far_first", GRU, LARGE), "greater", 0.9,
          published="the vector forgets"),
    Claim("first_words_grow", "at 60 words more of the first three words are right with the largest state "
          "than with the smallest, without attention",
          of("far_first", GRU, LARGE) - of("far_first", GRU, SMALL), "greater"),
    Claim("first_words_attention", "at 60 words more than 95 in 100 of the first three words are right with "
          "attention, with the smallest state", of("far_first", ADDITIVE, SMALL), "greater", 0.95,
          published="attention does not"),
    Claim("late_words_lost", "at 60 words, without attention (128 units), the source helps less with the "
          "last tenth of the tokens than with the first (share right after the reference's own tokens, less "
          "that with another sentence's source)",
          lead("last", GRU, MIDDLE) - lead("first", GRU, MIDDLE), "less"),
    Claim("late_words_attention", "it helps less so than with attention", lead("last", GRU, MIDDLE)
          - lead("first", GRU, MIDDLE) - (lead("last", ADDITIVE, MIDDLE) - lead("first", ADDITIVE, MIDDLE)),
          "less"),
    Claim("source_used", "at 60 words the smallest state without attention is above its floor, another "
          "sentence's source (BLEU)", of("far_bleu", GRU, SMALL) - of("far_floor", GRU, SMALL), "greater",
          primary=False),
)


def cells(settings):
    """Short tuning cells of each arm's middle size; then the final ones of all sizes."""
    sizes = settings["units"]
    return rates.cells([{"arm": arm, "units": units} for arm in sizes for units in sizes[arm]], settings,
                       [{"arm": arm, "units": units[len(units) // 2]} for arm, units in sizes.items()])


def overrides(cell, settings, rows):
    """The changes of a run in its config; the rate of a final one is None until rates are tuned."""
    (variant, of_arm), rate = ARMS[cell["arm"]], cell["rate"]
    if rate is None and rows is not None:
        losses = rates.by_rate(rows, "dev_loss", np.inf, arm=cell["arm"])
        rate = min(losses, key=losses.get)  # the lowest of equals
    steps = settings["tuning_steps" if cell["stage"] == "tune" else "steps"][cell["arm"]]
    return runs.recurrent_variant(FILE, variant) | of_arm | settings["config"] | {
        "model.hidden": cell["units"], "optimizer.learning_rate": rate, "seed": cell["seed"],
        "training.steps": steps, "training.eval_every": max(1, steps // 5),
        "training.checkpoint_every": steps}


def measure(cell, settings, train):
    """Scores of a run on dev, and of final runs on new sentences of each length."""
    run = train(cell)
    curve = runs.curve(run.evaluations, "dev_bleu", "dev_loss")
    finished = run.result["status"] == "finished" and len(curve) > 0
    row = dict.fromkeys(COLUMNS) | {
        "status": run.result["status"], "rate_used": run.changes["optimizer.learning_rate"],
        "dev_loss": float(curve[-1, 2]) if finished else None,
        "dev_bleu": float(curve[:, 1].max()) if finished else None,
        "late_rise": rates.late_rise(curve[:, 1]) if finished else None}
    if cell["stage"] == "final":
        lengths = settings["lengths"]
        row |= by_lengths(load(run.folder), lengths, settings["sentences"]) if finished else nothing(lengths)
    return row


def nothing(lengths):
    """The scores of a run that diverged: nothing is right at any length."""
    row = {f"{name}_{column}": 0.0 for name in ("near", "far") for column in SCORES}
    row |= {name: np.zeros(len(lengths)) for name in ("bleu", "floor", "first", "first_floor")}
    row |= {name: np.zeros((len(lengths), TENTHS)) for name in ("forced", "forced_floor")}
    return row | {"lengths": np.array(lengths), "l50": length_at(np.array(lengths), row["bleu"], LEVEL)}


def by_lengths(trained, lengths, count):
    """Scores of a finished run on `count` new sentences of each length, and those with another's source."""
    scores = {name: [] for name in ("bleu", "floor", "first", "first_floor", "forced", "forced_floor")}
    for length in lengths:
        pairs = unseen(trained.config.data, length, count)
        sources, references = [pair.source for pair in pairs], [pair.target for pair in pairs]
        texts = trained.translator.translate(trained.params, sources, 1).texts
        for floor, shift in (("", 0), ("_floor", 1)):  # each reference with the source of its neighbour
            scored, = by_length(sources, references, texts[shift:] + texts[:shift],
                                [(length + 1, length + 1)])  # and a full stop
            right = right_tokens(trained.translator, trained.params, sources[shift:] + sources[:shift],
                                 references)
            scores["floor" if floor else "bleu"].append(scored.bleu)
            scores[f"first{floor}"].append(scored.first)
            scores[f"forced{floor}"].append(by_share(right, TENTHS))
    row = {name: np.array(values, np.float64) for name, values in scores.items()}
    for name, place in (("near", int(np.argmin(np.abs(np.array(lengths) - 10)))), ("far", -1)):
        row |= {f"{name}_{column}": float(row[column][place]) for column in
                ("bleu", "floor", "first", "first_floor")}
        for floor in ("", "_floor"):
            row |= {f"{name}_forced{floor}_{end}": float(row[f"forced{floor}"][place, tenth])
                    for end, tenth in (("first", 0), ("last", -1))}
    return row | {"lengths": np.array(lengths), "l50": length_at(np.array(lengths), row["bleu"], LEVEL)}


def draw(rows, settings):
    """BLEU by length; L50 by state; first words by length; tokens right by place at the longest length."""
    final = [row for row in rows if row["stage"] == "final" and row["bleu"] is not None]
    rising = rates.still_rising(rows, PLATEAU, "arm", "units")
    title = (f"the grammar's sentences by length; {ranges_of(final)}; dotted: with another sentence's "
             f"source; still rising: {', '.join(rising) or 'none'}")
    with titled_figure(13.2, 7.4, title) as figure:
        axes = figure.subplots(2, 3)
        sizes = [(arm, units) for arm in settings["units"] for units in settings["units"][arm]]
        for (arm, units), colour in zip(sizes, style.COLOURS):
            group = [row for row in final if (row["arm"], row["units"]) == (arm, units)]
            if not group:
                continue
            lengths, label = group[0]["lengths"], f"{arm}, {units} units"
            column = 0 if arm == GRU else 1
            for line, name in enumerate(("bleu", "first")):
                draw_ranges(axes[line, column], lengths, np.stack([row[name] for row in group]).T, colour,
                            markersize=3.5, label=label)
                floor = "floor" if name == "bleu" else "first_floor"
                axes[line, column].plot(lengths, np.mean([row[floor] for row in group], axis=0), ":",
                                        color=colour)
            places = (np.arange(TENTHS) + 0.5) / TENTHS
            draw_band(axes[1, 2], places, np.stack([row["forced"][-1] for row in group]), colour, label=label)
            axes[1, 2].plot(places, np.mean([row["forced_floor"][-1] for row in group], axis=0), ":",
                            color=colour)
            reached = [row["l50"] for row in group if row["l50"] < lengths[-1]]
            axes[0, 2].plot(np.full(len(reached), units), reached, "o", color=colour, markersize=4, alpha=0.7)
            draw_unreached(axes[0, 2], units, lengths[-1], len(group) - len(reached), colour)
        for column, name in enumerate(("without attention", "with attention")):
            axes[0, column].set(title=name, ylabel="BLEU", ylim=(-3, 103))
            axes[1, column].set(ylabel="share of the first three words right", ylim=(-0.03, 1.03),
                                xlabel="words of the source")
            axes[1, column].legend()
        axes[0, 2].set(xscale="log", yscale="log", xlabel="units of the state",
                       ylabel="words at which BLEU is 50 (arrows: more)")
        axes[1, 2].set(xlabel="place in the reference, share of its length", ylim=(-0.03, 1.03),
                       ylabel=f"tokens right, reference read, {settings['lengths'][-1]} words")
    return figure


_CONFIG = {
    "data.train_size": 20000, "data.dev_size": 32, "data.test_size": 8, "data.lexicon_size": 150,
    "data.min_words": 3, "data.max_words": 60, "data.max_length": 72, "data.buckets": (24, 48, 72),
    "data.split": "dev", "model.width": 64, "optimizer.warmup_steps": 100, "optimizer.schedule": "cosine",
    "training.batch_tokens": 1024, "training.precision": "bfloat16", "training.dropout": 0.0,
    "training.label_smoothing": 0.0, "decoding.beam": 1, "decoding.max_length": 96,
}


def _steps(fixed, attending):
    """Steps of each arm: `fixed` without attention, `attending` with it."""
    return {GRU: fixed, ADDITIVE: attending, TRANSFORMER: attending}


UNITS = {GRU: (64, 128, 256), ADDITIVE: (64, 128, 256), TRANSFORMER: (224,)}
LENGTHS = (5, 7, 10, 14, 20, 32, 60)

STUDY = Study(
    question="Does a larger state hold longer sentences, and does attention need none?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "tuning_seeds": 2, "rates": (0.001, 0.003), "variant": "smoke",
                  "tuning_steps": _steps(1, 1), "steps": _steps(2, 2), "sentences": 4, "lengths": (4, 6, 10),
                  "units": {GRU: (8, 16), ADDITIVE: (8, 16), TRANSFORMER: (16,)},
                  "config": {"data.train_size": 40, "data.dev_size": 2, "data.test_size": 2,
                             "decoding.beam": 1, "data.split": "dev"}},
        "cpu": {"seeds": 10, "tuning_seeds": 4, "rates": (0.001, 0.003, 0.01, 0.03), "variant": "",
                "tuning_steps": _steps(1000, 500), "steps": _steps(3000, 1000), "sentences": 64,
                "lengths": LENGTHS, "units": UNITS, "config": _CONFIG},
        "accelerator": {"seeds": 10, "tuning_seeds": 4, "rates": (0.0003, 0.001, 0.003, 0.01, 0.03),
                        "variant": "", "tuning_steps": _steps(3000, 3000), "steps": _steps(12000, 12000),
                        "sentences": 500, "lengths": LENGTHS, "units": UNITS,
                        "config": _CONFIG | {"training.batch_tokens": 2048}},
    },
    cells=cells, measure=measure, draw=draw, config=FILE + ":{variant}", overrides=overrides)
