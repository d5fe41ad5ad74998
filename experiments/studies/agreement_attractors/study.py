"""Does a verb get the number of its subject when other nouns stand between them? (Linzen et al. 2016)

A causal Transformer and an LSTM of as many weights learn to predict the next word, from sentences of Linzen
et al. or, apart from them, of the built-in grammar. At the verb they are asked for p(right form) > p(wrong
form), given the words before it, by the number of attractors: nouns of the other number between subject and
verb. Of Linzen et al.'s sentences those without attractors mostly have singular verbs and those with several
mostly plural ones, so that who always prefers the more frequent form seems to become better with attractors:
accuracy is the mean of that on singular and that on plural subjects, in which such a preference has 1/2.
"""

import numpy as np

from attention_lab.analysis import minimal_pairs, verb_numbers
from attention_lab.data import sources
from attention_lab.data.verbs import is_singular
from attention_lab.figures import style
from attention_lab.statistics.bootstrap import two_level
from attention_lab.studies import Claim, Study, difference, mean
from attention_lab.studies.recipes import rates, runs
from attention_lab.studies.recipes.architectures import parameters
from attention_lab.studies.recipes.drawing import draw_curves, draw_estimate, seed_count, titled_figure
from attention_lab.tasks.load import load

FILE = "configs/language.py"
T, LSTM = "transformer", "lstm"
ARMS = {T: "", LSTM: "lstm"}
NAMES = {T: "Transformer", LSTM: "LSTM"}
TEXT, GRAMMAR = "text", "grammar"
# Numbers of attractors: first and last.
GROUPS = {"0": (0, 0), "1": (1, 1), "2": (2, 2), "3up": (3, 99), "1up": (1, 99), "2up": (2, 99)}
SHOWN = {"0": "0", "1": "1", "2": "2", "3up": "3 or more"}
# Columns of what counts of words prefer, beside a column of accuracy: name and line.
COUNTED = {"balanced": {"unigram": ("more frequent form", "--"), "bigram": ("after the word before", ":")},
           "share": {"unigram_share": ("more frequent form", "--")}}
GUESS = 0.5  # accuracy of a run that diverged, or where subjects of one number are missing
PLATEAU = 0.02  # nats a word on dev: an arm that gains more over its last fifth has not had enough steps


def accuracy(arm, group, column="balanced", corpus=TEXT):
    """A column of the final runs of an arm, in a group of GROUPS."""
    return mean(f"{column}_{group}", GUESS, stage="final", corpus=corpus, arm=arm)


def fall(arm, corpus=TEXT):
    """Accuracy without attractors less that with two or more."""
    return accuracy(arm, "0", corpus=corpus) - accuracy(arm, "2up", corpus=corpus)


CLAIMS = (
    Claim("transformer_learns", "without attractors a Transformer is right more often than the preference "
          "for the more frequent form", accuracy(T, "0") - accuracy(T, "0", "unigram"), "greater",
          margin=0.02),
    Claim("lstm_learns", "without attractors an LSTM is right more often than that preference",
          accuracy(LSTM, "0") - accuracy(LSTM, "0", "unigram"), "greater", margin=0.02),
    Claim("transformer_falls", "a Transformer is right less often with two or more attractors than without "
          "(accuracy without less that with)", fall(T), "greater", margin=0.02, published="falls"),
    Claim("lstm_falls", "an LSTM is right less often with two or more attractors than without", fall(LSTM),
          "greater", margin=0.02, published="falls"),
    Claim("transformer_leads", "with attractors (one or more) a Transformer is right more often than an LSTM",
          accuracy(T, "1up") - accuracy(LSTM, "1up"), "greater", margin=0.02),
    Claim("falls_alike", "from none to two or more attractors an LSTM loses more than a Transformer",
          fall(LSTM) - fall(T), "greater", margin=0.02, primary=False),
    Claim("leads_without", "without attractors a Transformer is right more often than an LSTM",
          accuracy(T, "0") - accuracy(LSTM, "0"), "greater", margin=0.02, primary=False),
    Claim("beyond_bigrams", "without attractors a Transformer is right more often than counts of the verb "
          "after the word before it", accuracy(T, "0") - accuracy(T, "0", "bigram"), "greater", margin=0.02,
          primary=False),
    Claim("attracted", "with two or more attractors a Transformer is right less often than by chance",
          accuracy(T, "2up"), "less", 0.5, margin=0.02, primary=False),
    Claim("grammar_transformer_falls", "on the grammar a Transformer is right less often with two or more "
          "attractors than without", fall(T, GRAMMAR), "greater", margin=0.02, primary=False),
    Claim("grammar_lstm_falls", "on the grammar an LSTM is right less often with two or more attractors than "
          "without", fall(LSTM, GRAMMAR), "greater", margin=0.02, primary=False),
    Claim("grammar_transformer_leads", "on the grammar, with attractors, a Transformer is right more often "
          "than an LSTM", difference("balanced_1up", T, LSTM, GUESS, stage="final", corpus=GRAMMAR),
          "greater", margin=0.02, primary=False),
)


def best_rates(rows, **arm):
    """{rate: minus the mean log perplexity on dev of the tuning seeds}; a run that diverged is last."""
    return rates.by_rate(rows, "dev_log_likelihood", -np.inf, **arm)


def cells(settings):
    """Tuning cells of each corpus and arm; then the final ones."""
    return rates.cells(runs.crossed(corpus=settings["corpora"], arm=ARMS), settings)


def overrides(cell, settings, rows):
    """The changes of a run in its config; the rate of a final one is None until rates are tuned."""
    corpus, arm, rate, width = cell["corpus"], cell["arm"], cell["rate"], settings["width"]
    if rate is None and rows is not None:
        scores = best_rates(rows, corpus=corpus, arm=arm)
        rate = rates.best(scores)
    changes = runs.variant(FILE, ARMS[arm]) | settings["config"] | settings["corpora"][corpus] | {
        "data.source": "agreement", "model.width": width,
        "model.hidden": 4 * width if arm == T else lstm_size(width), "optimizer.learning_rate": rate,
        "seed": cell["seed"], "data.split": "test" if cell["stage"] == "final" else "dev"}
    return runs.with_data(changes, settings | {"variant": settings["files"].get(corpus, "")})


def lstm_size(width):
    """Units h of an LSTM of two layers with the weights of two layers of a Transformer, 24 d^2 at width d.

    Its layers have 4 (d + h) h and 8 h^2 weights, the way back to the embeddings h d.
    """
    return round(width * (-5 + (25 + 48 * 24) ** 0.5) / 24)


def check(settings):
    """ValueError where the location of the real sentences is missing."""
    for variant in settings["files"].values():
        runs.with_data({}, settings | {"variant": variant})


def measure(cell, settings, train):
    """Log-odds of the right form on dev (tuning) or test, and accuracy by attractors, of model and counts."""
    run = train(cell)
    finished = load(run.folder)
    data, split = finished.run.config.data, finished.run.config.data.split
    parts = sources.load(data, ("train", split))
    verbs = parts[split]
    known = minimal_pairs.scored(finished.model.tokenizer, verbs, data.context)
    odds = np.where(known, 0.0, np.nan) if run.result["status"] == "diverged" else minimal_pairs.log_odds(
        finished.model, finished.params, verbs, data.context)
    counted = {name: np.where(known, getattr(verb_numbers, name)(parts["train"], verbs), np.nan)
               for name in ("unigram", "bigram")}
    singular = np.array([is_singular(*forms) for forms in zip(verbs.right, verbs.wrong)])
    attractors = np.array(verbs.attractors)
    row = {"status": run.result["status"], "weights": parameters(finished.params),
           "rate_used": run.changes["optimizer.learning_rate"],
           "train_seconds": run.result["train_seconds"], "dev_log_likelihood": None, "late_rise": None,
           "curve": runs.curve(run.evaluations, "dev_perplexity")}
    if run.result["status"] == "finished":
        row["dev_log_likelihood"] = -float(np.log(run.result["dev_perplexity"]))
        row["late_rise"] = rates.late_rise(-np.log(row["curve"][:, 1]))
    for group, (first, last) in GROUPS.items():
        chosen = (first <= attractors) & (attractors <= last)
        scored = chosen & known
        row |= {f"verbs_{group}": int(chosen.sum()), f"scored_{group}": int(scored.sum())}
        for name, preference in {"balanced": odds, **counted}.items():
            value = verb_numbers.balanced(preference[chosen], singular[chosen])
            row[f"{name}_{group}"] = None if np.isnan(value) else value
        for name, preference in {"share": odds, "unigram_share": counted["unigram"]}.items():
            row[f"{name}_{group}"] = float(
                verb_numbers.correct(preference[scored]).mean()) if scored.any() else None
    kept = slice(None) if cell["stage"] == "final" else slice(0)
    return row | {"odds": odds[kept], "unigram": counted["unigram"][kept],
                  "singular": singular[kept].astype(float), "attractors": attractors[kept].astype(float)}


RESAMPLED = ("0", "1up", "2up")


def resampled(rows):
    """Intervals of the primary claims from resampled seeds and test sentences."""
    final = {(row["arm"], row["seed"]): row for row in rows
             if (row["stage"], row["corpus"]) == ("final", TEXT)}
    seeds = sorted({seed for _, seed in final})
    if len(seeds) < 2:
        return {}
    parts = np.stack([_by_sentence([final[arm, seed] for arm in ARMS]) for seed in seeds])

    def values(sums):  # (seeds, groups, numbers, preferences and count)
        means = (sums[..., :-1] / np.maximum(sums[..., -1:], 1)).mean(axis=2)
        transformer, lstm, unigram = np.moveaxis(means, -1, 0)
        return np.stack([transformer[:, 0] - unigram[:, 0], lstm[:, 0] - unigram[:, 0],
                         transformer[:, 0] - transformer[:, 2], lstm[:, 0] - lstm[:, 2],
                         transformer[:, 1] - lstm[:, 1]], axis=1)

    return dict(zip([claim.name for claim in CLAIMS if claim.primary], two_level(parts, values)))


def _by_sentence(of_arms):
    """(sentences, groups, numbers, preferences and count): 1 where a preference is right, in its cell."""
    first = of_arms[0]
    right = [verb_numbers.correct(odds) for odds in (*(row["odds"] for row in of_arms), first["unigram"])]
    known = ~np.isnan(right).any(axis=0)
    columns = np.stack([*np.nan_to_num(right), np.ones(len(known))], axis=1) * known[:, None]
    groups = np.stack([(GROUPS[name][0] <= first["attractors"]) & (first["attractors"] <= GROUPS[name][1])
                       for name in RESAMPLED], axis=1)
    numbers = np.stack([first["singular"] == 1, first["singular"] == 0], axis=1)
    return groups[:, :, None, None] * numbers[:, None, :, None] * columns[:, None, None, :]


def draw(rows, settings):
    """By corpus: accuracy over attractors, a dot for each seed, beside that of counts; dev perplexity."""
    final = [row for row in rows if row["stage"] == "final"]
    rising = rates.still_rising(rows, PLATEAU, "corpus", "arm")
    title = (f"{seed_count(final)} seeds, each arm at its best rate; dots: seeds, bars: means and their 95 % "
             f"intervals; curves: range\nmore than {PLATEAU:g} nats gained in the last fifth: "
             f"{', '.join(rising) or 'none'}")
    with titled_figure(10.4, 3.3 * len(settings["corpora"]) + 0.5, title) as figure:
        axes = figure.subplots(len(settings["corpora"]), 3, width_ratios=(1.3, 1.3, 1), squeeze=False)
        for (balanced, share, curves), corpus in zip(axes, settings["corpora"]):
            of_corpus = [row for row in final if row["corpus"] == corpus]
            _draw_groups(balanced, of_corpus, "balanced")
            _draw_groups(share, of_corpus, "share")
            balanced.set(title=corpus, ylabel="accuracy, mean of both numbers", ylim=(0, 1.03))
            share.set(title=corpus, ylabel="accuracy, all verbs", ylim=(0, 1.03))
            for arm, colour in zip(ARMS, style.COLOURS):
                draw_curves([curves], [row["curve"] for row in of_corpus if row["arm"] == arm], NAMES[arm],
                            colour)
            curves.set(title=corpus, ylabel="perplexity, dev", yscale="log")
            style.plain_log(curves.yaxis, (1, 1.5, 2, 3, 5, 7))
            balanced.axhline(GUESS, color=style.FAINT, linewidth=1, zorder=0)
            balanced.legend(fontsize=7, loc="lower left")
    return figure


def _draw_groups(ax, rows, column):
    """Seeds of each arm over the number of attractors, and what counts of words have."""
    for place, (arm, colour) in enumerate(zip(ARMS, style.COLOURS)):
        for x, group in enumerate(SHOWN):
            scores = [row[f"{column}_{group}"] for row in rows
                      if row["arm"] == arm and row[f"{column}_{group}"] is not None]
            if scores:
                draw_estimate(ax, x + 0.24 * (place - 0.5), scores, colour, None if x else NAMES[arm],
                              half=0.1)
    for counted, (name, line) in COUNTED[column].items():
        scores = [rows[0][f"{counted}_{group}"] for group in SHOWN]
        ax.plot(range(len(SHOWN)), [np.nan if score is None else score for score in scores], line,
                color=style.INK, linewidth=1, label=name)
    verbs = [f"{name}\n({rows[0][f'scored_{group}']:.0f})" for group, name in SHOWN.items()]
    ax.set_xticks(range(len(SHOWN)), verbs)
    ax.set_xlabel("attractors (verbs scored)")


_CONFIG = {"optimizer.warmup_steps": 100, "training.dropout": 0.3, "training.batch_tokens": 1024,
           "training.average_decay": 0.0}
_TEXT = {"data.context": 32, "data.vocabulary_size": 4000, "training.steps": 1000, "training.eval_every": 100,
         "training.checkpoint_every": 1000}
_GRAMMAR = {"data.context": 24, "data.lexicon_size": 300, "data.test_size": 4000, "data.dev_size": 400,
            "training.steps": 1000, "training.eval_every": 100, "training.checkpoint_every": 1000,
            "training.dropout": 0.1}
_SMOKE = {"data.train_size": 200, "data.dev_size": 40, "data.test_size": 400, "data.context": 24,
          "training.steps": 4, "training.eval_every": 2, "training.checkpoint_every": 4}

STUDY = Study(
    question="Does a verb get the number of its subject when other nouns stand between them?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "tuning_seeds": 1, "rates": (0.003,), "width": 16, "variant": "smoke",
                  "files": {}, "config": {}, "corpora": {TEXT: _SMOKE, GRAMMAR: _SMOKE | {
                      "data.corpus_seed": 1}}},
        "cpu": {"seeds": 10, "tuning_seeds": 2, "rates": (0.002, 0.006, 0.02), "width": 64, "variant": "",
                "files": {TEXT: "linzen"}, "config": _CONFIG,
                "corpora": {TEXT: _TEXT, GRAMMAR: _GRAMMAR}},
        "accelerator": {"seeds": 16, "tuning_seeds": 4, "rates": (0.0003, 0.001, 0.003, 0.01), "width": 256,
                        "variant": "", "files": {TEXT: "linzen"}, "config": _CONFIG, "corpora": {
                            TEXT: _TEXT | {"data.context": 56, "data.vocabulary_size": 8000,
                                           "training.steps": 6000, "training.eval_every": 200,
                                           "training.checkpoint_every": 6000, "training.dropout": 0.5},
                            GRAMMAR: _GRAMMAR | {"data.lexicon_size": 1000, "data.train_size": 100000,
                                                 "training.steps": 10000, "training.eval_every": 1000,
                                                 "training.checkpoint_every": 10000}}},
    },
    cells=cells, measure=measure, draw=draw, labels=("corpus",), config=FILE + ":{variant}",
    overrides=overrides, check=check, resampled=resampled)
