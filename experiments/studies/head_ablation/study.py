"""What does a translator lose without one of its heads? (Michel, Levy & Neubig 2019, section 3)

A Transformer translates test sentences greedily with all its heads, and then without each of them: two and
two layers of four heads on the built-in grammar, or on an accelerator four and four on Multi30k. A head costs
something where the BLEU points lost are significant by the paired bootstrap over sentences, at 0.05 after
Holm's correction over all heads of a model; heads are numbered anew by each seed, so that only their kind and
layer can be compared between seeds. Published is a Transformer with six layers of 16 heads on WMT.
"""

import numpy as np

from attention_lab.analysis.head_ablation import losses
from attention_lab.data.sources import load as load_corpus
from attention_lab.figures import style
from attention_lab.statistics import holm
from attention_lab.studies import Claim, Study, function
from attention_lab.studies.recipes import architectures
from attention_lab.studies.recipes.drawing import draw_seeds
from attention_lab.tasks.load import load

ARM = "transformer"
KINDS = {"encoder": "encoder, self", "decoder": "decoder, self", "cross": "cross"}
LEVEL = 0.05

CLAIMS = (
    Claim("encoder_heads_idle", "less than a quarter of the heads of encoder self-attention cost BLEU when "
          "one is left out (share)", function("costly_share", kind="encoder"), "less", 0.25,
          published=4 / 96),
    Claim("costliest_is_late_cross", "the head that costs most is one of the later half of the layers of "
          "cross-attention (BLEU, beyond the costliest of all others)",
          function("points", pick="late cross") - function("points", pick="others"), "greater",
          published="last layers of cross-attention"),
    Claim("cross_costs_more", "a head of cross-attention costs more than one of encoder self-attention "
          "(BLEU, means)", function("points", pick="cross") - function("points", pick="encoder"), "greater"),
    Claim("most_idle", "more than half of all heads can be left out, one at a time, at no significant cost "
          "(share of costly ones)", function("costly_share"), "less", 0.5, primary=False),
    Claim("first_cross_costs_less", "a head of the last layer of cross-attention costs more than one of the "
          "first (BLEU, means)", function("points", pick="last cross")
          - function("points", pick="first cross"), "greater", primary=False),
)


def measure(cell, settings, rows, folder):
    """Trains a cell, or reads it where it is finished, and translates without each of its heads."""
    result, _, run = architectures.trained(cell, settings, folder)
    finished = load(run)
    data = finished.run.config.data
    pairs = load_corpus(data, (data.split,))[data.split]
    sources, references = (side[:settings["sentences"]] for side in (pairs.source, pairs.target))
    found = losses(finished.translator, finished.params, sources, references, settings["resamples"])
    return {"status": result["status"], "dev_bleu": result["dev_bleu"], "test_bleu": result["test_bleu"],
            "points_lost": _by_head(found, "points"), "p": _by_head(found, "p")}


def _by_head(found, name):
    """A number for each head, (kinds, layers, heads), the kinds as in KINDS."""
    kinds = [[(head.layer, head.number, getattr(loss, name)) for head, loss in found.items()
              if head.kind == kind] for kind in KINDS]
    layers = 1 + max(layer for layer, _, _ in kinds[0])
    return np.array([[number for _, _, number in sorted(kind)] for kind in kinds]).reshape(
        len(KINDS), layers, -1)


def costly(row):
    """Heads that cost something, (kinds, layers, heads): points lost, significantly so among all heads."""
    adjusted = np.reshape(holm(row["p"].ravel().tolist()), row["p"].shape)
    return (adjusted < LEVEL) & (row["points_lost"] > 0)


def costly_share(rows, kind=None):
    """The share of heads that cost something, of one kind or of all."""
    kinds = slice(None) if kind is None else [list(KINDS).index(kind)]
    return {row["seed"]: costly(row)[kinds].mean() for row in rows}


def points(rows, pick):
    """BLEU points lost: the most in the later layers of cross-attention, or elsewhere; or means of heads."""
    found = {}
    for row in rows:
        encoder, decoder, cross = row["points_lost"]
        middle = len(cross) // 2
        early = cross[:middle]
        found[row["seed"]] = {
            "late cross": lambda: cross[middle:].max(),
            "others": lambda: np.concatenate([encoder.ravel(), decoder.ravel(), early.ravel()]).max(),
            "cross": cross.mean, "encoder": encoder.mean,
            "last cross": cross[-1].mean, "first cross": cross[0].mean}[pick]()
    return found


def draw(rows, settings):
    """What each head of every seed costs, by kind and layer; and the share of costly heads."""
    with style.look():
        figure = style.figure(10.6, 3.8, layout="constrained")
        axes = figure.subplots(1, 4, width_ratios=(3, 3, 3, 2))
        lost = np.stack([row["points_lost"] for row in rows])
        costs = np.stack([costly(row) for row in rows])
        layers = 1 + np.broadcast_to(np.arange(lost.shape[2])[:, None], lost.shape[2:])
        for place, (ax, name, colour) in enumerate(zip(axes, KINDS.values(), style.COLOURS)):
            for number in range(len(rows)):
                x = layers + 0.5 * ((number + 0.5) / len(rows) - 0.5)
                for mask, face in ((costs[number, place], colour), (~costs[number, place], "none")):
                    ax.plot(x[mask], lost[number, place][mask], "o", color=colour, markersize=4,
                            markerfacecolor=face, alpha=0.8)
            ax.axhline(0.0, color=style.FAINT, zorder=0)
            ax.set_xticks(range(1, layers.max() + 1))
            ax.set(title=name, xlabel="layer", yscale="symlog",
                   ylim=(1.3 * min(lost.min(), -0.1), 1.3 * lost.max()))
            ax.grid(axis="y")
        axes[0].set(ylabel="BLEU points lost without the head")
        for place, colour in enumerate(style.COLOURS[:len(KINDS)]):
            draw_seeds(axes[3], place, costs[:, place].mean((1, 2)), colour, half=0.3,
                       markersize=4)
        axes[3].set_xticks(range(len(KINDS)), [name.replace(", ", ",\n") for name in KINDS.values()])
        axes[3].set(title="share that costs something", ylim=(-0.02, 1.02))
        axes[3].grid(axis="y")
        figure.suptitle(f"a Transformer without one of its heads; {len(rows)} seeds; filled: significant",
                        parse_math=False)
    return figure


STUDY = Study(
    question="What does a translator lose without one of its heads?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "arms": {ARM: {}}, "sentences": 4, "resamples": 20,
                  "config": architectures.smoke()},
        "cpu": {"seeds": 8, "variant": "", "arms": {ARM: architectures.GRAMMAR_ARMS[ARM]}, "sentences": 400,
                "resamples": 2000, "config": architectures.GRAMMAR},
        "accelerator": {"seeds": 8, "variant": "multi30k", "arms": {ARM: architectures.CAPTIONS_ARMS[ARM]},
                        "sentences": 1000, "resamples": 10000, "config": architectures.LONG_CAPTIONS},
    },
    measure=measure, draw=draw, functions={"costly_share": costly_share, "points": points},
    **architectures.SHARED)
