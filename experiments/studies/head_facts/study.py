"""Does a head of a language model carry facts, and another one agreement?

A causal Transformer learns to predict the next word of sentences that tell facts about invented people, each
fact in five ways, among sentences of the grammar. Four ways to tell a fact are in training; the fifth is
scored on test, where the name and the relation decide: log p(value) - log p(another value of the same
relation). Agreement of a verb with its subject is scored likewise, in sentences of the grammar. Heads are
left out one at a time: their context is replaced by its mean over the tokens of dev, or by zeros. The head
that costs facts most and the one that costs agreement most are picked on the sentences of even index and
scored on those of odd index, as in `head_roles`. Feed-forward nets are left out, too: they are said to store
what a model knows (Geva et al. 2021).
"""

import jax
import numpy as np

from attention_lab.analysis import head_ablation, minimal_pairs
from attention_lab.analysis.head_roles import EVEN, ODD, picked
from attention_lab.data import sequences, sources
from attention_lab.data.synthetic.facts import RELATIONS, VERB
from attention_lab.figures import style
from attention_lab.studies import Claim, Study, function, mean
from attention_lab.studies.recipes import dissociations, runs
from attention_lab.studies.recipes.dissociations import crossed
from attention_lab.studies.recipes.drawing import draw_seeds, titled_figure
from attention_lab.tasks.load import load

FACT = "fact"
KINDS = {FACT: "facts", VERB: "agreement"}  # and what a head is picked for
SHOWN = ("facts", "verb's number")
ABLATIONS = ("mean", "zero")
ROWS = 256  # sentences at once


CLAIMS = (
    Claim("facts_are_known", "told in a new way, the right value is preferred in over nine of ten facts "
          "(share)", mean("fact_accuracy"), "greater", 0.9, margin=0.02),
    Claim("facts_have_a_head", "without the head picked for facts a fact is less certain than without the "
          "head picked for agreement (nats of log-odds, the other half of the sentences)", crossed(FACT),
          "greater", published="heads specialise"),
    Claim("agreement_has_a_head", "without the head picked for agreement a verb's number is less certain "
          "than without the head picked for facts (nats of log-odds, the other half)", crossed(VERB),
          "greater", published="heads specialise"),
    Claim("beyond_permuted_labels", "both differences together are above those of 95 % of all permutations "
          "of the heads' labels (nats)", crossed("beyond"), "greater"),
    Claim("no_head_alone", "without the head picked for facts less than a tenth of the facts become wrong "
          "(points of accuracy, the other half)", function("head_cost", kind=FACT), "less", 10.0, margin=2.0),
    Claim("name_head", "a head looks from the word before the value at the person's last name more often "
          "than the best fixed distance (share)", mean("name_head") - mean("name_fixed"), "greater",
          margin=0.02),
    Claim("nets_cost_more", "without the costliest feed-forward net a fact loses more than without the "
          "costliest head, both replaced by zeros (nats, the other half)",
          function("net_over_head", kind=FACT), "greater", published="nets store facts"),
    Claim("nets_cost_agreement", "so does agreement", function("net_over_head", kind=VERB), "greater",
          primary=False),
    Claim("one_relation_alone", "without the head picked for one relation it loses more than without the "
          "heads picked for the other relations (nats, mean over relations, the other half)",
          function("between_relations"), "greater", primary=False),
    Claim("facts_zeros", "facts_have_a_head, where zeros replace a head's context",
          crossed(FACT, "odds_zero"), "greater", primary=False),
    Claim("agreement_zeros", "agreement_has_a_head, where zeros replace a head's context",
          crossed(VERB, "odds_zero"), "greater", primary=False),
    Claim("facts_errors", "facts_have_a_head, in points of accuracy", crossed(FACT, "lost_mean"), "greater",
          primary=False),
    Claim("agreement_errors", "agreement_has_a_head, in points of accuracy", crossed(VERB, "lost_mean"),
          "greater", primary=False),
)


def cells(settings):
    """A run for each seed."""
    return runs.crossed(seed=range(settings["seeds"]))


def overrides(cell, settings, rows):
    """The changes of a run."""
    return settings["config"] | {"model.num_layers": settings["layers"], "seed": cell["seed"]}


def measure(cell, settings, train):
    """What facts and verbs lose without each head and each feed-forward net, and what heads look at."""
    run = train(cell)
    trained = load(run.folder)
    language, params, config = trained.model, trained.params, trained.run.config
    corpus = sources.load(config.data, ("dev", config.data.split))
    pairs, length = corpus[config.data.split], config.data.context
    known = minimal_pairs.scored(language.tokenizer, pairs, length)
    pairs = pairs.select(np.flatnonzero(known).tolist())
    kind = np.array(pairs.kind)
    chosen = {FACT: kind != VERB, VERB: kind == VERB, **{name: kind == name for name in RELATIONS}}

    def log_odds(params):
        return minimal_pairs.log_odds(language, params, pairs, length)

    def lost(left, scored=np.asarray):
        """(kinds, halves, things left out), from the log-odds without each of them."""
        return np.stack([[dissociations.lost(scored(whole[of]), scored(odds[of]), np.arange(of.sum()))
                          for of in chosen.values()] for odds in left], axis=-1)

    whole = log_odds(params)
    dev = corpus["dev"].contexts(language.tokenizer, length)
    batches = sequences.in_order(dev, min(ROWS, len(dev.target)))
    means = head_ablation.mean_contexts(language.model, params, batches, language.hyper)
    row = {"status": run.result["status"], "dev_perplexity": run.result["dev_perplexity"],
           "curve": runs.curve(run.evaluations, "dev_perplexity")}
    row |= {f"{name}_accuracy": float((whole[of] > 0).mean()) for name, of in chosen.items()}
    row |= {f"{name}_cases": int(of.sum()) for name, of in chosen.items()}
    for ablation in ABLATIONS:
        left = [log_odds(head_ablation.without(
            params, head, config.model, context if ablation == "mean" else None))
            for head, context in means.items()]
        both, relations = np.split(lost(left), [len(KINDS)])
        row |= {f"odds_{ablation}": both, f"relations_{ablation}": relations,
                f"lost_{ablation}": lost(left, dissociations.points)[:len(KINDS)]}
    nets = [log_odds(head_ablation.without_feed_forward(params, layer))
            for layer in range(config.model.num_layers)]
    return row | {"odds_nets": lost(nets)[:len(KINDS)]} | _looks(
        language, params, pairs.select(np.flatnonzero(chosen[FACT]).tolist()), length)


def _looks(language, params, facts, length):
    """How often the best head looks at the last name, and how often the best fixed distance is its."""
    contexts, heads = facts.contexts(language.tokenizer, length), []
    for batch in sequences.in_order(contexts, min(ROWS, len(facts))):
        weights = jax.device_get(_weights(language, params, batch))
        real = batch["example"] >= 0
        heads.append(np.moveaxis(weights, 1, 0)[real])  # (rows, L, H, T, S)
    places, names = np.array(facts.position), np.array(facts.name)
    at_value = np.concatenate(heads)[np.arange(len(facts)), :, :, places]
    # Inputs begin with the end mark: the word before the value is input `position`, a name `name` + 1.
    hits = (at_value.argmax(axis=-1) == names[:, None, None] + 1).reshape(len(facts), -1)
    halves, distances = np.arange(len(facts)) % 2, places - names - 1
    number, head = picked(hits, halves, "names")
    each = np.unique(distances)
    column, fixed = picked(distances[:, None] == each, halves, "names")
    return {"name_number": number, "name_head": head, "name_fixed": fixed, "name_distance": int(each[column])}


def _weights(language, params, batch):
    return language.model.apply(params, batch, language.hyper, with_weights=True).weights["encoder"]


def head_cost(rows, kind):
    """By seed: points of accuracy lost without the head that costs most nats on the half for picking."""
    index = list(KINDS).index(kind)
    return {row["seed"]: float(row["lost_mean"][index, ODD, row["odds_mean"][index, EVEN].argmax()])
            for row in rows}


def net_over_head(rows, kind):
    """By seed: nats lost without the costliest feed-forward net beyond those without the costliest head."""
    index = list(KINDS).index(kind)

    def cost(losses):  # (halves, things)
        return losses[ODD, losses[EVEN].argmax()]

    return {row["seed"]: float(cost(row["odds_nets"][index]) - cost(row["odds_zero"][index]))
            for row in rows}


def between_relations(rows):
    """By seed: nats that a relation loses without its head beyond those without the heads of the others."""
    def lead(losses):  # (relations, halves, heads)
        heads = losses[:, EVEN].argmax(axis=-1)
        table = losses[:, ODD][:, heads]  # of each relation without the head picked for each
        return float(np.mean([table[i, i] - np.delete(table[i], i).mean() for i in range(len(table))]))

    return {row["seed"]: lead(row["relations_mean"]) for row in rows}


def draw(rows, settings):
    """What facts and verbs lose without each head; the picked heads crossed; heads against nets."""
    title = (f"{len(rows)} seeds of a language model; a head's context is replaced by its mean; heads are "
             "picked on one half of the sentences and scored on the other")
    with titled_figure(13.2, 4.2, title) as figure:
        axes = figure.subplots(1, 3, width_ratios=(1.2, 1.0, 1.2))
        layers = settings["layers"]
        lost = np.stack([row["odds_mean"][:, ODD].reshape(len(KINDS), layers, -1) for row in rows], axis=2)
        for layer, colour in zip(range(layers), style.COLOURS):
            axes[0].plot(*lost[:, layer].reshape(len(KINDS), -1), "o", color=colour, markersize=4, alpha=0.6,
                         label=f"layer {layer + 1}")
        axes[0].set(xlabel=f"nats lost: {SHOWN[0]}", ylabel=f"nats lost: {SHOWN[1]}",
                    title="every head of every seed")
        axes[0].legend()
        dissociations.draw_crossed(axes[1], rows, "odds_mean", SHOWN, tuple(KINDS.values()))
        for x, kind in enumerate(KINDS):
            for shift, column, label, colour in ((-0.15, "odds_zero", "costliest head", style.COLOURS[0]),
                                                 (0.15, "odds_nets", "costliest feed-forward net",
                                                  style.COLOURS[1])):
                costs = [row[column][x] for row in rows]
                draw_seeds(axes[2], x + shift, [cost[ODD, cost[EVEN].argmax()] for cost in costs], colour,
                           None if x else label, markersize=4)
        axes[2].set_xticks(range(len(KINDS)), SHOWN)
        axes[2].set(ylabel="nats lost", title="replaced by zeros")
        axes[2].legend()
    return figure


_CONFIG = {"data.source": "facts", "data.context": 12, "data.max_words": 10, "data.lexicon_size": 300,
           "training.batch_tokens": 1024, "training.average_decay": 0.0, "training.dropout": 0.1,
           "data.split": "test"}

STUDY = Study(
    question="Does a head of a language model carry facts, and another one agreement?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "layers": 2, "config": _CONFIG | {
            "data.train_size": 200, "data.dev_size": 20, "data.test_size": 60, "data.people": 20,
            "training.batch_tokens": 256}},
        "cpu": {"seeds": 10, "variant": "", "layers": 2, "config": _CONFIG | {
            "data.people": 100, "data.train_size": 6000, "data.dev_size": 100, "data.test_size": 300,
            "training.steps": 2000, "training.eval_every": 200, "training.checkpoint_every": 2000}},
        "accelerator": {
            "seeds": 16, "variant": "", "layers": 6, "config": _CONFIG | {
                "model.num_heads": 8, "model.width": 256, "model.hidden": 1024,
                "data.people": 1000, "data.train_size": 60000, "data.dev_size": 1000, "data.test_size": 3000,
                "training.batch_tokens": 4096, "optimizer.learning_rate": 0.001, "training.steps": 10000,
                "training.eval_every": 1000, "training.checkpoint_every": 10000}},
    },
    cells=cells, measure=measure, draw=draw, overrides=overrides, config="configs/language.py:{variant}",
    functions={"dissociated": dissociations.dissociated(*KINDS), "head_cost": head_cost,
               "net_over_head": net_over_head, "between_relations": between_relations})
