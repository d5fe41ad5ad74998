"""What does a translator lose without one of its heads? (Michel, Levy & Neubig 2019, section 3)

A Transformer translates test sentences greedily with all its heads, and then without each of them: two and
two layers of four heads on the built-in grammar, or on an accelerator four and four on Multi30k. A head costs
something where the BLEU points lost are significant by the paired bootstrap over sentences, at 0.05 after
Holm's correction over all heads of a model; heads are numbered anew by each seed, so that only their kind and
layer can be compared between seeds. Published is a Transformer with six layers of 16 heads on WMT.
"""

from attention_lab.statistics import Claim
from experiments.studies import alignment, architectures, recurrent_multi30k, training
from experiments.studies.record import Study

NAME, ARM = "head_ablation", "transformer"
KINDS = {"encoder": "encoder, self", "decoder": "decoder, self", "cross": "cross"}
LEVEL = 0.05

CLAIMS = (
    Claim("encoder_heads_idle", "less than a quarter of the heads of encoder self-attention cost BLEU when "
          "one is left out (share, less 0.25)", "costly_encoder", (ARM, "0.25"), "less",
          published="8 of 96 differ, 4 for the better"),
    Claim("costliest_is_late_cross", "the head that costs most is one of the later half of the layers of "
          "cross-attention (BLEU, beyond the costliest of all others)", "points", ("late cross", "others"),
          "greater", published="last layers of cross-attention"),
    Claim("cross_costs_more", "a head of cross-attention costs more than one of encoder self-attention "
          "(BLEU, means)", "points", ("cross", "encoder"), "greater"),
    Claim("most_idle", "more than half of all heads can be left out, one at a time, at no significant cost "
          "(share of costly ones, less 0.5)", "costly", (ARM, "0.5"), "less", primary=False),
    Claim("first_cross_costs_less", "a head of the last layer of cross-attention costs more than one of the "
          "first (BLEU, means)", "points", ("last cross", "first cross"), "greater", primary=False),
)


def overrides(cell, settings, rows):
    """What the run behind a cell changes in its config."""
    return training.with_data(NAME, architectures.overrides(cell, settings), settings)


def measure(cell, settings, rows, folder):
    """Trains a cell, or reads it where it is finished, and translates without each of its heads."""
    from attention_lab.analysis.head_ablation import losses
    from attention_lab.data import sources
    result, _, run = training.trained(architectures.config(settings), overrides(cell, settings, rows), folder,
                                      NAME)
    finished = architectures.finished(run)
    data = finished.run.config.data
    pairs = sources.load(data, (data.split,))[data.split]
    sources, references = (side[:settings["sentences"]] for side in (pairs.source, pairs.target))
    found = losses(finished.translator, finished.params, sources, references, settings["resamples"])
    return {"status": result["status"], "dev_bleu": result["dev_bleu"], "test_bleu": result["test_bleu"],
            "heads": ";".join(f"{head.kind}:{head.layer}:{head.number}:{loss.points:.4f}:{loss.p:.6f}"
                              for head, loss in found.items())}


def heads(row):
    """What the text of a row holds: kinds (N,), layers (N,), points lost (N,), whether significant (N,)."""
    import numpy as np

    from attention_lab.statistics import holm
    kinds, layers, _, points, p = zip(*(one.split(":") for one in row["heads"].split(";")))
    points = np.array(points, float)
    costly = (np.array(holm([float(one) for one in p])) < LEVEL) & (points > 0)
    return np.array(kinds), np.array(layers, int), points, costly


def differences(rows):
    """By seed."""
    import numpy as np
    found = {claim.name: [] for claim in CLAIMS}
    for row in sorted(rows, key=lambda row: row["seed"]):
        kinds, layers, points, costly = heads(row)
        cross, last = kinds == "cross", layers.max()
        late = cross & (2 * layers >= last)
        found["encoder_heads_idle"].append(costly[kinds == "encoder"].mean() - 0.25)
        found["costliest_is_late_cross"].append(points[late].max() - points[~late].max())
        found["cross_costs_more"].append(points[cross].mean() - points[kinds == "encoder"].mean())
        found["most_idle"].append(costly.mean() - 0.5)
        found["first_cross_costs_less"].append(
            points[cross & (layers == last)].mean() - points[cross & (layers == 0)].mean())
    return {name: np.array(values) for name, values in found.items()}


def draw(rows, settings):
    """What each head of every seed costs, by kind and layer; and the share of costly heads."""
    import numpy as np

    from attention_lab.figures import style
    with style.look():
        figure = style.figure(10.6, 3.8, layout="constrained")
        axes = figure.subplots(1, 4, width_ratios=(3, 3, 3, 2))
        shared = [heads(row) for row in rows]
        top, bottom = (pick(points for _, _, points, _ in shared) for pick in (
            lambda all_points: max(map(np.max, all_points)), lambda all_points: min(map(np.min, all_points))))
        for ax, (kind, name), colour in zip(axes, KINDS.items(), style.COLOURS):
            for number, (kinds, layers, points, costly) in enumerate(shared):
                own = kinds == kind
                x = layers[own] + 1 + 0.5 * ((number + 0.5) / len(shared) - 0.5)
                for mask, face in ((costly[own], colour), (~costly[own], "none")):
                    ax.plot(x[mask], points[own][mask], "o", color=colour, markersize=4, markerfacecolor=face,
                            alpha=0.8)
            ax.axhline(0.0, color=style.FAINT, zorder=0)
            ax.set_xticks(range(1, layers.max() + 2))
            ax.set(title=name, xlabel="layer", yscale="symlog", ylim=(1.3 * min(bottom, -0.1), 1.3 * top))
            ax.grid(axis="y")
        axes[0].set(ylabel="BLEU points lost without the head")
        for place, (kind, colour) in enumerate(zip(KINDS, style.COLOURS)):
            shares = [costly[kinds == kind].mean() for kinds, _, _, costly in shared]
            axes[3].plot([place] * len(shares), shares, "o", color=colour, markersize=4, alpha=0.6)
            axes[3].plot([place - 0.3, place + 0.3], [np.mean(shares)] * 2, color=colour, linewidth=2)
        axes[3].set_xticks(range(len(KINDS)), [name.replace(", ", ",\n") for name in KINDS.values()])
        axes[3].set(title="share that costs something", ylim=(-0.02, 1.02))
        axes[3].grid(axis="y")
        figure.suptitle(f"a Transformer without one of its heads; {len(rows)} seeds; filled: significant",
                        parse_math=False)
    return figure


_RUN, _GRAMMAR = recurrent_multi30k.STUDY.presets, alignment.STUDY.presets["cpu"]

STUDY = Study(
    name=NAME,
    question="What does a translator lose without one of its heads?",
    claims=CLAIMS,
    presets={
        "smoke": _RUN["smoke"] | {"arms": {ARM: {}}, "sentences": 4, "resamples": 20},
        "cpu": _GRAMMAR | {"seeds": 8, "arms": {ARM: _GRAMMAR["arms"][ARM]}, "sentences": 400,
                           "resamples": 2000},
        "accelerator": _RUN["accelerator"] | {"arms": {ARM: _RUN["accelerator"]["arms"][ARM]},
                                              "sentences": 1000, "resamples": 10000},
    },
    cells=architectures.cells, measure=measure, differences=differences, draw=draw,
    config=architectures.config, overrides=overrides)
