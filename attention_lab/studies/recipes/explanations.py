"""Attention compared with other explanations of a classifier: arms and instruments of several studies.

Arms trained on the labels (stage base):

    lstm        bidirectional, pools by additive attention (Jain & Wallace 2019)
    average     encodes each token alone, pools by additive attention: their control
    uniform     the lstm with equal weights (Wiegreffe & Pinter 2019)
    encoder     self-attention, read at the target word; only where the truth is known

Adversaries are lstms trained to keep the predictions of the lstm of their seed with other attention weights.
Students are `average` under attention weights that are not theirs: equal ones, those of the lstm, those of
its adversary. Checkpoints are selected on dev, and all arms scored on test.
"""

import functools

import jax
import numpy as np

from attention_lab.analysis import adversaries, agreement, explanations, permutation
from attention_lab.data.sources import load as load_corpus
from attention_lab.models.classifier import POOL
from attention_lab.statistics import Claim
from attention_lab.studies.recipes import runs
from attention_lab.studies.values import difference, mean, nearest
from attention_lab.tasks.classification import guidance
from attention_lab.tasks.load import load as load_run

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
EXPLAINED = (LSTM, AVERAGE, ENCODER)  # arms that the instruments measure
PAIRS = {"gradient": ("attention", "gradient_detached"), "leave_one_out": ("attention", "leave_one_out"),
         "between": ("gradient_detached", "leave_one_out"), "random": ("random", "gradient_detached")}
POOLED = ("attention", "value_norm", "value_zeroing", "gradient", "input_gradient", "leave_one_out", "random")
LAYERED = ("attention", "attention_mean", "rollout", *POOLED[1:])
BY_CLASS = ("gradient", "leave_one_out")  # pairs that are also told by the predicted class
BINS = (0.0, 0.25, 0.5, 0.75, 1.0)  # edges of bins of a sentence's largest weight
COLUMNS = ("status", "dev_accuracy", "test_accuracy", "test_macro_f1",
           *(f"tau_{name}{what}" for name in PAIRS for what in ("", "_significant")), "tau_by_class",
           *(f"auc_{name}" for name in LAYERED), "auc_sentences", "permuted", "permuted_by_largest",
           "frozen_apart", "frozen_far", "frozen_variation", "frozen_each", "other_seed_apart",
           "other_seed_variation", "variation", "jensen_shannon")

INSTRUMENTS = {"shuffles": 100, "attack_steps": 300, "attack_starts": 3}
DIVERGENCE_WEIGHTS = (0.001, 0.0001, 0.01)  # all seeds, and the claims, take the first
MANY_WEIGHTS = (0.001, 0.0001, 0.0003, 0.003, 0.01)
SMOKE = {
    "seeds": 2, "curve_seeds": 0, "divergence_weights": (0.01,), "sentences": 6,
    "file": "configs/sentiment.py:smoke", "variant": "",
    "config": {"training.steps": 2, "training.eval_every": 2, "training.checkpoint_every": 2,
               "data.test_size": 12, "data.train_size": 200, "data.max_words": 12, "data.max_length": 16,
               "data.buckets": (16,), "data.most_distance": 4, "training.batch_tokens": 128},
    "shuffles": 3, "attack_steps": 5, "attack_starts": 1}


def of_adversary(column):
    """A column of the adversaries with the first of DIVERGENCE_WEIGHTS."""
    return mean(column, arm=ADVERSARY, divergence_weight=nearest(DIVERGENCE_WEIGHTS[0]))


# Claims that do not need the truth.
CONTEXT_BLURS = Claim(
    "context_blurs", "attention agrees with gradients by over 0.15 of tau more where each token is encoded "
    "alone than in an LSTM", difference("tau_gradient", AVERAGE, LSTM), "greater", 0.15,
    published="0.26 (SST)")
ANOTHER_DISTRIBUTION = Claim(
    "another_distribution", "another distribution gives the same output: on the frozen LSTM, weights over "
    "half of log 2 apart (mean over sentences)", mean("frozen_apart", arm=LSTM), "greater", 0.3466,
    published="0.48 to 0.49 (SST)")
CAN_BE_TRAINED = Claim(
    "can_be_trained", "a model that would produce it can be trained: an adversary's weights are farther from "
    "its guide's than another seed's are",
    of_adversary("jensen_shannon") - mean("other_seed_apart", arm=LSTM), "greater", published="mixed")
OF_USE = Claim(
    "of_use", "weights of the LSTM serve a model without context better than equal ones (accuracy)",
    difference("test_accuracy", "student of lstm", "student of uniform"), "greater")
ADVERSARY_MISLEADS = Claim(
    "adversary_misleads", "weights of an adversary serve a model without context worse than equal ones",
    difference("test_accuracy", "student of adversary", "student of uniform"), "less", primary=False)
UNIFORM_AS_GOOD = ("uniform_as_good", "an LSTM with equal weights is as accurate, to one point",
                   difference("test_accuracy", LSTM, UNIFORM), "equal")


def cells(settings):
    """Base runs of every arm and seed, then adversaries, then students."""
    def of(stage, arms, weights, seeds):
        return runs.crossed(stage=[stage], arm=arms, divergence_weight=weights, seed=range(seeds))

    main, *others = settings["divergence_weights"]
    return (of("base", settings["arms"], [None], settings["seeds"])
            + of(ADVERSARY, [ADVERSARY], [main], settings["seeds"])
            + of(ADVERSARY, [ADVERSARY], others, settings["curve_seeds"])
            + of("student", STUDENTS, [None], settings["seeds"]))


def _guide(arm, seed, settings):
    """The cell of the model that guides an adversary or a student."""
    if arm == ADVERSARY:
        return {"stage": ADVERSARY, "arm": arm, "divergence_weight": settings["divergence_weights"][0],
                "seed": seed}
    return {"stage": "base", "arm": arm, "divergence_weight": None, "seed": seed}


def overrides(cell, settings, rows):
    """The changes of a run in its config."""
    shared = runs.with_data(settings["config"] | {"seed": cell["seed"], "data.split": "test"}, settings)
    if cell["stage"] == "base":
        return shared | ARMS[cell["arm"]] | settings["arms"][cell["arm"]]
    if cell["stage"] == ADVERSARY:
        return shared | settings["arms"][LSTM] | {
            "attention.weights": "adversarial", "attention.divergence": cell["divergence_weight"],
            "attention.guide": _guide_folder(LSTM, cell["seed"], settings, rows)}
    student, guide = shared | _ALONE | settings["arms"][AVERAGE], STUDENTS[cell["arm"]]
    if not guide:
        return student | {"attention.weights": "uniform"}
    return student | {"attention.weights": "frozen",
                      "attention.guide": _guide_folder(guide, cell["seed"], settings, rows)}


def _guide_folder(arm, seed, settings, rows):
    """The run folder of the guide of this seed; the hashed recipe (rows None) names no folder."""
    if rows is None:
        return f"the run of {arm}, seed {seed}"
    changes = overrides(_guide(arm, seed, settings), settings, rows)
    return str(runs.cell_of(settings["file"], changes).folder(settings["runs"]))


def measure(cell, settings, train):
    """Scores of a run; for an explained arm also the measurements of the instruments."""
    guides = [LSTM] if cell["stage"] != "base" else []
    guides += [ADVERSARY] if STUDENTS.get(cell["arm"]) == ADVERSARY else []
    for guide in guides:
        train(_guide(guide, cell["seed"], settings))
    run = train(cell)
    row = dict.fromkeys(COLUMNS) | {"status": run.result["status"]}
    if run.result["status"] != "finished":
        return row
    row |= {name: run.result[name] for name in ("dev_accuracy", "test_accuracy", "test_macro_f1")}
    if cell["stage"] == ADVERSARY:
        guide = train(_guide(LSTM, cell["seed"], settings))
        row |= _distance(run.folder, guide.folder, settings)
    if cell["arm"] in EXPLAINED:
        row |= _explained(cell, run.folder, settings)
    if cell["arm"] == LSTM:
        other = train(_guide(LSTM, (cell["seed"] + 1) % settings["seeds"], settings))
        apart = _distance(run.folder, other.folder, settings)
        row |= {"other_seed_apart": apart["jensen_shannon"], "other_seed_variation": apart["variation"]}
    return row


@functools.lru_cache(maxsize=4)
def _corpus(data):
    return load_corpus(data, ("test",))["test"]


def read(folder, count):
    """A finished run, and the test sentences that the instruments use, as of `sample`."""
    trained = load_run(folder)
    return trained, sample(_corpus(trained.run.config.data), count)


def sample(sentences, count):
    """So many sentences, always the same, drawn at random: the first of a file may be of one class."""
    drawn = np.random.default_rng(0).permutation(len(sentences))[:count]
    return sentences.select(sorted(drawn.tolist()))


def _explained(cell, folder, settings):
    trained, sentences = read(folder, settings["sentences"])
    pooled = cell["arm"] != ENCODER
    methods = (POOLED if pooled else LAYERED) + ("gradient_detached",)
    importance = explanations.explain(trained.classifier, trained.params, sentences, methods)
    row = _agreements(trained, sentences, importance)
    if sentences.truth is not None:
        row |= _causes(trained, sentences, importance, methods)
    if pooled:
        row |= _counterfactuals(cell, trained, sentences, settings)
    return row


def _agreements(trained, sentences, importance):
    """How well importances agree; where the truth is unknown, also by the predicted class.

    tau_by_class: (classes in alphabetical order, 2): attention with gradients, and with leaving words out.
    """
    row, of_class = {}, {}
    for name, pair in PAIRS.items():
        tau = agreement.kendall(*(importance[method] for method in pair))
        share = agreement.significant_share(*(importance[method] for method in pair))
        row |= {f"tau_{name}": float(np.nanmean(tau)), f"tau_{name}_significant": share}
        of_class[name] = by_prediction(trained, sentences, tau)
    if sentences.truth is None:
        row["tau_by_class"] = np.array([of_class[name] for name in BY_CLASS]).T
    return row


def by_prediction(trained, sentences, values):
    """The means of values (N,) over the sentences in which each class of a word, by its number, is predicted.

    Classes as many as a word has at most, in alphabetical order; nan for one without a finite value.
    """
    classes = {word: sorted(labels) for word, labels in trained.classifier.classes.items()}
    predicted = trained.classifier.predict(trained.params, sentences).labels
    numbers = np.array([classes[word].index(label) for word, label in zip(sentences.word, predicted)])
    return [float(np.mean(chosen)) if len(chosen) else np.nan
            for chosen in (values[(numbers == number) & np.isfinite(values)]
                           for number in range(max(map(len, classes.values()))))]


def _causes(trained, sentences, importance, methods):
    """How well each explainer ranks the deciding word, in sentences that the model gets right."""
    labels = trained.classifier.predict(trained.params, sentences).labels
    right = [i for i, (label, gold) in enumerate(zip(labels, sentences.label)) if label == gold]
    deciders = [sentences.truth[i].senses[0].decider for i in right]
    targets = [sentences.position[i] for i in right]
    row = {"auc_sentences": len(right)}
    for name in methods:
        if f"auc_{name}" in COLUMNS:
            chosen = [importance[name][i] for i in right]
            row[f"auc_{name}"] = float(agreement.finding_auc(chosen, deciders, targets).mean())
    return row


def _counterfactuals(cell, trained, sentences, settings):
    """The effect of other attention weights on the frozen model: permuted ones, and the worst of a search."""
    key = jax.random.key(cell["seed"])
    largest, moved = (np.asarray(x) for x in permutation.shuffled(
        trained.classifier, trained.params, sentences, key, times=settings["shuffles"]))
    parts = []
    for low, high in zip(BINS, BINS[1:]):
        inside = (largest > low) & (largest <= high)
        parts += [(high, moved[inside].mean(), inside.sum())] if inside.any() else []
    apart, variation = (np.asarray(x) for x in adversaries.frozen(
        trained.classifier, trained.params, sentences, key, steps=settings["attack_steps"],
        starts=settings["attack_starts"]))
    return {"permuted": float(np.mean(moved)), "permuted_by_largest": np.array(parts),
            "frozen_apart": float(np.mean(apart)), "frozen_far": float(np.mean(apart > 0.6)),
            "frozen_variation": float(np.mean(variation)), "frozen_each": np.sort(apart)}


def _distance(folder, other_folder, settings):
    """Divergence of the attention weights, and total variation of the predictions, between two runs.

    An adversary and its guide, and two seeds, its yardstick, are compared on the same sentences.
    """
    (trained, sentences), (other, _) = (read(each, settings["sentences"]) for each in (folder, other_folder))
    predicted, guide = (model.classifier.predict(model.params, sentences, with_weights=True)
                        for model in (trained, other))
    distances = guidance.compared(predicted, {"guide": [weights[POOL][0, 0, 0] for weights in guide.weights],
                                              "answer": guide.probabilities}, 0.0)
    return {"jensen_shannon": distances["jensen_shannon"], "variation": distances["variation"]}


# Fields of Study.
SHARED = {"cells": cells, "measure": measure, "config": "{file}", "overrides": overrides,
          "check": runs.check_data}
