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
from experiments.studies import architectures, disambiguation_figure, distances, training
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
    from attention_lab.analysis import word_vectors
    from attention_lab.tasks.load import load
    result, looks, run = training.trained(config(settings), overrides(cell, settings, rows), folder,
                                          "disambiguation")
    held = load(run)
    test = _test(held.run.config.data)
    before, after = word_vectors.vectors(held.classifier, held.params, test)
    separate = functools.partial(_separation, test=test, permutations=settings["permutations"])
    first, last = separate(before), separate(after)
    return {"status": result["status"], "parameters": result["parameters"],
            "dev_accuracy": result["dev_accuracy"], "accuracy": result["test_accuracy"],
            "macro_f1": result["test_macro_f1"], "most_frequent": result["test_most_frequent_accuracy"],
            "by_distance": distances.scored(run, test), "forms": last.groups, "forms_left_out": last.left_out,
            "silhouette_before": round(first.silhouette, 6), "null_before": round(first.null, 6),
            "silhouette": round(last.silhouette, 6), "null": round(last.null, 6),
            "shown": _shown(test, before, after) if cell["seed"] == 0 else "",
            **_dropped(held, test.select(range(min(settings["dropped"], len(test)))), cell),
            "curve": ";".join(f"{line['step']}:{line['dev_accuracy']:.4f}" for line in looks)}


@functools.cache
def _test(data):
    """The test sentences of a corpus, which do not hang on the size of the training part."""
    from attention_lab.config import replace
    from attention_lab.data import sources
    return sources.load(replace(data, {"train_size": 1}), ("test",))["test"]


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


def differences(rows):
    """Paired by seed."""
    import numpy as np

    def of(arm, column):
        return np.array(architectures.by_seed(rows, column, arm))

    def at(arm, where=None):
        return np.array([distances.accuracy(row, where) for row in sorted(rows, key=lambda row: row["seed"])
                         if row["arm"] == arm])

    def worst(arm):
        edges = {low for row in rows for low in distances.table(row)[:, 0]}
        return np.min([at(arm, lambda table, low=low: table[:, 0] == low) for low in edges], axis=0)

    return {
        "context": of(ATTENTION, "macro_f1") - of(ALONE, "macro_f1") - 0.2,
        "solved": of(ATTENTION, "accuracy") - 0.99,
        "beyond_a_bag": of(ATTENTION, "accuracy") - of(BAG, "accuracy"),
        "beyond_a_bag_distracted": at(ATTENTION, distances.distracted) - at(BAG, distances.distracted),
        "no_decay": at(ATTENTION, distances.farthest) - at(ATTENTION, distances.nearest),
        "context_changes_the_vector": of(ATTENTION, "silhouette") - of(ATTENTION, "null"),
        "solved_everywhere": worst(ATTENTION) - 0.99,
        "bag_suffices": at(BAG, lambda table: ~distances.distracted(table)) - at(
            ATTENTION, lambda table: ~distances.distracted(table)),
        "recurrent_far": at(ATTENTION, distances.farthest) - at("gru", distances.farthest),
        "recurrent_decays": at("gru", distances.farthest) - at("gru", distances.nearest),
        "reader_solves": of(READER, "accuracy") - 0.99,
        "attended_matters": of(ATTENTION, "dropped_attention") - of(ATTENTION, "dropped_random"),
        "gradient_matters_more": of(ATTENTION, "dropped_gradient") - of(ATTENTION, "dropped_attention"),
        "before_the_layers": of(ATTENTION, "silhouette_before") - of(ATTENTION, "null_before"),
    }


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
    cells=architectures.cells, measure=measure, differences=differences,
    draw=functools.partial(disambiguation_figure.draw, shown=ATTENTION), config=config,
    overrides=overrides)
