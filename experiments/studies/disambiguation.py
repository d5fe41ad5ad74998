"""Is a word's meaning built from its neighbours by self-attention? (Vaswani et al. 2017)

The grammar's ambiguous nouns: one word decides the sense, 1 to 40 places before or after the noun, in half
of the sentences beside a distractor that would decide for another sense if it stood in its place. The nearer
and the farther distances have equally many sentences. Where no distractor stands a bag of words suffices by
construction, since the deciding word is then the only one that tells; the claim against it is made all the
same, and what comes of it with a distractor and without is told apart.

Before the layers the same form of a noun has the same vector in every sentence, so that the silhouette of its
senses is 0 by construction; after them it is held against permuted labels. The arms share a budget and each
has the rate of configs/disambiguation.py or of the preset.
"""

import functools

from attention_lab.statistics import Claim
from experiments.studies import architectures, training, tuning
from experiments.studies.record import Study

ATTENTION, ALONE, BAG = "self-attention", "the word alone", "bag of words"
# Variants of configs/disambiguation.py, which is itself two layers of self-attention.
READER = "lstm, additive attention"
ARMS = {ATTENTION: "", ALONE: "target_only", BAG: "bag_of_words", "gru": "gru", READER: "lstm_additive"}

CLAIMS = (
    Claim("context", "self-attention tells senses better than the word alone by more than 20 points of "
          "macro-F1", "macro_f1", (ATTENTION, ALONE + " + 0.2"), "greater", published="better"),
    Claim("solved", "self-attention is right in more than 99 of 100 sentences up to 40 places", "accuracy",
          (ATTENTION, "0.99"), "greater"),
    Claim("beyond_a_bag", "self-attention tells senses better than a bag of words", "accuracy",
          (ATTENTION, BAG), "greater", published="not better"),
    Claim("beyond_a_bag_distracted", "where a distractor stands, self-attention tells senses better than a "
          "bag of words", "accuracy", (ATTENTION, BAG), "greater"),
    Claim("no_decay", "self-attention is as good at the farthest distances as at the nearest, to two points",
          "accuracy", ("30 to 40 places", "1 to 4 places"), "equal", margin=0.02, published="no decay"),
    Claim("context_changes_the_vector", "after self-attention the vectors of one noun lie apart by sense: "
          "silhouette above that of permuted labels", "silhouette", (ATTENTION, "permuted"), "greater",
          published="changes"),
    Claim("solved_everywhere", "self-attention is right in more than 99 of 100 at its worst distance",
          "accuracy", (ATTENTION, "0.99"), "greater", primary=False),
    Claim("bag_suffices", "where no distractor stands, a bag of words is as good as self-attention, to two "
          "points", "accuracy", (BAG, ATTENTION), "equal", margin=0.02, primary=False),
    Claim("recurrent_far", "self-attention is better than a GRU that reads both ways at the farthest "
          "distances", "accuracy", (ATTENTION, "gru"), "greater", margin=0.01, primary=False),
    Claim("recurrent_decays", "a GRU that reads both ways is worse at the farthest distances than at the "
          "nearest", "accuracy", ("30 to 40 places", "1 to 4 places"), "less", margin=0.01, primary=False),
    Claim("reader_solves", "an LSTM whose states are read by additive attention is right in more than 99 of "
          "100 sentences up to 40 places", "accuracy", (READER, "0.99"), "greater", primary=False),
    Claim("attended_matters", "without the word that self-attention looks at most the prediction moves more "
          "than without one drawn at random (total variation)", "dropped", ("most attended", "random"),
          "greater", primary=False),
    Claim("gradient_matters_more", "without the word of the largest gradient it moves more than without the "
          "most attended", "dropped", ("largest gradient", "most attended"), "greater", primary=False),
    Claim("before_the_layers", "before self-attention the silhouette is that of permuted labels",
          "silhouette", (ATTENTION, "permuted"), "equal", margin=0.01, primary=False),
)


def overrides(cell, settings, rows):
    """What the run behind a cell changes: the arm's variant, then the study's, then the arm's own."""
    from configs.disambiguation import VARIANTS
    arm = cell["arm"]
    own = VARIANTS.get(ARMS[arm], {}) | settings["config"] | settings["arms"][arm]
    return own | {"seed": cell["seed"]}


def config(settings):
    """The config file of the runs."""
    return f"configs/disambiguation.py:{settings['variant']}"


def measure(cell, settings, rows, folder):
    """Trains a cell, or reads it where it is finished; its scores by distance, and how far senses lie."""
    from attention_lab.tasks import finished, word_vectors
    result, looks, run = training.trained(config(settings), overrides(cell, settings, rows), folder,
                                          "disambiguation")
    held = finished.classifier(run)
    test = _test(held.run.config.data)
    before, after = word_vectors.vectors(held.classifier, held.params, test)
    separate = functools.partial(_separation, test=test, permutations=settings["permutations"])
    first, last = separate(before), separate(after)
    return {"status": result["status"], "parameters": result["parameters"],
            "dev_accuracy": result["dev_accuracy"], "accuracy": result["test_accuracy"],
            "macro_f1": result["test_macro_f1"], "most_frequent": result["test_most_frequent_accuracy"],
            "by_distance": _by_distance(run, test), "forms": last.groups, "forms_left_out": last.left_out,
            "silhouette_before": round(first.silhouette, 6), "null_before": round(first.null, 6),
            "silhouette": round(last.silhouette, 6), "null": round(last.null, 6),
            "shown": _shown(test, before, after) if cell["seed"] == 0 else "",
            **_dropped(held, test.select(range(min(settings["dropped"], len(test)))), cell),
            "curve": ";".join(f"{line['step']}:{line['dev_accuracy']:.4f}" for line in looks)}


@functools.cache
def _test(data):
    """The test sentences of a corpus, which do not hang on the size of the training part."""
    from attention_lab.config import replace
    from attention_lab.tasks import labelled_corpora
    return labelled_corpora.load(replace(data, {"train_size": 1}), ("test",))["test"]


def _dropped(held, sentences, cell):
    """How far the prediction moves, on average, without the word that an explainer puts first."""
    import numpy as np

    from attention_lab.analysis import explanations
    methods = ("attention", "gradient", "random")
    if cell["arm"] != ATTENTION:
        return {f"dropped_{name}": "" for name in methods}
    found = explanations.explain(held.classifier, held.params, sentences, (*methods, "leave_one_out"))
    moved: dict[str, list[float]] = {name: [] for name in methods}
    for i, (place, effect) in enumerate(zip(sentences.place, found["leave_one_out"])):
        for name in methods:
            importance = np.array(found[name][i])
            importance[place] = -np.inf  # the word that is asked about stays
            moved[name].append(float(effect[importance.argmax()]))
    return {f"dropped_{name}": round(float(np.mean(values)), 6) for name, values in moved.items()}


def _forms(test):
    return [text.split(" ")[place] for text, place in zip(test.text, test.place)]


def _separation(vectors, test, permutations):
    from attention_lab.evaluation.separation import separation
    return separation(vectors, test.label, _forms(test), permutations)


def _by_distance(run, test):
    """Accuracy as "least:greatest:distractors:sentences:accuracy;..."."""
    import csv

    from attention_lab.evaluation.classes import by_distance
    from attention_lab.tasks.classification import DISTANCES
    with open(run / "predictions.tsv", encoding="utf-8", newline="") as file:
        found = [row["found"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    counts = [len(sentence.senses[0].distractors) for sentence in test.truth]
    parts = []
    for count in sorted(set(counts)):
        own = [i for i, one in enumerate(counts) if one == count]
        some = test.select(own)
        scored = by_distance(some.truth, some.label, [found[i] for i in own], DISTANCES)
        parts += [f"{low}:{high}:{count}:{sentences}:{accuracy:.6f}"
                  for (low, high), (accuracy, sentences) in scored.items()]
    return ";".join(parts)


def _shown(test, before, after):
    """The first form in the order of the alphabet that has two senses: "form;sense:x:y:x:y;..."."""
    import numpy as np

    from attention_lab.evaluation.separation import plane
    forms = np.array(_forms(test))
    form = next(one for one in sorted(set(forms))
                if len({test.label[i] for i in np.flatnonzero(forms == one)}) > 1)
    own = np.flatnonzero(forms == form)
    points = np.concatenate([plane(before[own]), plane(after[own])], axis=1)
    return ";".join([form, *(f"{test.label[i]}:{':'.join(f'{x:.4f}' for x in point)}"
                             for i, point in zip(own, points))])


def by_distance(row):
    """What the text of a row holds: (bins, 5) of least, greatest, distractors, sentences, accuracy."""
    import numpy as np
    return np.array([[float(x) for x in part.split(":")] for part in row["by_distance"].split(";")])


def accuracy(row, where=None):
    """Accuracy over the bins that `where` picks, a function of the table of `by_distance`; None: all."""
    import numpy as np
    table = by_distance(row)
    table = table if where is None else table[where(table)]
    return float(np.average(table[:, 4], weights=table[:, 3]))


def nearest(table):
    """The bins of least distance."""
    return table[:, 0] == table[:, 0].min()


def farthest(table):
    """The bins of greatest distance."""
    return table[:, 0] == table[:, 0].max()


def distracted(table):
    """The bins in which a distractor stands."""
    return table[:, 2] > 0


def differences(rows):
    """Paired by seed."""
    import numpy as np

    def of(arm, column):
        return np.array(architectures.by_seed(rows, column, arm))

    def at(arm, where=None):
        return np.array([accuracy(row, where) for row in sorted(rows, key=lambda row: row["seed"])
                         if row["arm"] == arm])

    def worst(arm):
        edges = {low for row in rows for low in by_distance(row)[:, 0]}
        return np.min([at(arm, lambda table, low=low: table[:, 0] == low) for low in edges], axis=0)

    return {
        "context": of(ATTENTION, "macro_f1") - of(ALONE, "macro_f1") - 0.2,
        "solved": of(ATTENTION, "accuracy") - 0.99,
        "beyond_a_bag": of(ATTENTION, "accuracy") - of(BAG, "accuracy"),
        "beyond_a_bag_distracted": at(ATTENTION, distracted) - at(BAG, distracted),
        "no_decay": at(ATTENTION, farthest) - at(ATTENTION, nearest),
        "context_changes_the_vector": of(ATTENTION, "silhouette") - of(ATTENTION, "null"),
        "solved_everywhere": worst(ATTENTION) - 0.99,
        "bag_suffices": at(BAG, lambda table: ~distracted(table)) - at(
            ATTENTION, lambda table: ~distracted(table)),
        "recurrent_far": at(ATTENTION, farthest) - at("gru", farthest),
        "recurrent_decays": at("gru", farthest) - at("gru", nearest),
        "reader_solves": of(READER, "accuracy") - 0.99,
        "attended_matters": of(ATTENTION, "dropped_attention") - of(ATTENTION, "dropped_random"),
        "gradient_matters_more": of(ATTENTION, "dropped_gradient") - of(ATTENTION, "dropped_attention"),
        "before_the_layers": of(ATTENTION, "silhouette_before") - of(ATTENTION, "null_before"),
    }


def draw(rows, settings):
    """Accuracy by distance, without and with a distractor; vectors of one noun; silhouettes; learning."""
    import textwrap

    from attention_lab.figures import style
    with style.look():
        figure = style.figure(11.0, 6.6, layout="constrained")
        axes = figure.subplots(2, 3)
        for ax, distractors in zip(axes[0], (False, True)):
            _draw_distances(ax, rows, settings["arms"], distractors)
        for place, (arm, colour) in enumerate(zip(settings["arms"], style.COLOURS)):
            own = [row for row in rows if row["arm"] == arm]
            tuning.draw_curves([axes[0, 2]], [row["curve"] for row in own], arm, colour)
            excess = [row["silhouette"] - row["null"] for row in own]
            axes[1, 2].plot([place] * len(own), excess, "o", color=colour, markersize=4, alpha=0.7)
        axes[0, 2].set(ylabel="dev accuracy", ylim=(0, 1.02), xlim=(0, None))
        axes[1, 2].axhline(0.0, color=style.FAINT, zorder=0)
        axes[1, 2].set_xticks(range(len(settings["arms"])),
                              [textwrap.fill(arm, 9) for arm in settings["arms"]])
        axes[1, 2].set(ylabel="silhouette, less that of permuted")
        axes[1, 2].set_title("last states of one form; dots are seeds")
        _draw_vectors(axes[1, :2], rows)
        for ax in (*axes[0], axes[1, 2]):
            ax.grid(axis="y")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
        figure.suptitle("the sense of the grammar's ambiguous nouns; mean and range of "
                        f"{len({row['seed'] for row in rows})} seeds", parse_math=False)
    return figure


def _draw_distances(ax, rows, arms, distractors):
    import numpy as np

    from attention_lab.figures import style
    for arm, colour in zip(arms, style.COLOURS):
        tables = [by_distance(row) for row in rows if row["arm"] == arm]
        tables = np.stack([table[distracted(table) == distractors] for table in tables])
        ax.plot(tables[:, :, 4].mean(0), "o-", color=colour, markersize=4, label=arm)
        ax.fill_between(range(tables.shape[1]), tables[:, :, 4].min(0), tables[:, :, 4].max(0), color=colour,
                        alpha=0.15, linewidth=0)
    ax.set_xticks(range(tables.shape[1]), [f"{low:.0f} to {high:.0f}\n({count:.0f})"
                                           for low, high, _, count, _ in tables[0]])
    ax.set(xlabel="places to the deciding word (sentences)", ylabel="test accuracy", ylim=(0, 1.02))
    ax.set_title("beside a distractor" if distractors else "without distractors")


def _draw_vectors(axes, rows):
    """One form's vectors before and after self-attention, each in its own plane, to the same scale."""
    import numpy as np

    from attention_lab.figures import style
    row, = (row for row in rows if row["arm"] == ATTENTION and row["shown"])
    form, *points = row["shown"].split(";")
    senses = np.array([point.split(":")[0] for point in points])
    places = np.array([[float(x) for x in point.split(":")[1:]] for point in points])
    for ax, which, name in zip(axes, (places[:, :2], places[:, 2:]), ("before", "after")):
        for sense, colour in zip(sorted(set(senses)), style.COLOURS):
            own = which[senses == sense]
            ax.plot(own[:, 0], own[:, 1], "o", color=colour, markersize=5 if name == "after" else 9,
                    alpha=0.6, label=f"{sense} ({len(own)})")
        ax.set_title(f"“{form}” {name} self-attention")
        ax.set(xlabel="first principal component", ylabel="second")
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
    name="disambiguation",
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
    cells=architectures.cells, measure=measure, differences=differences, draw=draw, config=config,
    overrides=overrides)
