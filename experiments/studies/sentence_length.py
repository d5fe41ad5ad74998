"""What happens to long sentences, and to the first word by the sixtieth? (Bahdanau et al. 2015, figure 2)

The built-in grammar with a small lexicon, by recurrent networks without attention, with the source reversed
and with attention, and by a Transformer. Weights other than embeddings agree to 5 %; all arms have one rate,
which is not tuned. Without attention they are trained four times as long: after as many steps as the
others they translate short sentences worse, too, and a fall would not be one of length. Every length is
scored by sentences of exactly so many English words, none of which was trained on; some lengths lie beyond
those of training. Greedy decoding.
"""

import functools

import numpy as np

from attention_lab.statistics import Claim, two_level
from experiments.studies import architectures, training
from experiments.studies.record import Study

LONG = "the longest sentences trained on (60 words)"

CLAIMS = (
    Claim("tied_at_short", "at 5 words a GRU with additive attention and one without are equal, to two BLEU",
          "bleu", ("gru, additive", "gru"), "equal", margin=2.0, published="tied"),
    Claim("interaction", "over the lengths trained on, a GRU with additive attention loses less BLEU (slope, "
          "a ten words)", "bleu", ("gru, additive", "gru"), "greater", published="loses less"),
    Claim("interaction_from_10", "so it does from 10 words on, which leaves out the shortest", "bleu",
          ("gru, additive", "gru"), "greater", primary=False),
    Claim("fixed_falls", "without attention a GRU loses more than 30 % of its best BLEU at " + LONG, "bleu",
          ("loss", "0.3"), "greater", published="collapses"),
    Claim("attention_holds", "over the lengths trained on, a GRU with additive attention loses nothing "
          "(slope, BLEU a ten words)", "bleu", ("gru, additive", "0"), "equal", margin=1.0,
          published="no deterioration"),
    Claim("reversal_helps", "without attention a GRU translates better if it reads the source backwards",
          "bleu", ("gru, reversed", "gru"), "greater", published="+4.7 BLEU", primary=False),
    Claim("reversal_spared", "with dot attention reading backwards changes nothing, to two BLEU", "bleu",
          ("gru, dot, reversed", "gru, dot"), "equal", margin=2.0, primary=False),
    Claim("reversal_interaction", "reading backwards helps more without attention than with dot attention",
          "bleu", ("reversed - not, without", "reversed - not, with"), "greater", primary=False),
    Claim("first_words_lost", f"at {LONG} more of the first three words are right with additive attention",
          "first", ("gru, additive", "gru"), "greater", published="the vector forgets"),
    Claim("first_words_kept", f"at {LONG} additive attention has over nine in ten of the first three right",
          "first", ("gru, additive", "0.9"), "greater", published="attention does not"),
    Claim("first_words_before_last", f"at {LONG} a GRU without attention has fewer of the first three words "
          "right than of the last three", "first - last", ("gru", "0"), "less",
          published="the vector forgets", primary=False),
    Claim("reversal_first_words", f"at {LONG} reading backwards saves first words", "first",
          ("gru, reversed", "gru"), "greater", primary=False),
    Claim("attention_beyond", "beyond the lengths trained on (at 120 words) a GRU with additive attention "
          "loses BLEU", "bleu", ("at the longest", "at the longest trained"), "less", primary=False),
    Claim("transformer", "over the lengths trained on, a Transformer translates better than a GRU with "
          "additive attention", "bleu", ("transformer", "gru, additive"), "greater", primary=False),
    Claim("transformer_beyond", "beyond them (at 120 words) it translates worse", "bleu",
          ("transformer", "gru, additive"), "less", primary=False),
    Claim("dot", "over the lengths trained on, dot attention with input feeding is as good as additive, to "
          "two BLEU", "bleu", ("gru, dot", "gru, additive"), "equal", margin=2.0, primary=False),
)


def overrides(cell, settings, rows):
    """What the run behind a cell changes in its config."""
    return architectures.overrides(cell, settings)


@functools.cache
def _sentences(data, length, count):
    """Pairs of exactly so many English words that the corpus of `data` does not train on."""
    from attention_lab.data import grammar, sources
    known = set(sources.load(data, ("train",))["train"].source)
    # A seed apart from that of the corpus, and more than are wanted where some may be known.
    drawn = grammar.generate(3 * count, seed=1000 + data.corpus_seed, lexicon_size=data.lexicon_size,
                             min_words=length, max_words=length)
    unseen = [one for one in drawn if one.source not in known][:count]
    if len(unseen) < count:
        raise ValueError(f"{len(unseen)} of {len(drawn)} sentences of {length} words are not in the corpus: "
                         f"{count} are needed")
    return unseen


def measure(cell, settings, rows, folder):
    """Trains a cell, or reads it where it is finished, and translates sentences of each length."""
    from attention_lab.config import split
    from attention_lab.evaluation.bleu_counts import bleu_counts
    from attention_lab.evaluation.lengths import EDGES, by_length, right_words
    result, _, run = training.trained(architectures.config(settings), overrides(cell, settings, rows), folder,
                                      "sentence_length")
    finished = architectures.finished(run)
    config, lengths = finished.run.config, settings["lengths"]
    given = [one for length in lengths for one in _sentences(config.data, length, settings["sentences"])]
    sources, references = [one.source for one in given], [one.target for one in given]
    found = finished.translator.translate(finished.params, sources, 1, split(config)[1]).texts
    bins = by_length(sources, references, found,
                     [(length + 1, length + 1) for length in lengths])  # and a full stop
    counts = [bleu_counts(found, references),
              *([right_words(*pair, end) for pair in zip(found, references)] for end in EDGES)]
    return architectures.facts(result, finished.params) | {
        "trained_words": config.data.max_words, "dev_bleu": result["dev_bleu"],
        **{name: ";".join(f"{one.low - 1}:{getattr(one, name):.4f}" for one in bins)
           for name in ("bleu", "first", "last")},
        "sentences": np.concatenate(counts, axis=1).astype(np.uint16).reshape(
            len(lengths), settings["sentences"], -1)}


def of_arm(rows, arm):
    """The rows of an arm, the seeds rising."""
    return sorted((row for row in rows if row["arm"] == arm), key=lambda row: row["seed"])


def lengths_of(rows):
    """Words of the source at which every row was scored, (L,)."""
    return np.array([int(point.split(":")[0]) for point in rows[0]["bleu"].split(";")])


def scores(rows, arm, column):
    """What the texts of an arm's rows hold, by length: (seeds, L)."""
    return np.array([[float(point.split(":")[1]) for point in row[column].split(";")]
                     for row in of_arm(rows, arm)])


def contrasts(lengths, trained, of):
    """Each claim's number for each seed, from `of`: (arm, column) -> (seeds, L)."""
    inside = lengths <= trained
    longest = np.flatnonzero(inside)[-1]

    def slope(arm, shortest=0):
        kept = inside & (np.arange(len(lengths)) >= shortest)
        away = lengths[kept] - lengths[kept].mean()
        return 10.0 * of(arm, "bleu")[:, kept] @ away / max(away @ away, 1.0)  # least squares

    def mean(arm):
        return of(arm, "bleu")[:, inside].mean(1)

    def edge(arm, column="first"):
        return of(arm, column)[:, longest]

    fixed, additive = of("gru", "bleu"), of("gru, additive", "bleu")
    helped, spared = (mean(f"{arm}, reversed") - mean(arm) for arm in ("gru", "gru, dot"))
    return {
        "tied_at_short": additive[:, 0] - fixed[:, 0],
        "interaction": slope("gru, additive") - slope("gru"),
        "interaction_from_10": slope("gru, additive", 1) - slope("gru", 1),
        "fixed_falls": 1.0 - fixed[:, longest] / np.maximum(fixed[:, inside].max(1), 1e-9) - 0.3,
        "attention_holds": slope("gru, additive"),
        "reversal_helps": helped,
        "reversal_spared": spared,
        "reversal_interaction": helped - spared,
        "first_words_lost": edge("gru, additive") - edge("gru"),
        "first_words_kept": edge("gru, additive") - 0.9,
        "first_words_before_last": edge("gru") - edge("gru", "last"),
        "reversal_first_words": edge("gru, reversed") - edge("gru"),
        "attention_beyond": additive[:, -1] - additive[:, longest],
        "transformer": mean("transformer") - mean("gru, additive"),
        "transformer_beyond": of("transformer", "bleu")[:, -1] - additive[:, -1],
        "dot": mean("gru, dot") - mean("gru, additive"),
    }


def _without(arm):
    """Whether an arm has no attention."""
    return arm.removesuffix(", reversed") in ("rnn", "lstm", "gru")


def _trained_words(rows):
    return max(row["trained_words"] for row in rows)


def differences(rows):
    """Paired by seed."""
    return contrasts(lengths_of(rows), _trained_words(rows), functools.partial(scores, rows))


def resampled(rows):
    """Intervals over seeds and sentences: the same sentences are drawn for all arms and seeds."""
    from attention_lab.evaluation.bleu_counts import COLUMNS, bleu_of
    lengths, trained = lengths_of(rows), _trained_words(rows)
    arms = [*dict.fromkeys(row["arm"] for row in rows)]
    # (seeds, sentences, arms, L, counts)
    parts = np.moveaxis([[row["sentences"] for row in of_arm(rows, arm)] for arm in arms], (1, 3), (0, 1))
    names = [claim.name for claim in CLAIMS]

    def statistic(sums):
        bleu = bleu_of(sums[..., :COLUMNS])
        right = sums[..., COLUMNS::2] / np.maximum(sums[..., COLUMNS + 1::2], 1)
        columns = {"bleu": bleu, "first": right[..., 0], "last": right[..., 1]}
        found = contrasts(lengths, trained, lambda arm, column: columns[column][:, arms.index(arm)])
        return np.stack([found[name] for name in names], axis=1)

    return dict(zip(names, two_level(parts, statistic)))


def draw(rows, settings):
    """BLEU, and the first and last words that are right, over the length."""
    from attention_lab.figures import style
    trained, lengths = _trained_words(rows), lengths_of(rows)
    bases = dict.fromkeys(arm.removesuffix(", reversed") for arm in settings["arms"])
    colours = dict(zip(bases, style.COLOURS))
    with style.look():
        figure = style.figure(10.6, 4.0, layout="constrained")
        axes = figure.subplots(1, 3)
        for ax, column in zip(axes, ("bleu", "first", "last")):
            for place, arm in enumerate(settings["arms"]):  # beside each other, or ranges hide one another
                at = lengths + 0.5 * (place - (len(settings["arms"]) - 1) / 2)
                values, base = scores(rows, arm, column), arm.removesuffix(", reversed")
                colour = colours[base]
                ax.plot(at, values.mean(0), "o--" if _without(arm) else "o-", color=colour,
                        linewidth=1.2, markersize=3.5, label=arm,
                        markerfacecolor=colour if arm == base else "white")
                ax.vlines(at, values.min(0), values.max(0), color=colour, linewidth=0.7)
            ax.axvspan(trained, lengths[-1], color=style.FAINT, alpha=0.3, linewidth=0, zorder=0)
            ax.set(xlabel="words of the source (shaded: beyond training)", ylim=(0, None),
                   xlim=(0, lengths[-1] + 3))
            ax.grid(axis="y")
        axes[0].set(ylabel="BLEU")
        axes[1].set(ylabel="share of the first three words that are right")
        axes[2].set(ylabel="share of the last three words that are right")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=8)
        figure.suptitle(f"translation of the grammar by length; mean and range of "
                        f"{len({row['seed'] for row in rows})} seeds; dashed: without attention",
                        parse_math=False)
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
    """The arms: sizes, and the steps of networks without attention and with it."""
    return {arm: {"model.hidden": size, "optimizer.learning_rate": 0.003,
                  "training.steps": fixed if _without(arm) else attending} for arm, size in _SIZES.items()}


LENGTHS = (5, 10, 20, 30, 40, 50, 60, 90, 120)

STUDY = Study(
    name="sentence_length",
    question="Which networks lose long sentences, and is it the beginning that they lose?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "sentences": 4, "lengths": (4, 6, 8, 12),
                  "config": {"data.train_size": 40, "data.dev_size": 2, "data.test_size": 2,
                             "data.split": "dev", "training.steps": 2, "training.eval_every": 2,
                             "training.checkpoint_every": 2, "decoding.beam": 1},
                  "arms": {arm: {} for arm in architectures.ARMS if arm not in ("rnn", "lstm")}},
        "cpu": {"seeds": 8, "variant": "", "sentences": 100, "lengths": LENGTHS, "config": _CONFIG,
                "arms": _arms(3000, 750)},
        "accelerator": {"seeds": 8, "variant": "", "sentences": 500, "lengths": LENGTHS,
                        "arms": _arms(40000, 10000),
                        "config": _CONFIG | {"data.train_size": 100000, "data.lexicon_size": 1000}},
    },
    cells=architectures.cells, measure=measure, differences=differences, draw=draw,
    config=architectures.config, overrides=overrides, resampled=resampled)
