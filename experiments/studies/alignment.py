"""Does cross-attention look at the words that it translates? (Bahdanau et al. 2015, figure 3)

The built-in grammar, whose links are exact, by a GRU with additive and with dot attention and by a
Transformer. A target word is linked to the source word with the largest weight, read at the step that
predicts it or at the one that takes it in. Layer and head, and the step where a claim leaves it open, are
chosen on one half of the test sentences and scored on the other, those of an untrained model as well; "by
value" multiplies a weight by the norm of what its position adds.
"""

import json

from attention_lab.statistics import Claim
from experiments.studies import architectures, training
from experiments.studies.record import Study

SHOWN = 2  # sentences drawn: the first of test that have an adjective after its noun

CLAIMS = (
    Claim("additive_aligns", "a GRU's additive attention errs less than half as often as the diagonal",
          "aer_predict", ("half of the diagonal's", "gru, additive"), "greater", published="mostly aligned"),
    Claim("input_beats_predict", "a Transformer's best head errs less at the step that takes a word in than "
          "at the step that predicts it", "aer", ("input", "predict"), "less", published="29.8 against 47.7"),
    Claim("head_beats_mean", "a Transformer's best head errs less than the mean of all (at the input)", "aer",
          ("best", "mean"), "less", published="29.8 against 68.5"),
    Claim("values_help", "weights times the norm of the value err less (a Transformer's best head at the "
          "input)", "aer", ("by value", "by weight"), "less", published="25.0 against 29.8"),
    Claim("learned", "a Transformer's best head errs less than that of one that was not trained", "aer",
          ("trained", "not trained"), "less"),
    Claim("inversions", "a GRU's additive attention finds more than half of the adjectives that change "
          "places with their noun", "inversions", ("gru, additive", "0.5"), "greater", published="reversed"),
    Claim("additive_beats_transformer", "a GRU's additive attention errs less than a Transformer's best "
          "head, each at its better step", "aer", ("gru, additive", "transformer"), "less", primary=False),
    Claim("dot_aligns", "a GRU's dot attention errs less than half as often as the diagonal", "aer_predict",
          ("half of the diagonal's", "gru, dot"), "greater", primary=False),
)


def overrides(cell, settings, rows):
    """What the run behind a cell changes in its config."""
    return architectures.overrides(cell, settings)


def measure(cell, settings, rows, folder):
    """Trains a cell, or reads it where it is finished, and aligns the test sentences by its attention."""
    from attention_lab.analysis import alignment
    from attention_lab.data import sources
    result, _, run = training.trained(architectures.config(settings), overrides(cell, settings, rows), folder,
                                      "alignment")
    finished = architectures.finished(run)
    pairs = sources.load(finished.run.config.data, ("test",))["test"]
    found = alignment.errors(finished, (pairs.source, pairs.target), [one.alignment for one in pairs.truth])
    places = [(sentence, link) for sentence, one in enumerate(pairs.truth)
              for link in alignment.inversions(one)]
    links = found.chosen["predict", False].links
    right = sum(link in links[sentence] for sentence, link in places)
    shown = list(dict.fromkeys(sentence for sentence, _ in places))[:SHOWN]
    return architectures.facts(result, finished.params) | {
        "test_bleu": result["test_bleu"], **columns(found),
        "inversions": right / max(len(places), 1), "inverted": len(places),
        "shown": _shown(finished, pairs.select(shown), found.chosen) if cell["seed"] == 0 else ""}


def columns(found):
    """Errors as columns of a row; every_...: of all, "0.1:0.2500" for head 1 of layer 0."""
    row = {}
    for (step, by_value), one in found.chosen.items():
        name = step + "_by_value" * by_value
        row |= {f"aer_{name}": one.error_rate, f"selection_{name}": one.selection_rate,
                f"mean_{name}": one.mean, f"head_{name}": f"head {one.name}",
                f"every_{name}": ";".join(f"{head}:{rate:.4f}" for head, rate in one.rates.items())}
    return row | {f"aer_{name}": getattr(found, name) for name in ("not_trained", "diagonal", "uniform")}


def better_step(rows, arm):
    """Error rates of an arm, seed by seed, at the step that errs less on the half that is not scored."""
    import numpy as np
    selection, scored = (np.array([architectures.by_seed(rows, f"{name}_{step}", arm) for step in STEPS])
                         for name in ("selection", "aer"))
    return np.take_along_axis(scored, selection.argmin(axis=0)[None], axis=0)[0]


def _shown(finished, pairs, chosen):
    """What a heat map needs of a few sentences, as JSON: words, gold links, weights as chosen."""
    import numpy as np

    from attention_lab.analysis import alignment
    from attention_lab.config import split
    kind = finished.translator.tokenizer.kind
    looked = finished.translator.attention(finished.params, pairs.source, pairs.target,
                                           split(finished.run.config)[1])
    panels = [{"source": source.split(), "target": target.split(), "links": truth.alignment,
               "weights": {step: np.round(alignment.readings(one, kind, step)[chosen[step, False].name],
                                          3).tolist() for step in alignment.STEPS}}
              for one, source, target, truth in zip(looked, pairs.source, pairs.target, pairs.truth)]
    return json.dumps(panels, ensure_ascii=False)


def differences(rows):
    """Paired by seed."""
    import numpy as np

    def of(arm, column):
        return np.array(architectures.by_seed(rows, column, arm))

    def half(arm):
        return 0.5 * of(arm, "aer_diagonal") - of(arm, "aer_predict")

    at_input = of("transformer", "aer_input")
    return {
        "additive_aligns": half("gru, additive"),
        "input_beats_predict": at_input - of("transformer", "aer_predict"),
        "head_beats_mean": at_input - of("transformer", "mean_input"),
        "values_help": of("transformer", "aer_input_by_value") - at_input,
        "learned": better_step(rows, "transformer") - of("transformer", "aer_not_trained"),
        "inversions": of("gru, additive", "inversions") - 0.5,
        "additive_beats_transformer":
            better_step(rows, "gru, additive") - better_step(rows, "transformer"),
        "dot_aligns": half("gru, dot"),
    }


STEPS = {"predict": "predicts", "input": "takes in"}
BARS = {"predict": "weight, at the step that predicts", "input": "weight, at the step that takes in",
        "predict_by_value": "by value, predicts", "input_by_value": "by value, takes in"}


def draw_rates(ax, rows, arms):
    """Error rates of every arm and reading, seed by seed, beside every head's and the baselines."""
    import numpy as np

    from attention_lab.figures import style
    for place, (name, colour) in enumerate(zip(BARS, style.COLOURS)):
        for at, arm in enumerate(arms):
            values = architectures.by_seed(rows, f"aer_{name}", arm)
            x = at + 0.18 * (place - 1.5)
            every = [float(one.split(":")[1]) for row in rows if row["arm"] == arm
                     for one in row[f"every_{name}"].split(";") if "mean" not in one]
            ax.plot(np.full(len(every), x + 0.09), every, "_", color=colour, markersize=5, alpha=0.25)
            ax.plot(np.full(len(values), x), values, "o", color=colour, markersize=3, alpha=0.6)
            ax.plot([x - 0.07, x + 0.07], [np.mean(values)] * 2, color=colour, linewidth=2,
                    label=BARS[name] if not at else None)
    for name, line in (("uniform", ":"), ("diagonal", "--"), ("not_trained", "-")):
        for at, arm in enumerate(arms):
            ax.hlines(np.mean(architectures.by_seed(rows, f"aer_{name}", arm)), at - 0.45, at + 0.45,
                      color=style.FAINT, linestyle=line, zorder=0,
                      label=None if at else name.replace("_", " "))
    ax.set_xticks(range(len(arms)), arms)
    ax.set(ylabel="alignment error rate, chosen on the other half", ylim=(0, 1))
    ax.grid(axis="y")
    ax.legend(ncols=2, fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1.0))


def draw(rows, settings):
    """Error rates, and heat maps of the first test sentences with an adjective after its noun."""
    import numpy as np

    from attention_lab.figures import heatmap, style
    arms = list(settings["arms"])
    drawn = {arm: row for arm in arms for row in rows if row["arm"] == arm and row["shown"]}
    with style.look():
        figure = style.figure(11.0, 8.4, layout="constrained")
        grid = figure.add_gridspec(2, 1 + SHOWN * 2, width_ratios=(2.2,) + (1,) * SHOWN * 2)
        draw_rates(figure.add_subplot(grid[:, 0]), rows, arms)
        for line, arm in enumerate(("gru, additive", "transformer")):
            step = min(STEPS, key=lambda step: np.mean(architectures.by_seed(rows, f"aer_{step}", arm)))
            row = drawn[arm]
            title = f"{arm}, {row[f'head_{step}']}, seed {row['seed']}: {STEPS[step]}"
            for place, panel in enumerate(json.loads(row["shown"])):
                ax = figure.add_subplot(grid[line, 1 + 2 * place:3 + 2 * place])
                heatmap.heat_map(ax, heatmap.Panel(
                    np.clip(panel["weights"][step], 0.0, 1.0), panel["source"], panel["target"],
                    [tuple(link) for link in panel["links"]], title))
        figure.suptitle("which word attention looks at; dots are "
                        f"{len({row['seed'] for row in rows})} seeds, pale ticks every layer and head, "
                        "squares the exact links",
                        parse_math=False)
    return figure


_CONFIG = {
    "data.lexicon_size": 300, "data.train_size": 20000, "data.dev_size": 200, "data.test_size": 400,
    "model.width": 64, "optimizer.warmup_steps": 100, "optimizer.schedule": "cosine",
    "optimizer.learning_rate": 0.003, "training.steps": 800, "training.batch_tokens": 2048,
    "training.eval_every": 800, "training.checkpoint_every": 800, "training.dropout": 0.1,
    "decoding.beam": 1,
}
_SIZES = {"gru, additive": 132, "gru, dot": 148, "transformer": 256}

STUDY = Study(
    name="alignment",
    question="Does cross-attention look at the words that it translates, and at which step?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "arms": {arm: {} for arm in _SIZES},
                  "config": {"data.train_size": 40, "data.dev_size": 2, "data.test_size": 16,
                             "training.steps": 2, "training.eval_every": 2, "training.checkpoint_every": 2,
                             "decoding.beam": 1}},
        "cpu": {"seeds": 8, "variant": "", "config": _CONFIG,
                "arms": {arm: {"model.hidden": size} for arm, size in _SIZES.items()}},
        "accelerator": {"seeds": 8, "variant": "",
                        "arms": {"gru, additive": {"model.hidden": 212}, "gru, dot": {"model.hidden": 234},
                                 "transformer": {"model.hidden": 256}},
                        "config": {"training.steps": 20000, "data.train_size": 100000,
                                   "optimizer.learning_rate": 0.003}},
    },
    cells=architectures.cells, measure=measure, differences=differences, draw=draw,
    config=architectures.config, overrides=overrides)
