"""Attention held against what a classifier goes by: arms and instruments of the studies of explanation.

Arms that are trained on the labels (stage base):

    lstm        reads both ways, pools by additive attention (Jain & Wallace 2019)
    average     sees each token alone, pools by additive attention: their control
    uniform     the lstm with equal weights (Wiegreffe & Pinter 2019)
    encoder     self-attention that reads the place asked about; where the truth is known

Adversaries are lstms trained to give the predictions of the lstm of their seed by other weights. Students
are `average` under weights that are not theirs: equal ones, those of the lstm, those of its adversary. All
are scored on test; which step is taken is chosen on dev.
"""

import functools

from experiments.studies import training
from experiments.studies.architectures import by_seed

LSTM, AVERAGE, UNIFORM, ENCODER = "lstm", "average", "uniform", "encoder"
ADVERSARY = "adversary"
STUDENTS = {"student of uniform": "", "student of lstm": LSTM, "student of adversary": ADVERSARY}
_ALONE = {"model.kind": "average", "model.bidirectional": False}
ARMS = {
    LSTM: {},
    AVERAGE: _ALONE,
    UNIFORM: {"attention.weights": "uniform"},
    ENCODER: {"model.kind": "encoder", "model.bidirectional": False, "model.pooling": "place",
              "attention.compatibility": "dot", "model.num_layers": 2, "model.positions": "rotary"},
}
EXPLAINED = (LSTM, AVERAGE, ENCODER)  # arms that the instruments are held to
PAIRS = {"gradient": ("attention", "gradient_detached"), "leave_one_out": ("attention", "leave_one_out"),
         "between": ("gradient_detached", "leave_one_out"), "random": ("random", "gradient_detached")}
POOLED = ("attention", "value_norm", "value_zeroing", "gradient", "input_gradient", "leave_one_out", "random")
LAYERED = ("attention", "attention_mean", "rollout", *POOLED[1:])
BINS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the largest weight of a sentence
COLUMNS = ("status", "dev_accuracy", "test_accuracy", "test_macro_f1",
           *(f"tau_{name}{what}" for name in PAIRS for what in ("", "_significant")), "tau_by_class",
           *(f"auc_{name}" for name in LAYERED), "auc_sentences", "permuted", "permuted_by_largest",
           "frozen_apart", "frozen_far", "frozen_variation", "frozen_each", "other_seed_apart",
           "other_seed_variation", "variation", "jensen_shannon")


def cells(settings):
    """Base runs of every arm and seed, then adversaries, then students."""
    def of(stage, arm, worth, seeds):
        return [{"stage": stage, "arm": arm, "worth": worth, "seed": seed} for seed in range(seeds)]

    found = [cell for arm in settings["arms"] for cell in of("base", arm, "", settings["seeds"])]
    main, *others = settings["worths"]
    found += of(ADVERSARY, ADVERSARY, main, settings["seeds"])
    found += [cell for worth in others for cell in of(ADVERSARY, ADVERSARY, worth, settings["curve_seeds"])]
    return found + [cell for arm in STUDENTS for cell in of("student", arm, "", settings["seeds"])]


def config(settings):
    """The config file of the runs."""
    return settings["file"]


def overrides(cell, settings, rows):
    """What the run behind a cell changes in its config."""
    shared = settings["config"] | {"seed": cell["seed"], "data.split": "test"}
    shared = training.with_data(settings["study"], shared, settings)
    if cell["stage"] == "base":
        return shared | ARMS[cell["arm"]] | settings["arms"][cell["arm"]]
    lstm = shared | settings["arms"][LSTM]
    if cell["stage"] == ADVERSARY:
        return lstm | {"attention.weights": "adversarial", "attention.divergence": cell["worth"],
                       "attention.guide": _folder(LSTM, "", cell, settings)}
    student = shared | _ALONE | settings["arms"][AVERAGE]
    guide = STUDENTS[cell["arm"]]
    if not guide:
        return student | {"attention.weights": "uniform"}
    worth = settings["worths"][0] if guide == ADVERSARY else ""
    return student | {"attention.weights": "frozen", "attention.guide": _folder(guide, worth, cell, settings)}


def _folder(arm, worth, cell, settings):
    """The run folder of the arm of the same seed that another one goes by."""
    from attention_lab.config.load import load
    from attention_lab.sweeps.plan import plan
    stage = ADVERSARY if arm == ADVERSARY else "base"
    changed = overrides({"stage": stage, "arm": arm, "worth": worth, "seed": cell["seed"]}, settings, [])
    group, = plan(load(config(settings)), [changed])
    return str(group.cells[0].folder(settings["runs"]))


def measure(cell, settings, rows, folder):
    """Trains a cell, or reads it where it is finished, and holds the instruments to it."""
    guides = [LSTM] if cell["stage"] != "base" else []
    guides += [ADVERSARY] if STUDENTS.get(cell["arm"]) == ADVERSARY else []
    for guide in guides:
        _trained(guide, cell["seed"], settings, folder)
    result, _, where = training.trained(config(settings), overrides(cell, settings, rows), folder,
                                        settings["study"])
    found = dict.fromkeys(COLUMNS, "") | {"status": result["status"]}
    if result["status"] != "finished":
        return found
    found |= {name: result[name] for name in ("dev_accuracy", "test_accuracy", "test_macro_f1")}
    if cell["stage"] == ADVERSARY:
        found |= {"variation": result["test_variation"], "jensen_shannon": result["test_jensen_shannon"]}
    if cell["arm"] in EXPLAINED:
        found |= _explained(cell, where, settings)
    if cell["arm"] == LSTM:
        other = _trained(LSTM, (cell["seed"] + 1) % settings["seeds"], settings, folder)
        found |= _apart(where, other, settings)
    return found


def _trained(arm, seed, settings, folder):
    stage, worth = (ADVERSARY, settings["worths"][0]) if arm == ADVERSARY else ("base", "")
    changed = overrides({"stage": stage, "arm": arm, "worth": worth, "seed": seed}, settings, [])
    return training.trained(config(settings), changed, folder, settings["study"])[2]


@functools.lru_cache(maxsize=4)
def _corpus(data):
    from attention_lab.data import sources
    return sources.load(data, ("test",))["test"]


def _read(where, settings):
    """A finished run, and the first sentences of test: those that the instruments are held to."""
    from attention_lab.tasks.load import load
    run = load(where)
    test = _corpus(run.run.config.data)
    return run, test.select(range(min(settings["sentences"], len(test))))


def _explained(cell, where, settings):
    import numpy as np

    from attention_lab.analysis import agreement, explanations
    run, sentences = _read(where, settings)
    pooled = cell["arm"] != ENCODER
    methods = (POOLED if pooled else LAYERED) + ("gradient_detached",)
    found = explanations.explain(run.classifier, run.params, sentences, methods)
    row = {}
    by_class = {label: [] for label in sorted(set(sentences.label))}
    for name, (one, other) in PAIRS.items():
        tau = agreement.kendall(found[one], found[other])
        row |= {f"tau_{name}": float(np.nanmean(tau)),
                f"tau_{name}_significant": agreement.significant_share(found[one], found[other])}
        if name in ("gradient", "leave_one_out") and sentences.truth is None:
            for label in by_class:
                own = tau[[one == label for one in sentences.label]]
                by_class[label].append(float(np.nanmean(own)))
    row["tau_by_class"] = ";".join(":".join([label, *(f"{tau:.4f}" for tau in taus)])
                                   for label, taus in by_class.items() if taus)
    if sentences.truth is not None:
        row |= _found(run, sentences, found, methods)
    if pooled:
        row |= _moved(cell, run, sentences, settings)
    return row


def _found(run, sentences, found, methods):
    """How well each explainer finds the deciding word, in sentences that the model gets right."""
    from attention_lab.analysis import agreement
    labels = run.classifier.judge(run.params, sentences).labels
    right = [i for i, (label, gold) in enumerate(zip(labels, sentences.label)) if label == gold]
    deciders = [sentences.truth[i].senses[0].decider for i in right]
    places = [sentences.place[i] for i in right]
    row = {"auc_sentences": len(right)}
    for name in methods:
        if f"auc_{name}" in COLUMNS:
            chosen = [found[name][i] for i in right]
            row[f"auc_{name}"] = float(agreement.finding_auc(chosen, deciders, places).mean())
    return row


def _moved(cell, run, sentences, settings):
    """What other weights do to the frozen model: permuted ones, and the worst that were found."""
    import jax
    import numpy as np

    from attention_lab.analysis import adversaries, permutation
    key = jax.random.key(cell["seed"])
    largest, moved = (np.asarray(x) for x in permutation.shuffled(
        run.classifier, run.params, sentences, key, times=settings["shuffles"]))
    parts = []
    for low, high in zip(BINS, BINS[1:]):
        inside = (largest > low) & (largest <= high)
        parts += [f"{high}:{moved[inside].mean():.4f}:{inside.sum()}"] if inside.any() else []
    apart, variation = (np.asarray(x) for x in adversaries.frozen(
        run.classifier, run.params, sentences, key, steps=settings["attack_steps"],
        starts=settings["attack_starts"]))
    return {"permuted": float(np.mean(moved)), "permuted_by_largest": ";".join(parts),
            "frozen_apart": float(np.mean(apart)), "frozen_far": float(np.mean(apart > 0.6)),
            "frozen_variation": float(np.mean(variation)),
            "frozen_each": ";".join(f"{one:.3f}" for one in np.sort(apart))}


def _apart(where, other, settings):
    """How far the weights and predictions of two seeds are from each other: the yardstick of adversaries."""
    from attention_lab.models.classifier import POOL
    from attention_lab.tasks.classification import guidance
    (run, sentences), (rival, _) = _read(where, settings), _read(other, settings)
    own, its = (one.classifier.judge(one.params, sentences, with_weights=True) for one in (run, rival))
    found = guidance.compared(own, {"guide": [one[POOL][0, 0, 0] for one in its.weights],
                                    "answer": its.probabilities}, 0.0)
    return {"other_seed_apart": found["jensen_shannon"], "other_seed_variation": found["variation"]}


def numbers(rows, column, arm, worth=None):
    """A column of an arm's rows, the seeds rising; of adversaries those of one worth."""
    import numpy as np
    own = [row for row in rows if worth is None or row["worth"] == worth]
    return np.array(by_seed(own, column, arm))


def main_worth(rows):
    """The worth of which all seeds were trained: the first that was."""
    return next(row["worth"] for row in rows if row["arm"] == ADVERSARY)
