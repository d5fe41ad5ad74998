"""Is a word's meaning built from its neighbours by self-attention? (Vaswani et al. 2017)

The grammar's ambiguous nouns: one word decides the sense, 1 to 40 positions before or after the noun; in half
of the sentences a distractor would decide for another sense in that position. Near and far distances have
equally many sentences. Without a distractor a bag of words suffices by construction, so that both cases are
reported. Before the layers a form of a noun has the same vector in every sentence: the silhouette of its
senses is 0 by construction; after them it is compared with that of permuted labels.
"""

import textwrap

import numpy as np

from attention_lab.analysis import explanations, word_vectors
from attention_lab.evaluation.separation import plane, separation
from attention_lab.figures import style
from attention_lab.studies import Claim, Study, difference, function, mean
from attention_lab.studies.recipes import architectures, runs, senses
from attention_lab.studies.recipes.drawing import (
    bin_axis,
    draw_band,
    draw_curves,
    ranges_of,
    titled_figure,
)
from attention_lab.tasks.load import load as load_run

FILE = "configs/disambiguation.py"
ATTENTION, ALONE, BAG = "self-attention", "the word alone", "bag of words"
READER = "lstm, additive attention"
# Variants of that file, whose default is two layers of self-attention.
ARMS = {ATTENTION: "", ALONE: "target_only", BAG: "bag_of_words", "gru": "gru", READER: "lstm_additive"}


def at(arm, bins):
    """Accuracy of an arm over some bins: "near", "far", "distracted", "clear", or the "worst" of all."""
    return function("accuracy", arm=arm, bins=bins)


CLAIMS = (
    Claim("context", "self-attention tells senses better than the word alone by more than 20 points of "
          "macro-F1", difference("macro_f1", ATTENTION, ALONE), "greater", 0.2, published="better"),
    Claim("solved", "self-attention is right in more than 99 of 100 sentences up to 40 places",
          mean("accuracy", arm=ATTENTION), "greater", 0.99),
    Claim("beyond_a_bag", "self-attention tells senses better than a bag of words",
          difference("accuracy", ATTENTION, BAG), "greater", published="not better"),
    Claim("beyond_a_bag_distracted", "where a distractor stands, self-attention tells senses better than a "
          "bag of words", at(ATTENTION, "distracted") - at(BAG, "distracted"), "greater"),
    Claim("no_decay", "self-attention is as good at the farthest distances as at the nearest, to two points",
          at(ATTENTION, "far") - at(ATTENTION, "near"), "equal", margin=0.02, published="no decay"),
    Claim("context_changes_the_vector", "after self-attention the vectors of one noun lie apart by sense: "
          "silhouette above that of permuted labels",
          mean("silhouette", arm=ATTENTION) - mean("null", arm=ATTENTION), "greater", published="changes"),
    Claim("solved_everywhere", "self-attention is right in more than 99 of 100 at its worst distance",
          at(ATTENTION, "worst"), "greater", 0.99, primary=False),
    Claim("bag_suffices", "where no distractor stands, a bag of words is as good as self-attention, to two "
          "points", at(BAG, "clear") - at(ATTENTION, "clear"), "equal", margin=0.02, primary=False),
    Claim("recurrent_far", "self-attention is better than a GRU that reads both ways at the farthest "
          "distances", at(ATTENTION, "far") - at("gru", "far"), "greater", margin=0.01, primary=False),
    Claim("recurrent_decays", "a GRU that reads both ways is worse at the farthest distances than at the "
          "nearest", at("gru", "far") - at("gru", "near"), "less", margin=0.01, primary=False),
    Claim("reader_solves", "an LSTM whose states are read by additive attention is right in more than 99 of "
          "100 sentences up to 40 places", mean("accuracy", arm=READER), "greater", 0.99, primary=False),
    Claim("attended_matters", "without the word that self-attention looks at most the prediction moves more "
          "than without one drawn at random (total variation)",
          mean("dropped_attention", arm=ATTENTION) - mean("dropped_random", arm=ATTENTION), "greater",
          primary=False),
    Claim("gradient_matters_more", "without the word of the largest gradient it moves more than without the "
          "most attended", mean("dropped_gradient", arm=ATTENTION) - mean("dropped_attention", arm=ATTENTION),
          "greater", primary=False),
    Claim("before_the_layers", "before self-attention the silhouette is that of permuted labels",
          mean("silhouette_before", arm=ATTENTION) - mean("null_before", arm=ATTENTION), "equal", margin=0.01,
          primary=False),
)


def overrides(cell, settings, rows):
    """The changes of a run: the arm's variant, then the study's config, then the arm's settings."""
    arm = cell["arm"]
    return runs.variant(FILE, ARMS[arm]) | settings["config"] | settings["arms"][arm] | {"seed": cell["seed"]}


def measure(cell, settings, train):
    """Scores of a run by distance, and the separation of senses before and after the layers."""
    run = train(cell)
    result, model = run.result, load_run(run.folder)
    test = senses.read_test(model.run.config.data)
    before, after = word_vectors.vectors(model.classifier, model.params, test)
    first, last = (separation(vectors, test.label, _forms(test), settings["permutations"])
                   for vectors in (before, after))
    return {"status": result["status"], "parameters": result["parameters"],
            "dev_accuracy": result["dev_accuracy"], "accuracy": result["test_accuracy"],
            "macro_f1": result["test_macro_f1"], "most_frequent": result["test_most_frequent_accuracy"],
            "by_distance": senses.by_distance(senses.predictions(run.folder, test), test),
            "forms": last.groups, "forms_left_out": last.left_out,
            "silhouette_before": round(first.silhouette, 6), "null_before": round(first.null, 6),
            "silhouette": round(last.silhouette, 6), "null": round(last.null, 6),
            **(_shown(test, before, after) if cell["seed"] == 0 else dict.fromkeys(SHOWN)),
            **_dropped(model, test.select(range(min(settings["dropped"], len(test)))), cell),
            "curve": runs.curve(run.evaluations, "dev_accuracy")}


ACCURACIES = (0.3, 1.02)  # shown; no arm has less


def _dropped(model, sentences, cell):
    """Mean total variation of the prediction when the word that an explainer ranks first is left out."""
    methods = ("attention", "gradient", "random")
    if cell["arm"] != ATTENTION:
        return {f"dropped_{name}": None for name in methods}
    explained = explanations.explain(model.classifier, model.params, sentences, (*methods, "leave_one_out"))
    moved: dict[str, list[float]] = {name: [] for name in methods}
    for i, (position, effect) in enumerate(zip(sentences.position, explained["leave_one_out"])):
        for name in methods:
            importance = np.array(explained[name][i])
            importance[position] = -np.inf  # the noun itself is never left out
            moved[name].append(float(effect[importance.argmax()]))
    return {f"dropped_{name}": round(float(np.mean(values)), 6) for name, values in moved.items()}


def _forms(test):
    return [text.split(" ")[index] for text, index in zip(test.text, test.position)]


SHOWN = ("shown_form", "shown_senses", "shown_points")


def _shown(test, before, after):
    """The alphabetically first form with two senses: its vectors projected to two planes, (N, 4)."""
    forms = np.array(_forms(test))
    form = next(form for form in sorted(set(forms))
                if len({test.label[i] for i in np.flatnonzero(forms == form)}) > 1)
    chosen = np.flatnonzero(forms == form)
    points = np.concatenate([plane(before[chosen]), plane(after[chosen])], axis=1)
    return dict(zip(SHOWN, (str(form), np.array([test.label[i] for i in chosen]), points)))


def draw(rows, settings):
    """Accuracy by distance, learning, vectors of one noun, silhouettes."""
    title = f"the sense of the grammar's ambiguous nouns; {ranges_of(rows)}"
    with titled_figure(11.0, 6.6, title, grid=False) as figure:
        axes = figure.subplots(2, 3)
        for ax, distractors in zip(axes[0], (False, True)):
            _draw_distances(ax, rows, settings["arms"], distractors)
        for index, (arm, colour) in enumerate(zip(settings["arms"], style.COLOURS)):
            of_arm = [row for row in rows if row["arm"] == arm]
            draw_curves([axes[0, 2]], [row["curve"] for row in of_arm], arm, colour)
            excess = [row["silhouette"] - row["null"] for row in of_arm]
            axes[1, 2].plot([index] * len(of_arm), excess, "o", color=colour, markersize=4, alpha=0.7)
        axes[0, 2].set(ylabel="dev accuracy", ylim=ACCURACIES, xlim=(0, None))
        axes[1, 2].axhline(0.0, color=style.FAINT, zorder=0)
        axes[1, 2].set_xticks(range(len(settings["arms"])),
                              [textwrap.fill(arm, 9) for arm in settings["arms"]])
        axes[1, 2].set(ylabel="silhouette, less that of permuted",
                       title="last states of one form; dots are seeds")
        _draw_vectors(axes[1, :2], rows)
        for ax in (*axes[0], axes[1, 2]):
            ax.grid(axis="y")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure


def _draw_distances(ax, rows, arms, distractors):
    for arm, colour in zip(arms, style.COLOURS):
        bins = senses.beside([row["by_distance"] for row in rows if row["arm"] == arm], distractors)
        draw_band(ax, range(bins.shape[1]), bins[:, :, senses.ACCURACY], colour, "o-", markersize=4,
                  label=arm)
    bin_axis(ax, bins[0], senses.LEAST, senses.GREATEST, senses.SENTENCES)
    ax.set(xlabel="places to the deciding word (sentences)", ylabel="test accuracy", ylim=ACCURACIES,
           title="beside a distractor" if distractors else "without distractors")


def _draw_vectors(axes, rows):
    """One form's vectors before and after the layers, each in its principal plane, to the same scale."""
    row, = (row for row in rows if row["arm"] == ATTENTION and row["shown_senses"] is not None)
    shown, points = row["shown_senses"], row["shown_points"]
    for ax, which, name in zip(axes, (points[:, :2], points[:, 2:]), ("before", "after")):
        for sense, colour in zip(sorted(set(shown)), style.COLOURS):
            points = which[shown == sense]
            ax.plot(*points.T, "o", color=colour, markersize=5 if name == "after" else 9, alpha=0.6,
                    label=f"{sense} ({len(points)})")
        ax.set(xlabel="first principal component", ylabel="second",
               title=f"“{row['shown_form']}” {name} self-attention")
        ax.margins(0.15)
    axes[0].set(xlim=axes[1].get_xlim(), ylim=axes[1].get_ylim())
    axes[1].legend(title="sense (sentences)")


_ARMS = {arm: {} for arm in ARMS}
_CONFIG = {"training.checkpoint_every": 1000, "training.eval_every": 500}
_SHORT = {"data.lexicon_size": 500, "data.train_size": 40000, "data.buckets": (28, 42, 56),
          "model.hidden": 128, "optimizer.learning_rate": 0.002, "optimizer.warmup_steps": 100,
          "training.steps": 500, "training.batch_tokens": 2048, "training.eval_every": 100,
          "training.checkpoint_every": 500}

STUDY = Study(
    question="Is a word's meaning built from its neighbours by self-attention?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "permutations": 2, "dropped": 4,
                  "arms": _ARMS,
                  "config": {"data.train_size": 40, "data.dev_size": 8, "data.test_size": 80,
                             "data.lexicon_size": 300, "training.steps": 2, "training.eval_every": 2,
                             "training.checkpoint_every": 2}},
        "cpu": {"seeds": 8, "variant": "", "permutations": 20, "dropped": 200, "config": _SHORT,
                "arms": _ARMS},
        "accelerator": {"seeds": 8, "variant": "", "permutations": 100, "dropped": 1000, "arms": _ARMS,
                        "config": _CONFIG | {"data.train_size": 200000, "data.test_size": 5000,
                                             "training.steps": 20000, "training.batch_tokens": 14336}},
    },
    cells=architectures.cells, measure=measure, draw=draw, labels=("shown_form",),
    functions={"accuracy": senses.accuracy}, config=FILE + ":{variant}", overrides=overrides)
