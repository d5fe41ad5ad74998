"""What does a translator lose without one of its heads? (Michel, Levy & Neubig 2019, section 3)

A Transformer translates test sentences greedily with all heads, then without each of them. A head is costly
if the BLEU points lost are significant by the paired bootstrap over sentences, at 0.05 after Holm's
correction over all heads of a model. Head numbers mean nothing across seeds, so that only kind and layer are
compared.
"""

import numpy as np

from attention_lab.analysis.head_ablation import losses
from attention_lab.data.sources import load as load_corpus
from attention_lab.figures import style
from attention_lab.statistics import holm
from attention_lab.studies import Claim, Study, function
from attention_lab.studies.recipes import architectures
from attention_lab.studies.recipes.drawing import draw_seeds, titled_figure
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


def measure(cell, settings, train):
    """BLEU points that a run loses without each of its heads, and their p values."""
    run = train(cell)
    finished = load(run.folder)
    data = finished.run.config.data
    pairs = load_corpus(data, (data.split,))[data.split]
    sources, references = (side[:settings["sentences"]] for side in (pairs.source, pairs.target))
    by_head = losses(finished.translator, finished.params, sources, references, settings["resamples"])
    return {"status": run.result["status"], "dev_bleu": run.result["dev_bleu"],
            "test_bleu": run.result["test_bleu"],
            "points_lost": _array(by_head, "points"), "p": _array(by_head, "p")}


def _array(by_head, name):
    """A number of each head, (kinds, layers, heads), kinds in the order of KINDS."""
    kinds = [[(head.layer, head.number, getattr(loss, name)) for head, loss in by_head.items()
              if head.kind == kind] for kind in KINDS]
    layers = 1 + max(layer for layer, _, _ in kinds[0])
    return np.array([[number for _, _, number in sorted(kind)] for kind in kinds]).reshape(
        len(KINDS), layers, -1)


def costly(row):
    """Which heads are costly, bool (kinds, layers, heads): significant after Holm's correction."""
    adjusted = np.reshape(holm(row["p"].ravel().tolist()), row["p"].shape)
    return (adjusted < LEVEL) & (row["points_lost"] > 0)


def costly_share(rows, kind=None):
    """The share of costly heads, of one kind or of all, by seed."""
    kinds = slice(None) if kind is None else [list(KINDS).index(kind)]
    return {row["seed"]: costly(row)[kinds].mean() for row in rows}


def points(rows, pick):
    """BLEU points lost, by seed: the most in late cross-attention or elsewhere, or a mean over heads."""
    by_seed = {}
    for row in rows:
        encoder, decoder, cross = row["points_lost"]
        early, late = cross[:len(cross) // 2], cross[len(cross) // 2:]
        by_seed[row["seed"]] = {
            "late cross": late.max,
            "others": np.concatenate([encoder.ravel(), decoder.ravel(), early.ravel()]).max,
            "cross": cross.mean, "encoder": encoder.mean,
            "last cross": cross[-1].mean, "first cross": cross[0].mean}[pick]()
    return by_seed


def draw(rows, settings):
    """The cost of each head of every seed, by kind and layer, and the share of costly heads."""
    title = f"a Transformer without one of its heads; {len(rows)} seeds; filled: significant"
    with titled_figure(10.6, 3.8, title) as figure:
        axes = figure.subplots(1, 4, width_ratios=(3, 3, 3, 2))
        lost = np.stack([row["points_lost"] for row in rows])
        costs = np.stack([costly(row) for row in rows])
        layers = 1 + np.broadcast_to(np.arange(lost.shape[2])[:, None], lost.shape[2:])
        for index, (ax, name, colour) in enumerate(zip(axes, KINDS.values(), style.COLOURS)):
            for number in range(len(rows)):
                x = layers + 0.5 * ((number + 0.5) / len(rows) - 0.5)
                for mask, face in ((costs[number, index], colour), (~costs[number, index], "none")):
                    ax.plot(x[mask], lost[number, index][mask], "o", color=colour, markersize=4,
                            markerfacecolor=face, alpha=0.8)
            ax.axhline(0.0, color=style.FAINT, zorder=0)
            ax.set_xticks(range(1, layers.max() + 1))
            ax.set(title=name, xlabel="layer", yscale="symlog",
                   ylim=(1.3 * min(lost.min(), -0.1), 1.3 * lost.max()))
            draw_seeds(axes[3], index, costs[:, index].mean((1, 2)), colour, half=0.3, markersize=4)
        axes[0].set(ylabel="BLEU points lost without the head")
        axes[3].set_xticks(range(len(KINDS)), [name.replace(", ", ",\n") for name in KINDS.values()])
        axes[3].set(title="share that costs something", ylim=(-0.02, 1.02))
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
