"""Which words does a translator still write when its attention looks elsewhere? (Moradi et al. 2019)

The built-in grammar, by a GRU with additive attention and by a Transformer. At one step at a time, with the
same words before it, cross-attention loses its largest weight, is spread evenly or is dealt out anew: does
the model write the same word? Function words are a closed list, all other words are content.
"""

from attention_lab.statistics import Claim
from experiments.studies import alignment, architectures, training
from experiments.studies.record import Study

KINDS = {"zero_max": "without the largest", "uniform": "spread evenly", "permuted": "dealt out anew"}
CLASSES = ("function", "content")
GRU, TRANSFORMER = "gru, additive", "transformer"

CLAIMS = (
    Claim("function_survives", "without its largest weight a GRU keeps more function words than content "
          "words (share)", "zero_max", ("function", "content"), "greater", published="68 % and 21 %"),
    Claim("content_needs_it", "it keeps less than half of its content words (share, less 0.5)",
          "zero_max_content", ("gru, additive", "0.5"), "less", published="21 %"),
    Claim("transformer_too", "so does a Transformer keep more function words than content words (share)",
          "zero_max", ("function", "content"), "greater"),
    Claim("not_indifferent", "a Transformer keeps less than nine in ten content words where attention is "
          "spread evenly (share, less 0.9)", "uniform_content", ("transformer", "0.9"), "less"),
    Claim("function_indifferent", "a GRU keeps over half of its function words where attention is spread "
          "evenly (share, less 0.5)", "uniform_function", ("gru, additive", "0.5"), "greater", primary=False),
    Claim("permuted_as_uniform", "a GRU keeps as many content words under weights dealt out anew as under "
          "equal ones, to 0.1", "content", ("permuted", "uniform"), "equal", margin=0.1, primary=False),
)


def overrides(cell, settings, rows):
    """What the run behind a cell changes in its config."""
    return architectures.overrides(cell, settings)


def measure(cell, settings, rows, folder):
    """Trains a cell, or reads it where it is finished, and replaces its attention step by step."""
    import jax

    from attention_lab.analysis.counterfactual_translation import survival
    from attention_lab.data import sources
    result, _, run = training.trained(architectures.config(settings), overrides(cell, settings, rows), folder,
                                      "explanation_translation")
    finished = architectures.finished(run)
    pairs = sources.load(finished.run.config.data, ("test",))["test"]
    found = survival(finished.translator, finished.params, pairs.source[:settings["sentences"]],
                     jax.random.key(cell["seed"]))
    return {"status": result["status"], "dev_bleu": result["dev_bleu"],
            **{f"{name}_words": int(found.steps[name].sum()) for name in CLASSES},
            "left_out": int(found.left_out.sum()),
            **{f"{kind}_{name}": found.share(kind, name) for kind in KINDS for name in CLASSES}}


def differences(rows):
    """Paired by seed."""
    import numpy as np

    def of(arm, column):
        return np.array(architectures.by_seed(rows, column, arm))

    return {
        "function_survives": of(GRU, "zero_max_function") - of(GRU, "zero_max_content"),
        "content_needs_it": of(GRU, "zero_max_content") - 0.5,
        "transformer_too": of(TRANSFORMER, "zero_max_function") - of(TRANSFORMER, "zero_max_content"),
        "not_indifferent": of(TRANSFORMER, "uniform_content") - 0.9,
        "function_indifferent": of(GRU, "uniform_function") - 0.5,
        "permuted_as_uniform": of(GRU, "permuted_content") - of(GRU, "uniform_content"),
    }


def draw(rows, settings):
    """Shares of function and content words that survive, seed by seed."""
    import numpy as np

    from attention_lab.figures import style
    arms = list(settings["arms"])
    with style.look():
        figure = style.figure(4.2 * len(arms), 3.6, layout="constrained")
        for ax, arm in zip(figure.subplots(1, len(arms), sharey=True, squeeze=False)[0], arms):
            for place, kind in enumerate(KINDS):
                for shift, name, colour in zip((-0.15, 0.15), CLASSES, style.COLOURS):
                    values = architectures.by_seed(rows, f"{kind}_{name}", arm)
                    x = place + shift
                    ax.plot(np.full(len(values), x), values, "o", color=colour, markersize=3, alpha=0.6)
                    ax.plot([x - 0.1, x + 0.1], [np.mean(values)] * 2, color=colour, linewidth=2,
                            label=f"{name} words" if not place else None)
            ax.set_xticks(range(len(KINDS)), list(KINDS.values()))
            ax.set(title=arm, ylim=(0, 1.02))
            ax.grid(axis="y")
        figure.axes[0].set(ylabel="share of words that are still written")
        figure.axes[-1].legend(loc="upper right")
        figure.suptitle("translation where the attention of one step is replaced; dots are "
                        f"{len({row['seed'] for row in rows})} seeds", parse_math=False)
    return figure


_CPU, _SMOKE, _ACCELERATOR = (alignment.STUDY.presets[name] for name in ("cpu", "smoke", "accelerator"))


def _preset(own, **changed):
    return own | {"arms": {arm: own["arms"][arm] for arm in (GRU, TRANSFORMER)}} | changed


STUDY = Study(
    name="explanation_translation",
    question="Which words does a translator still write when its attention looks elsewhere?",
    claims=CLAIMS,
    presets={
        "smoke": _preset(_SMOKE, sentences=4),
        "cpu": _preset(_CPU, sentences=100, config=_CPU["config"] | {
            "data.split": "dev", "training.steps": 500, "training.eval_every": 500,
            "training.checkpoint_every": 500}),
        "accelerator": _preset(_ACCELERATOR, sentences=400),
    },
    cells=architectures.cells, measure=measure, differences=differences, draw=draw,
    config=architectures.config, overrides=overrides)
