"""The senses of CoarseWSD-20 (Loureiro et al. 2021): does self-attention lead a bag of words on real text?

One model for all words of the folder, trained from scratch; part of train is held out as dev. The baseline is
tf-idf with balanced logistic regression, one model per word, trained on train and dev. The best network of a
claim has the highest mean macro-F1 on dev. Few-shot runs have the same number of steps at every size and
evaluate dev once, at the end; each seed draws other shots, the same for all arms.
"""

import textwrap

import numpy as np

from attention_lab.analysis import tfidf_baseline
from attention_lab.config import replace
from attention_lab.config.load import load
from attention_lab.data.labelled import joined
from attention_lab.data.sources import load as load_corpus
from attention_lab.evaluation.classes import class_scores
from attention_lab.figures import style
from attention_lab.studies import Claim, Study, difference, function, mean, nearest
from attention_lab.studies.recipes import architectures, runs
from attention_lab.studies.recipes.drawing import draw_band, draw_ranges, ranges_of, titled_figure

FILE = "configs/disambiguation.py"
ATTENTION, ALONE, BAG = "self-attention", "the word alone", "bag of words"
POOLED, BASELINE = "bag, additive pooling", "tf-idf"
FASTTEXT = 0.837
# Variants of that file, and an arm's changes in them.
ARMS = {ATTENTION: ("", {}), ALONE: ("target_only", {}), BAG: ("bag_of_words", {}),
        POOLED: ("bag_of_words", {"model.pooling": "additive"}), "gru": ("gru", {})}
FEW = (ATTENTION, BAG, BASELINE)

# The baseline has one score, for all seeds.
BASELINE_F1 = mean("macro_f1", arm=BASELINE, shots=0, seed=0)

CLAIMS = (
    Claim("context", "self-attention tells senses better than the word alone by more than 20 points of "
          "macro-F1", difference("macro_f1", ATTENTION, ALONE, shots=0), "greater", 0.2, published="better"),
    Claim("beyond_fasttext", "self-attention from scratch has a higher macro-F1 than fastText from scratch",
          mean("macro_f1", arm=ATTENTION, shots=0), "greater", FASTTEXT, published=FASTTEXT),
    Claim("beyond_a_bag", "self-attention tells senses better than a bag of words",
          difference("macro_f1", ATTENTION, BAG, shots=0), "greater", margin=0.01, published="not better"),
    Claim("near_the_outsider", "the best network, chosen on dev, comes within 0.02 macro-F1 of tf-idf with "
          "balanced logistic regression, or beats it",
          function("best_network", column="macro_f1") - BASELINE_F1,
          "greater", -0.02, published="tf-idf leads"),
    Claim("bank", "the best network, chosen on dev, has a macro-F1 above 0.80 for the first word asked for, "
          "bank", function("best_network", column="macro_f1_word"), "greater", 0.80, published=0.759),
    Claim("recurrence", "self-attention tells senses better than a GRU that reads both ways",
          difference("macro_f1", ATTENTION, "gru", shots=0), "greater", margin=0.01, primary=False),
    Claim("pooling", "a bag gains by learning what to look at (additive pooling)",
          difference("macro_f1", POOLED, BAG, shots=0), "greater", margin=0.01, primary=False),
    Claim("outsider_leads", "tf-idf with balanced logistic regression leads the best network",
          BASELINE_F1 - function("best_network", column="macro_f1"), "greater", margin=0.01,
          published="tf-idf leads", primary=False),
    Claim("few_shots", "of ten sentences a sense self-attention learns more than a bag of words",
          difference("macro_f1", ATTENTION, BAG, shots=nearest(10)), "greater", margin=0.01, primary=False),
)


def cells(settings):
    """Runs of every arm and seed on all of train, the baseline's, then few-shot runs."""
    return (runs.crossed(stage=["whole"], arm=settings["arms"], shots=[0], seed=range(settings["seeds"]))
            + [{"stage": "whole", "arm": BASELINE, "shots": 0, "seed": 0}]
            + [{"stage": "few", "arm": arm, "shots": shots, "seed": seed} for shots in settings["shots"]
               for seed in range(settings["few_seeds"]) for arm in FEW])


def changes(cell, settings):
    """The changes of a cell in the config; of the baseline those of its data."""
    arm = cell["arm"]
    changed = {"seed": cell["seed"]} | settings["config"]
    if arm != BASELINE:
        variant, of_arm = ARMS[arm]
        changed = runs.variant(FILE, variant) | of_arm | changed | settings["arms"][arm]
    if cell["stage"] == "few":
        changed |= settings["few"] | {"data.shots": cell["shots"], "data.corpus_seed": cell["seed"]}
    return runs.with_data(changed, settings)


def overrides(cell, settings, rows):
    """The changes of a run; the baseline has none."""
    return None if cell["arm"] == BASELINE else changes(cell, settings)


def measure(cell, settings, train):
    """Scores of a run or of the baseline."""
    result = _baseline(cell, settings) if cell["arm"] == BASELINE else train(cell).result
    prefix = "test_macro_f1_"
    by_word = {name.removeprefix(prefix): value for name, value in result.items() if name.startswith(prefix)}
    return {"status": result["status"], "parameters": result.get("parameters"),
            "dev_macro_f1": result.get("dev_macro_f1"), "accuracy": result["test_accuracy"],
            "macro_f1": result["test_macro_f1"], "macro_f1_word": by_word.get(settings["word"]),
            "most_frequent_macro_f1": result.get("test_most_frequent_macro_f1"),
            **{f"f1_{word}": value for word, value in sorted(by_word.items())}}


def _baseline(cell, settings):
    """Scores of tf-idf as in result.json, trained on train, and on dev too unless shots are few."""
    corpus = load_corpus(replace(load(f"{FILE}:{settings['variant']}"), changes(cell, settings)).data)
    train = corpus["train"] if cell["shots"] else joined([corpus["train"], corpus["dev"]])
    test = corpus["test"]
    scored = class_scores(test.word, test.label, tfidf_baseline.predict(train, test))
    return {"status": "", "test_accuracy": round(scored.accuracy, 6),
            "test_macro_f1": round(scored.macro_f1, 6),
            **{f"test_macro_f1_{word}": f1 for word, (_, f1) in scored.by_word.items()}}


def by_seed(rows, column, arm, shots=0):
    """A column of an arm at a number of shots (0: all of train), in rising order of seeds."""
    return architectures.by_seed([row for row in rows if row["shots"] == shots], column, arm)


def best(rows):
    """The network with the highest mean dev macro-F1 over seeds, trained on all of train."""
    arms = {row["arm"]: None for row in rows if row["shots"] == 0 and row["arm"] != BASELINE}
    return max(arms, key=lambda arm: np.mean(by_seed(rows, "dev_macro_f1", arm)))


def best_network(rows, column):
    """A column of the best network, by seed."""
    chosen = best(rows)
    return {row["seed"]: row[column] for row in rows if (row["arm"], row["shots"]) == (chosen, 0)}


def draw(rows, settings):
    """Macro-F1 by seed, by word, and over the number of shots."""
    colours = dict(zip([*settings["arms"], BASELINE], style.COLOURS))
    where = "CoarseWSD-20" if settings["variant"] == "coarsewsd" else "the grammar"
    title = f"senses of {where}; {ranges_of([row for row in rows if row['arm'] == ATTENTION])}"
    with titled_figure(11.0, 6.6, title) as figure:
        grid = figure.add_gridspec(2, 2)
        seeds, shots, words = (figure.add_subplot(cell) for cell in (grid[0, 0], grid[0, 1], grid[1, :]))
        _draw_seeds(seeds, rows, colours)
        _draw_shots(shots, rows, colours)
        _draw_words(words, rows, colours)
        figure.legend(*words.get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure


def _draw_seeds(ax, rows, colours):
    for index, (arm, colour) in enumerate(colours.items()):
        values = by_seed(rows, "macro_f1", arm)
        ax.plot(np.full(len(values), index), values, "o", color=colour, markersize=4, alpha=0.7)
    majority = max(row["most_frequent_macro_f1"] for row in rows if row["most_frequent_macro_f1"] is not None)
    for x, level, name in ((0.6, FASTTEXT, "fastText from scratch"), (2.6, majority, "most frequent sense")):
        ax.axhline(level, color=style.FAINT, linestyle="--", zorder=0)
        ax.text(x, level, name, color=style.INK, fontsize=7.5, va="bottom")
    ax.set_xticks(range(len(colours)), [textwrap.fill(arm, 10) for arm in colours])
    ax.set(ylabel="test macro-F1, mean over words", ylim=(0, 1), title="trained on all; dots are seeds")


def _draw_shots(ax, rows, colours):
    sizes = sorted({row["shots"] for row in rows} - {0})
    for arm in FEW:
        values = np.array([by_seed(rows, "macro_f1", arm, size) for size in sizes])
        draw_band(ax, sizes, values.T, colours[arm], "o-", markersize=4)
    ax.set_xscale("log")
    ax.set_xticks(sizes, [f"{size}" for size in sizes])
    ax.minorticks_off()
    ax.set(xlabel="sentences of each sense to train on", ylabel="test macro-F1", ylim=(0, 1),
           title=f"few shots; {len(by_seed(rows, 'seed', BASELINE, sizes[0]))} draws")


def _draw_words(ax, rows, colours):
    names = sorted(column.removeprefix("f1_") for column in rows[0] if column.startswith("f1_"))
    for index, (arm, colour) in enumerate(colours.items()):
        values = [by_seed(rows, f"f1_{name}", arm) for name in names]
        x = np.arange(len(names)) + 0.13 * (index - (len(colours) - 1) / 2)
        draw_ranges(ax, x, values, colour, "o", label=arm)
    ax.set_xticks(range(len(names)), names)
    ax.set(ylabel="test macro-F1 of each word", ylim=(0, 1.02))


_ARMS = {arm: {} for arm in ARMS}
# Selected on dev with one seed; a wider self-attention was not tried.
_WIDE = {"model.width": 256, "optimizer.learning_rate": 0.002}
_PASSES = {"training.steps": None, "training.epochs": 8.0}
_TUNED = _ARMS | {ALONE: {"model.width": 64, "training.epochs": 3.0}, BAG: _WIDE, POOLED: _WIDE,
                  "gru": {"model.hidden": 64, "training.epochs": 4.0}}
_FEW = {"training.epochs": None, "training.steps": 100, "training.eval_every": 100,
        "training.checkpoint_every": 100, "data.buckets": (48, 96, 160), "optimizer.warmup_steps": 10}
_TINY = {"training.steps": 2, "training.eval_every": 2, "training.checkpoint_every": 2}

STUDY = Study(
    question="Does self-attention lead a bag of words at the senses of twelve nouns in Wikipedia?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "few_seeds": 2, "variant": "smoke", "word": "bank", "arms": _ARMS,
                  "shots": (3,),
                  "config": _TINY | {"data.train_size": 60, "data.dev_size": 8, "data.test_size": 60,
                                     "data.lexicon_size": 300},
                  "few": {}},
        "cpu": {"seeds": 8, "few_seeds": 3, "variant": "coarsewsd", "word": "bank", "arms": _TUNED,
                "shots": (1, 3, 10, 20), "config": _PASSES, "few": _FEW},
        "accelerator": {"seeds": 8, "few_seeds": 8, "variant": "coarsewsd", "word": "bank", "arms": _TUNED,
                        "shots": (1, 3, 10, 20), "config": _PASSES, "few": _FEW},
    },
    cells=cells, measure=measure, draw=draw, functions={"best_network": best_network},
    config=FILE + ":{variant}", overrides=overrides, check=runs.check_data)
