"""How does translation depend on the number of heads, at constant width? (Vaswani et al. 2017, table 3, A)

A Transformer of constant width with 1, 2, 4, ... heads: with h heads a head has queries, keys and values of
width / h units, so that the number of parameters is the same for all. Each number of heads takes the
learning rate with the best BLEU on dev, over tuning seeds; ten other seeds, paired across numbers of heads,
are scored on test, greedily. On the built-in grammar the shares of ambiguous nouns, verbs and pronouns that
are right are measured, too. Claims are on the grammar; `accelerator` also trains on Multi30k.
"""

from attention_lab.studies import Claim, Study, function, mean, nearest
from attention_lab.studies.recipes import architectures, rates, runs
from attention_lab.studies.recipes.drawing import seed_count, titled_figure
from attention_lab.studies.recipes.head_counts import best_rates, draw_heads, draw_rates, draw_training

GRAMMAR = "grammar"
VARIANTS = {GRAMMAR: "", "multi30k": "multi30k"}  # of configs/translation.py, by corpus
MEASURES = {"test_bleu": "BLEU", "test_sense": "ambiguous nouns right", "test_agreement": "verbs right",
            "test_pronoun": "pronouns right"}  # the last three: shares, of the grammar alone
MOST = 1000  # nearest to it: the largest number of heads
PLATEAU = 1.0  # BLEU on dev: a number of heads that gains more over its last fifth has not had enough steps


def score(column, heads):
    """A column of the final runs on the grammar with so many heads; a run that diverged counts as 0."""
    return mean(column, 0.0, stage="final", corpus=GRAMMAR, heads=nearest(heads))


CLAIMS = (
    Claim("several_lead_one", "the number of heads above one that is best on dev translates better than one "
          "head (BLEU)", function("lead_of_several"), "greater", margin=0.5, published=0.9),
    Claim("most_trail_four", "the most heads, of four units each, translate worse than four heads (BLEU)",
          score("test_bleu", MOST) - score("test_bleu", 4), "less", margin=0.5,
          published="drops with too many heads"),
    Claim("four_as_eight", "four and eight heads translate equally well, to one BLEU",
          score("test_bleu", 8) - score("test_bleu", 4), "equal", margin=1.0, published=0.3),
    Claim("senses_with_one", "one head has fewer ambiguous nouns right than four (share)",
          score("test_sense", 1) - score("test_sense", 4), "less", margin=0.02),
    Claim("pronouns_with_one", "one head has fewer pronouns right than four (share)",
          score("test_pronoun", 1) - score("test_pronoun", 4), "less", margin=0.02),
    Claim("verbs_with_one", "one head has as many verbs right as four, to one point (share)",
          score("test_agreement", 1) - score("test_agreement", 4), "equal", margin=0.01, primary=False),
    Claim("senses_with_most", "the most heads have more ambiguous nouns right than four (share)",
          score("test_sense", MOST) - score("test_sense", 4), "greater", margin=0.02, primary=False),
)


def lead_of_several(rows):
    """By seed: test BLEU on the grammar of the best of several heads, picked on dev, less that of one."""
    numbers = sorted({row["heads"] for row in rows if row["corpus"] == GRAMMAR} - {1})
    picked = max(numbers, key=lambda heads: max(best_rates(rows, corpus=GRAMMAR, heads=heads).values()))
    scores = {(row["heads"], row["seed"]): row["test_bleu"] or 0.0 for row in rows
              if row["stage"] == "final" and row["corpus"] == GRAMMAR}
    return {seed: scores[picked, seed] - score for (heads, seed), score in scores.items() if heads == 1}


def cells(settings):
    """Tuning cells, one number of heads after another; then the final ones."""
    return rates.cells(runs.crossed(corpus=settings["corpora"], heads=settings["heads"]), settings)


def overrides(cell, settings, rows):
    """The changes of a run in its config; the rate of a final one is None until rates are tuned."""
    corpus, rate = cell["corpus"], cell["rate"]
    if rate is None and rows is not None:
        scores = best_rates(rows, corpus=corpus, heads=cell["heads"])
        rate = rates.best(scores)
    return runs.with_data(
        runs.variant(architectures.FILE, VARIANTS[corpus]) | settings["corpora"][corpus] | {
            "model.num_heads": cell["heads"], "optimizer.learning_rate": rate, "seed": cell["seed"],
            "data.split": "test" if cell["stage"] == "final" else "dev"}, settings | {"variant": corpus})


def check(settings):
    """ValueError where the location of a real corpus is missing."""
    for corpus in settings["corpora"]:
        runs.with_data({}, settings | {"variant": corpus})


def draw(rows, settings):
    """By corpus: seeds over the number of heads, for each measure; dev BLEU over the rate and over steps."""
    final = [row for row in rows if row["stage"] == "final"]
    rising = rates.still_rising(rows, PLATEAU, "corpus", "heads")
    title = (f"{seed_count(final)} seeds, each number of heads at its best rate; bars: means and their 95 % "
             "intervals; curves: range\n"
             f"more than {PLATEAU:g} BLEU gained in the last fifth: {', '.join(rising) or 'none'}")
    panels = [(corpus, column) for corpus in settings["corpora"]
              for column in [*_measured(final, corpus), "rate", "curve"]]
    with titled_figure(10.2, 3.1 * -(-len(panels) // 3) + 0.5, title) as figure:
        for place, (corpus, column) in enumerate(panels, 1):
            ax = figure.add_subplot(-(-len(panels) // 3), 3, place)
            ax.set(title=corpus, ylabel="BLEU, dev")
            of_corpus = [row for row in rows if row["corpus"] == corpus]
            if column == "rate":
                draw_rates(ax, of_corpus, settings["heads"])
            elif column == "curve":
                draw_training(ax, of_corpus, settings["heads"])
            else:
                draw_heads(ax, of_corpus, settings["heads"], column, MEASURES[column])
    return figure


def _measured(rows, corpus):
    """The measures that any run on a corpus has; BLEU in any case."""
    return [column for column in MEASURES if column == "test_bleu" or any(
        row[column] is not None for row in rows if row["corpus"] == corpus)]


STUDY = Study(
    question="How does translation depend on the number of heads, at constant width?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "tuning_seeds": 1, "heads": (1, 2), "rates": (0.003,), "variant": "smoke",
                  "corpora": {GRAMMAR: architectures.smoke()}},
        "cpu": {"seeds": 10, "tuning_seeds": 3, "heads": (1, 2, 4, 8, 16),
                "rates": (0.003, 0.006, 0.01, 0.02),
                "variant": "", "corpora": {GRAMMAR: architectures.SHORT_GRAMMAR}},
        "accelerator": {"seeds": 10, "tuning_seeds": 4, "heads": (1, 2, 4, 8, 16, 32),
                        "rates": (0.0003, 0.001, 0.003, 0.01), "variant": "", "corpora": {
                            GRAMMAR: architectures.GRAMMAR | {
                                "data.lexicon_size": 1000, "data.train_size": 100000, "data.test_size": 2000,
                                "model.num_layers": 4, "model.width": 128, "model.hidden": 256,
                                "training.steps": 4000, "training.eval_every": 400,
                                "training.checkpoint_every": 4000},
                            "multi30k": architectures.LONG_CAPTIONS | {
                                "training.eval_every": 1200, "training.checkpoint_every": 1200}}},
    },
    cells=cells, measure=architectures.measure_words, draw=draw, labels=("corpus",),
    functions={"lead_of_several": lead_of_several},
    config=architectures.FILE + ":{variant}", overrides=overrides, check=check)
