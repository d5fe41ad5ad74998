"""Which words does a translator still write when its attention looks elsewhere? (Moradi et al. 2019)

The built-in grammar, translated by a GRU with additive attention and by a Transformer. At one decoding step
at a time, with the prefix unchanged, cross-attention loses its largest weight, becomes uniform or is
permuted: does the model still write the same word? Function words are a closed list; all other words are
content words.
"""

import jax

from attention_lab.analysis.counterfactual_translation import survival
from attention_lab.data.sources import load as load_corpus
from attention_lab.figures import style
from attention_lab.studies import Claim, Study, mean
from attention_lab.studies.recipes import architectures
from attention_lab.studies.recipes.drawing import draw_seeds, seed_count, titled_figure
from attention_lab.tasks.load import load

KINDS = {"zero_max": "without the largest", "uniform": "spread evenly", "permuted": "dealt out anew"}
CLASSES = ("function", "content")
GRU, TRANSFORMER = "gru, additive", "transformer"


def kept(arm, kind, name):
    """The share of a class of words that an arm still writes; 0 if it never writes one of the class."""
    return mean(f"{kind}_{name}", missing=0.0, arm=arm)


CLAIMS = (
    Claim("function_survives", "without its largest weight a GRU keeps more function words than content "
          "words (share)", kept(GRU, "zero_max", "function") - kept(GRU, "zero_max", "content"), "greater",
          published=0.47),
    Claim("content_needs_it", "it keeps less than half of its content words (share)",
          kept(GRU, "zero_max", "content"), "less", 0.5, published=0.21),
    Claim("transformer_too", "so does a Transformer keep more function words than content words (share)",
          kept(TRANSFORMER, "zero_max", "function") - kept(TRANSFORMER, "zero_max", "content"), "greater"),
    Claim("not_indifferent", "a Transformer keeps less than nine in ten content words where attention is "
          "spread evenly (share)", kept(TRANSFORMER, "uniform", "content"), "less", 0.9),
    Claim("function_indifferent", "a GRU keeps over half of its function words where attention is spread "
          "evenly (share)", kept(GRU, "uniform", "function"), "greater", 0.5, primary=False),
    Claim("permuted_as_uniform", "a GRU keeps as many content words under weights dealt out anew as under "
          "equal ones, to 0.1", kept(GRU, "permuted", "content") - kept(GRU, "uniform", "content"), "equal",
          margin=0.1, primary=False),
)


def measure(cell, settings, train):
    """Shares of words that survive when a run's attention is replaced step by step."""
    run = train(cell)
    finished = load(run.folder)
    pairs = load_corpus(finished.run.config.data, ("test",))["test"]
    survived = survival(finished.translator, finished.params, pairs.source[:settings["sentences"]],
                        jax.random.key(cell["seed"]))
    return {"status": run.result["status"], "dev_bleu": run.result["dev_bleu"],
            **{f"{name}_words": int(survived.steps[name].sum()) for name in CLASSES},
            "left_out": int(survived.left_out.sum()),
            **{f"{kind}_{name}": survived.share(kind, name) if survived.steps[name].sum() else None
               for kind in KINDS for name in CLASSES}}


def draw(rows, settings):
    """Shares of function and content words that survive, by seed."""
    arms = list(settings["arms"])
    title = f"translation where the attention of one step is replaced; dots are {seed_count(rows)} seeds"
    with titled_figure(4.2 * len(arms), 3.6, title) as figure:
        for ax, arm in zip(figure.subplots(1, len(arms), sharey=True, squeeze=False)[0], arms):
            for index, kind in enumerate(KINDS):
                for shift, name, colour in zip((-0.15, 0.15), CLASSES, style.COLOURS):
                    draw_seeds(ax, index + shift, architectures.by_seed(rows, f"{kind}_{name}", arm), colour,
                               f"{name} words" if not index else None)
            ax.set_xticks(range(len(KINDS)), list(KINDS.values()))
            ax.set(title=arm, ylim=(0, 1.02))
        figure.axes[0].set(ylabel="share of words that are still written")
        figure.axes[-1].legend(loc="upper right")
    return figure


def _arms(every):
    return {arm: every[arm] for arm in (GRU, TRANSFORMER)}


STUDY = Study(
    question="Which words does a translator still write when its attention looks elsewhere?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "arms": {GRU: {}, TRANSFORMER: {}}, "sentences": 4,
                  "config": architectures.smoke(test=16)},
        "cpu": {"seeds": 8, "variant": "", "arms": _arms(architectures.GRAMMAR_ARMS), "sentences": 100,
                "config": architectures.GRAMMAR | {
                    "data.split": "dev", "training.steps": 500, "training.eval_every": 500,
                    "training.checkpoint_every": 500}},
        "accelerator": {"seeds": 8, "variant": "", "arms": _arms(architectures.LONG_GRAMMAR_ARMS),
                        "sentences": 400, "config": architectures.LONG_GRAMMAR},
    },
    measure=measure, draw=draw, **architectures.SHARED)
