"""What happens to long sentences, and to the first word by the sixtieth? (Bahdanau et al. 2015, figure 2)

The built-in grammar, translated by recurrent networks without attention, with the source reversed and with
attention, and by a Transformer, at one learning rate. Networks without attention are trained four times as
long: otherwise they translate short sentences worse, too. Each length is scored on sentences of exactly that
many English words, none of them in train; some lengths exceed those of training.
"""

import functools

import numpy as np

from attention_lab.config import split
from attention_lab.evaluation.bleu_counts import COLUMNS, bleu_counts, bleu_of
from attention_lab.evaluation.lengths import EDGES, by_length, right_words
from attention_lab.figures import style
from attention_lab.statistics import two_level
from attention_lab.studies import Claim, Study, function
from attention_lab.studies.recipes import architectures
from attention_lab.studies.recipes.architectures import of_arm
from attention_lab.studies.recipes.drawing import draw_ranges, ranges_of, titled_figure
from attention_lab.studies.recipes.lengths import unseen
from attention_lab.studies.values import of_seeds
from attention_lab.tasks.load import load

LONG = "the longest sentences trained on (60 words)"


def of(what, arm, column="bleu"):
    """A contrast (key of CONTRASTS) of an arm's curve of a column over length."""
    return function("contrast", what=what, arm=arm, column=column)


GRU, ADDITIVE, DOT, T = "gru", "gru, additive", "gru, dot", "transformer"
HELPED = of("mean", "gru, reversed") - of("mean", GRU)
SPARED = of("mean", "gru, dot, reversed") - of("mean", DOT)

CLAIMS = (
    Claim("tied_at_short", "at 5 words a GRU with additive attention and one without are equal, to two BLEU",
          of("shortest", ADDITIVE) - of("shortest", GRU), "equal", margin=2.0, published="tied"),
    Claim("interaction", "over the lengths trained on, a GRU with additive attention loses less BLEU (slope, "
          "a ten words)", of("slope", ADDITIVE) - of("slope", GRU), "greater", published="loses less"),
    Claim("interaction_from_10", "so it does from 10 words on, which leaves out the shortest",
          of("slope from the second", ADDITIVE) - of("slope from the second", GRU), "greater", primary=False),
    Claim("fixed_falls", "without attention a GRU loses more than 30 % of its best BLEU at " + LONG,
          of("loss", GRU), "greater", 0.3, published="collapses"),
    Claim("attention_holds", "over the lengths trained on, a GRU with additive attention loses nothing "
          "(slope, BLEU a ten words)", of("slope", ADDITIVE), "equal", margin=1.0,
          published="no deterioration"),
    Claim("reversal_helps", "without attention a GRU translates better if it reads the source backwards",
          HELPED, "greater", published=4.7, primary=False),
    Claim("reversal_spared", "with dot attention reading backwards changes nothing, to two BLEU", SPARED,
          "equal", margin=2.0, primary=False),
    Claim("reversal_interaction", "reading backwards helps more without attention than with dot attention",
          HELPED - SPARED, "greater", primary=False),
    Claim("first_words_lost", f"at {LONG} more of the first three words are right with additive attention",
          of("longest trained", ADDITIVE, "first") - of("longest trained", GRU, "first"), "greater",
          published="the vector forgets"),
    Claim("first_words_kept", f"at {LONG} additive attention has over nine in ten of the first three right",
          of("longest trained", ADDITIVE, "first"), "greater", 0.9, published="attention does not"),
    Claim("first_words_before_last", f"at {LONG} a GRU without attention has fewer of the first three words "
          "right than of the last three",
          of("longest trained", GRU, "first") - of("longest trained", GRU, "last"), "less",
          published="the vector forgets", primary=False),
    Claim("reversal_first_words", f"at {LONG} reading backwards saves first words",
          of("longest trained", "gru, reversed", "first") - of("longest trained", GRU, "first"), "greater",
          primary=False),
    Claim("attention_beyond", "beyond the lengths trained on (at 120 words) a GRU with additive attention "
          "loses BLEU", of("longest", ADDITIVE) - of("longest trained", ADDITIVE), "less", primary=False),
    Claim("transformer", "over the lengths trained on, a Transformer translates better than a GRU with "
          "additive attention", of("mean", T) - of("mean", ADDITIVE), "greater", primary=False),
    Claim("transformer_beyond", "beyond them (at 120 words) it translates worse",
          of("longest", T) - of("longest", ADDITIVE), "less", primary=False),
    Claim("dot", "over the lengths trained on, dot attention with input feeding is as good as additive, to "
          "two BLEU", of("mean", DOT) - of("mean", ADDITIVE), "equal", margin=2.0, primary=False),
)


def measure(cell, settings, train):
    """Scores of a run on sentences of each length."""
    run = train(cell)
    finished = load(run.folder)
    config, lengths = finished.run.config, settings["lengths"]
    pairs = [pair for length in lengths for pair in unseen(config.data, length, settings["sentences"])]
    sources, references = [pair.source for pair in pairs], [pair.target for pair in pairs]
    texts = finished.translator.translate(finished.params, sources, 1, split(config)[1]).texts
    bins = by_length(sources, references, texts,
                     [(length + 1, length + 1) for length in lengths])  # and a full stop
    counts = [bleu_counts(texts, references),
              *([right_words(*pair, end) for pair in zip(texts, references)] for end in EDGES)]
    return architectures.facts(run.result, finished.params) | {
        "trained_words": config.data.max_words, "dev_bleu": run.result["dev_bleu"],
        "lengths": np.array([scored.low - 1 for scored in bins]),
        **{name: np.array([getattr(scored, name) for scored in bins], np.float64)
           for name in ("bleu", "first", "last")},
        "sentences": np.concatenate(counts, axis=1).astype(np.uint16).reshape(
            len(lengths), settings["sentences"], -1)}


def scores(rows, arm, column):
    """A column of an arm by length, (seeds, L)."""
    return np.stack([row[column] for row in of_arm(rows, arm)])


def _slope(lengths, trained, values, shortest=0):
    """Least-squares slope over the lengths trained on, per ten words."""
    kept = (lengths <= trained) & (np.arange(len(lengths)) >= shortest)
    away = lengths[kept] - lengths[kept].mean()
    return 10.0 * values[:, kept] @ away / max(away @ away, 1.0)


def _longest_trained(lengths, trained, values):
    return values[:, np.flatnonzero(lengths <= trained)[-1]]


# (lengths (L,), the longest trained on, values (seeds, L)) -> (seeds,)
CONTRASTS = {
    "shortest": lambda lengths, trained, values: values[:, 0],
    "longest": lambda lengths, trained, values: values[:, -1],
    "longest trained": _longest_trained,
    "mean": lambda lengths, trained, values: values[:, lengths <= trained].mean(1),
    "loss": lambda lengths, trained, values: 1.0 - _longest_trained(lengths, trained, values) / np.maximum(
        values[:, lengths <= trained].max(1), 1e-9),
    "slope": _slope,
    "slope from the second": functools.partial(_slope, shortest=1),
}


def _trained_words(rows):
    return max(row["trained_words"] for row in rows)


def contrast(rows, what, arm, column):
    """A contrast of an arm's curve, by seed."""
    seeds = [row["seed"] for row in of_arm(rows, arm)]
    return dict(zip(seeds, CONTRASTS[what](rows[0]["lengths"], _trained_words(rows),
                                           scores(rows, arm, column))))


def resampled(rows):
    """Intervals over resampled seeds and sentences, the same sentences for all arms and seeds."""
    lengths, trained = rows[0]["lengths"], _trained_words(rows)
    arms = [*dict.fromkeys(row["arm"] for row in rows)]
    # (seeds, sentences, arms, L, counts)
    parts = np.moveaxis([[row["sentences"] for row in of_arm(rows, arm)] for arm in arms], (1, 3), (0, 1))

    def statistic(sums):
        right = sums[..., COLUMNS::2] / np.maximum(sums[..., COLUMNS + 1::2], 1)
        columns = {"bleu": bleu_of(sums[..., :COLUMNS]), "first": right[..., 0], "last": right[..., 1]}

        def leaf(function):
            at = dict(function.arguments)
            return dict(enumerate(CONTRASTS[at["what"]](
                lengths, trained, columns[at["column"]][:, arms.index(at["arm"])])))

        return np.stack([of_seeds(claim.value, leaf) for claim in CLAIMS], axis=1)

    return dict(zip([claim.name for claim in CLAIMS], two_level(parts, statistic)))


def _without_attention(arm):
    return arm.removesuffix(", reversed") in ("rnn", "lstm", "gru")


def draw(rows, settings):
    """BLEU, and correct first and last words, over the length: above without attention, below with it."""
    trained, lengths = _trained_words(rows), rows[0]["lengths"]
    columns = {"bleu": "BLEU", "first": "share of the first three words right",
               "last": "share of the last three words right"}
    title = f"translation of the grammar by length; {ranges_of(rows)}; shaded: longer than in training"
    with titled_figure(11.4, 7.0, title) as figure:
        axes = figure.subplots(2, 3, sharex=True, sharey="col")
        for line, fixed in zip(axes, (True, False)):
            arms = [arm for arm in settings["arms"] if _without_attention(arm) == fixed]
            for ax, (column, name) in zip(line, columns.items()):
                for index, (arm, colour) in enumerate(zip(arms, style.COLOURS)):  # side by side
                    places = lengths + 0.8 * (index - (len(arms) - 1) / 2)
                    draw_ranges(ax, places, scores(rows, arm, column).T, colour, markersize=3.5,
                                bar_width=0.8, linewidth=1.2, label=arm)
                ax.axvspan(trained, lengths[-1], color=style.FAINT, alpha=0.3, linewidth=0, zorder=0)
                ax.set(ylabel=name, ylim=(0, None), xlim=(0, lengths[-1] + 3))
            line[2].legend(loc="lower left", title="without attention" if fixed else "with attention")
        for ax in axes[1]:
            ax.set_xlabel("words of the source")
    return figure


_CONFIG = {
    "data.train_size": 20000, "data.dev_size": 50, "data.test_size": 8, "data.lexicon_size": 150,
    "data.min_words": 3, "data.max_words": 60, "data.max_length": 72, "data.buckets": (24, 48, 72),
    "data.split": "dev", "model.width": 64, "optimizer.warmup_steps": 100, "optimizer.schedule": "cosine",
    "training.batch_tokens": 2048, "training.precision": "bfloat16", "training.eval_every": 5000,
    "training.checkpoint_every": 1000, "training.dropout": 0.0, "training.label_smoothing": 0.0,
    "decoding.beam": 1, "decoding.max_length": 96,
}
_SIZES = {"rnn": 224, "lstm": 112, "gru": 128, "gru, reversed": 128, "gru, additive": 128, "gru, dot": 144,
          "gru, dot, reversed": 144, "transformer": 224}


def _arms(fixed, attending):
    """The arms' sizes, with `fixed` steps without attention and `attending` steps with it."""
    return {arm: {"model.hidden": size, "optimizer.learning_rate": 0.003,
                  "training.steps": fixed if _without_attention(arm) else attending}
            for arm, size in _SIZES.items()}


LENGTHS = (5, 10, 20, 30, 40, 50, 60, 90, 120)

STUDY = Study(
    question="Which networks lose long sentences, and is it the beginning that they lose?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "sentences": 4, "lengths": (4, 6, 8, 12),
                  "config": architectures.smoke(test=2) | {"data.split": "dev"},
                  "arms": {arm: {} for arm in architectures.ARMS if arm not in ("rnn", "lstm")}},
        "cpu": {"seeds": 8, "variant": "", "sentences": 100, "lengths": LENGTHS, "config": _CONFIG,
                "arms": _arms(3000, 750)},
        "accelerator": {"seeds": 8, "variant": "", "sentences": 500, "lengths": LENGTHS,
                        "arms": _arms(40000, 10000),
                        "config": _CONFIG | {"data.train_size": 100000, "data.lexicon_size": 1000}},
    },
    measure=measure, draw=draw, functions={"contrast": contrast}, resampled=resampled,
    **architectures.SHARED)
