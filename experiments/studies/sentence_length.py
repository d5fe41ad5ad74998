"""What happens to long sentences, and to the first word by the sixtieth? (Bahdanau et al. 2015, figure 2)

The built-in grammar with a small lexicon, by recurrent networks without attention, with the source reversed
and with attention, and by a Transformer. Weights other than embeddings agree to 5 %; all arms have one rate,
which is not tuned. Every length is scored by sentences of exactly so many English words, none of which was
trained on; some lengths lie beyond those of training. Greedy decoding.
"""

import functools

from attention_lab.statistics import Claim
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
    Claim("first_words_lost", f"at {LONG} more of the first three words are right with additive attention",
          "first", ("gru, additive", "gru"), "greater", published="the vector forgets"),
    Claim("first_words_kept", f"at {LONG} additive attention has over nine in ten of the first three right",
          "first", ("gru, additive", "0.9"), "greater", published="attention does not"),
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
    from attention_lab.data import grammar
    from attention_lab.tasks import corpora
    known = set(corpora.load(data, ("train",))["train"].source)
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
    from attention_lab.evaluation.lengths import by_length
    result, _, run = training.trained(architectures.config(settings), overrides(cell, settings, rows), folder,
                                      "sentence_length")
    finished = architectures.finished(run)
    config = finished.run.config
    sets = [_sentences(config.data, length, settings["sentences"]) for length in settings["lengths"]]
    given = [one for part in sets for one in part]
    sources = [one.source for one in given]
    found = finished.translator.translate(finished.params, sources, 1, split(config)[1])
    bins = by_length(sources, [one.target for one in given], found.texts,
                     [(length + 1, length + 1) for length in settings["lengths"]])  # and a full stop
    return architectures.facts(result, finished.params) | {
        "trained_words": config.data.max_words, "dev_bleu": result["dev_bleu"],
        **{name: ";".join(f"{one.low - 1}:{getattr(one, name):.4f}" for one in bins)
           for name in ("bleu", "first", "last")}}


def table(rows, arm, column):
    """What the texts of an arm's rows hold: lengths (L,) and values (seeds, L)."""
    import numpy as np
    own = sorted((row for row in rows if row["arm"] == arm), key=lambda row: row["seed"])
    values = np.array([[[float(x) for x in point.split(":")] for point in row[column].split(";")]
                       for row in own])
    return values[0, :, 0], values[:, :, 1]


def differences(rows):
    """Paired by seed."""
    import numpy as np
    trained = max(row["trained_words"] for row in rows)
    lengths, _ = table(rows, rows[0]["arm"], "bleu")
    inside = lengths <= trained

    def of(arm, column="bleu"):
        return table(rows, arm, column)[1]

    def slope(arm, shortest=0):
        kept = inside & (np.arange(len(lengths)) >= shortest)
        return 10.0 * np.polyfit(lengths[kept], of(arm)[:, kept].T, 1)[0]

    def mean(arm):
        return of(arm)[:, inside].mean(1)

    longest = np.flatnonzero(inside)[-1]
    fixed, additive = of("gru"), of("gru, additive")
    first = {arm: of(arm, "first")[:, longest] for arm in ("gru", "gru, reversed", "gru, additive")}
    return {
        "tied_at_short": additive[:, 0] - fixed[:, 0],
        "interaction": slope("gru, additive") - slope("gru"),
        "interaction_from_10": slope("gru, additive", 1) - slope("gru", 1),
        "fixed_falls": 1.0 - fixed[:, longest] / fixed[:, inside].max(1) - 0.3,
        "attention_holds": slope("gru, additive"),
        "reversal_helps": mean("gru, reversed") - mean("gru"),
        "first_words_lost": first["gru, additive"] - first["gru"],
        "first_words_kept": first["gru, additive"] - 0.9,
        "reversal_first_words": first["gru, reversed"] - first["gru"],
        "attention_beyond": additive[:, -1] - additive[:, longest],
        "transformer": mean("transformer") - mean("gru, additive"),
        "transformer_beyond": of("transformer")[:, -1] - additive[:, -1],
        "dot": mean("gru, dot") - mean("gru, additive"),
    }


def draw(rows, settings):
    """BLEU, and the first and last words that are right, over the length."""
    from attention_lab.figures import style
    trained = max(row["trained_words"] for row in rows)
    with style.look():
        figure = style.figure(10.6, 3.8, layout="constrained")
        axes = figure.subplots(1, 3)
        for ax, column in zip(axes, ("bleu", "first", "last")):
            for arm, colour in zip(settings["arms"], style.COLOURS):
                lengths, values = table(rows, arm, column)
                ax.plot(lengths, values.mean(0), "o-", color=colour, markersize=3, label=arm)
                ax.fill_between(lengths, values.min(0), values.max(0), color=colour, alpha=0.15, linewidth=0)
            ax.axvspan(trained, lengths[-1], color=style.FAINT, alpha=0.3, linewidth=0, zorder=0)
            ax.set(xlabel="words of the source (shaded: beyond training)", ylim=(0, None),
                   xlim=(0, lengths[-1]))
            ax.grid(axis="y")
        axes[0].set(ylabel="BLEU")
        axes[1].set(ylabel="share of the first three words that are right")
        axes[2].set(ylabel="share of the last three words that are right")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=7)
        figure.suptitle(f"translation of the grammar by length; mean and range of "
                        f"{len({row['seed'] for row in rows})} seeds", parse_math=False)
    return figure


_CONFIG = {
    "data.train_size": 20000, "data.dev_size": 100, "data.test_size": 8, "data.lexicon_size": 150,
    "data.min_words": 3, "data.max_words": 60, "data.max_length": 72, "data.buckets": (24, 48, 72),
    "data.split": "dev", "model.width": 64, "optimizer.warmup_steps": 100, "optimizer.schedule": "cosine",
    "training.steps": 500, "training.batch_tokens": 2048, "training.eval_every": 500,
    "training.checkpoint_every": 500, "training.dropout": 0.0, "training.label_smoothing": 0.0,
    "decoding.beam": 1, "decoding.max_length": 96,
}
_SIZES = {"rnn": 236, "lstm": 112, "gru": 132, "gru, reversed": 132, "gru, additive": 132, "gru, dot": 148,
          "transformer": 256}
_ARMS = {arm: {"model.hidden": size, "optimizer.learning_rate": 0.003} for arm, size in _SIZES.items()}
LENGTHS = (5, 10, 20, 30, 40, 50, 60, 75, 90, 120)

STUDY = Study(
    name="sentence_length",
    question="Which networks lose long sentences, and is it the beginning that they lose?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "sentences": 4, "lengths": (4, 8, 12),
                  "config": {"data.train_size": 40, "data.dev_size": 2, "data.test_size": 2,
                             "data.split": "dev", "training.steps": 2, "training.eval_every": 2,
                             "training.checkpoint_every": 2, "decoding.beam": 1},
                  "arms": {arm: {} for arm in architectures.ARMS if arm not in ("rnn", "lstm")}},
        "cpu": {"seeds": 8, "variant": "", "sentences": 100, "lengths": LENGTHS, "config": _CONFIG,
                "arms": _ARMS},
        "accelerator": {"seeds": 8, "variant": "", "sentences": 500, "lengths": LENGTHS, "arms": _ARMS,
                        "config": _CONFIG | {"data.train_size": 100000, "data.lexicon_size": 1000,
                                             "training.steps": 10000}},
    },
    cells=architectures.cells, measure=measure, differences=differences, draw=draw,
    config=architectures.config, overrides=overrides)
