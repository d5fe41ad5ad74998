"""Do heads specialise? (Voita et al. 2019; Clark et al. 2019)

A Transformer translates the grammar's sentences. The number of a verb, where only its subject shows it in
English, and the gender of a pronoun are choices between the right French form and the wrong one, given the
source and the reference before it: log-odds of the right form. Heads are left out one at a time: their
context is replaced by its mean over tokens (of dev), or by zeros. The head that costs most agreement and
the head that costs most gender are picked on the sentences of even index and scored on those of odd index:
if heads specialise, each costs its own choice more than the other head does, by more than a permutation of
the heads' labels gives. The head that looks at the subject, the antecedent or the adjective's noun most
often is compared with the best fixed distance, picked and scored likewise.
"""

import numpy as np

from attention_lab.analysis import head_ablation
from attention_lab.analysis.head_roles import ODD, RELATIONS, Choices, batches, linked
from attention_lab.data.sources import load as load_corpus
from attention_lab.figures import style
from attention_lab.studies import Claim, Study, function, mean
from attention_lab.studies.recipes import architectures, dissociations
from attention_lab.studies.recipes.dissociations import crossed
from attention_lab.studies.recipes.drawing import draw_seeds, titled_figure
from attention_lab.tasks.load import load

ARM = "transformer"
CHOICES = {"agreement": "verb's number", "pronoun": "pronoun's gender"}
AGREEMENT, PRONOUN = CHOICES
ABLATIONS = ("mean", "zero")
PAIRS = {"subject": "verb: subject", "antecedent": "pronoun: antecedent", "noun": "adjective: noun"}


def lead(relation):
    """Share of related words that the best head looks at, minus that of the best fixed distance."""
    return mean(f"{relation}_head") - mean(f"{relation}_fixed")


CLAIMS = (
    Claim("agreement_has_a_head", "without the head picked for agreement a verb's number is less certain "
          "than without the head picked for gender (nats of log-odds, the other half of the sentences)",
          crossed(AGREEMENT), "greater", published="heads specialise"),
    Claim("gender_has_a_head", "without the head picked for gender a pronoun's gender is less certain than "
          "without the head picked for agreement (nats of log-odds, the other half)", crossed(PRONOUN),
          "greater", published="heads specialise"),
    Claim("beyond_permuted_labels", "both differences together are above those of 95 % of all permutations "
          "of the heads' labels (nats)", crossed("beyond"), "greater"),
    Claim("subject_head", "a head looks from a verb at its subject more often than the best fixed distance "
          "(share)", lead("subject"), "greater", published="syntactic heads"),
    Claim("antecedent_head", "a head looks from a pronoun at its antecedent more often than the best fixed "
          "distance (share)", lead("antecedent"), "greater", published="coreference heads"),
    Claim("noun_head", "a head looks from an adjective at its noun more often than the best fixed distance "
          "(share)", lead("noun"), "greater"),
    Claim("agreement_zeros", "agreement_has_a_head, where zeros replace a head's context",
          crossed(AGREEMENT, "odds_zero"), "greater", primary=False),
    Claim("gender_zeros", "gender_has_a_head, where zeros replace a head's context",
          crossed(PRONOUN, "odds_zero"), "greater", primary=False),
    Claim("agreement_errors", "agreement_has_a_head, in points of accuracy", crossed(AGREEMENT, "lost_mean"),
          "greater", primary=False),
    Claim("gender_errors", "gender_has_a_head, in points of accuracy", crossed(PRONOUN, "lost_mean"),
          "greater", primary=False),
    Claim("zeros_cost_more", "a head replaced by zeros costs more agreement than one replaced by its mean "
          "(nats, mean over heads)", function("zeros_over_means"), "greater", primary=False),
)


def measure(cell, settings, train):
    """What each choice loses without each head, and what the best heads of encoder self-attention find."""
    run = train(cell)
    trained = load(run.folder)
    translator, params = trained.translator, trained.params
    corpus = load_corpus(trained.run.config.data, ("dev", "test"))
    choices, dev = Choices(translator, corpus["test"].truth), corpus["dev"]
    means = head_ablation.mean_contexts(translator.model, params, batches(translator, dev.source, dev.target),
                                        translator.hyper)
    whole = choices.log_odds(params)
    row = {"status": run.result["status"], "dev_bleu": run.result["dev_bleu"]}
    row |= {f"{name}_accuracy": float((odds > 0).mean()) for name, odds in whole.items()}
    row |= {f"{name}_cases": len(odds) for name, odds in whole.items()}
    for ablation in ABLATIONS:
        lost = [_lost(choices, whole, choices.log_odds(head_ablation.without(
            params, head, translator.config.model, means[head] if ablation == "mean" else None)))
            for head in means]
        row |= {f"{name}_{ablation}": array for name, array in zip(("lost", "odds"), np.stack(lost, axis=-1))}
    attentions = translator.attention(params, corpus["test"].source, corpus["test"].target)
    for relation in RELATIONS:
        scores = linked(attentions, corpus["test"].truth, relation)
        row |= {f"{relation}_{name}": value for name, value in scores._asdict().items()}
    return row


def _lost(choices, whole, without):
    """Points of accuracy, and nats, that each choice loses in each half of the sentences."""
    return [[dissociations.lost(scored(whole[name]), scored(without[name]), choices.sentence[name])
             for name in CHOICES] for scored in (dissociations.points, np.asarray)]


def zeros_over_means(rows):
    """Nats of agreement lost by zeros beyond those lost by means, mean over heads and halves, by seed."""
    return {row["seed"]: float((row["odds_zero"][0] - row["odds_mean"][0]).mean()) for row in rows}


def draw(rows, settings):
    """What both choices lose without each head; the picked heads crossed; heads against fixed distances."""
    title = (f"{len(rows)} seeds of a Transformer; a head's context is replaced by its mean; heads are "
             "picked on one half of the sentences and scored on the other")
    with titled_figure(13.2, 4.2, title) as figure:
        axes = figure.subplots(1, 3, width_ratios=(1.2, 1.0, 1.2))
        kinds = list(head_ablation.KINDS)
        for index, (kind, colour) in enumerate(zip(kinds, style.COLOURS)):
            lost = [row["odds_mean"][:, ODD].reshape(2, len(kinds), -1)[:, index] for row in rows]
            axes[0].plot(*np.concatenate(lost, axis=1), "o", color=colour, markersize=4, alpha=0.6,
                         label=kind)
        axes[0].set(xlabel=f"nats lost: {CHOICES[AGREEMENT]}", ylabel=f"nats lost: {CHOICES[PRONOUN]}",
                    title="every head of every seed")
        axes[0].legend(title="attention")
        dissociations.draw_crossed(axes[1], rows, "odds_mean", tuple(CHOICES.values()), (AGREEMENT, "gender"))
        for x, relation in enumerate(RELATIONS):
            for shift, name, label, colour in ((-0.15, "head", "best head", style.COLOURS[0]),
                                               (0.15, "fixed", "best fixed distance", style.COLOURS[1])):
                draw_seeds(axes[2], x + shift, [row[f"{relation}_{name}"] for row in rows], colour,
                           None if x else label, markersize=4)
        axes[2].set_xticks(range(len(RELATIONS)), [PAIRS[name] for name in RELATIONS])
        axes[2].set(ylabel="share of words", ylim=(-0.03, 1.03), title="looks at the related word")
        axes[2].legend()
    return figure


STUDY = Study(
    question="Do heads specialise, one for agreement and one for gender?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "arms": {ARM: {}},
                  "config": architectures.smoke(test=300) | {
                      "data.split": "dev", "data.vocabulary_size": 6000, "data.train_size": 1000,
                      "data.max_words": 12}},
        "cpu": {"seeds": 10, "variant": "", "arms": {ARM: {"model.hidden": 256}},
                "config": architectures.GRAMMAR | {
                    "data.split": "dev", "data.lexicon_size": 600, "data.test_size": 2000,
                    "training.steps": 1600, "training.eval_every": 800, "training.checkpoint_every": 1600}},
        "accelerator": {"seeds": 16, "variant": "", "arms": {ARM: {
            "model.num_layers": 6, "model.num_heads": 8, "model.width": 256, "model.hidden": 512}},
            "config": architectures.GRAMMAR | architectures.LONG_GRAMMAR | {
                "data.split": "dev", "data.test_size": 4000, "optimizer.learning_rate": 0.001,
                "training.eval_every": 2000, "training.checkpoint_every": 4000}},
    },
    measure=measure, draw=draw, functions={"dissociated": dissociations.dissociated(*CHOICES),
                                           "zeros_over_means": zeros_over_means}, **architectures.SHARED)
