"""Real captions, by recurrent networks without and with attention and by a Transformer of matched size.

Multi30k, English to French, tokenised and lower-cased, about six epochs at a learning rate that was the
better of two on dev (a separate seed, 500 steps). Numbers of parameters without embeddings agree to 5 %.
Scored on test_2016_flickr, greedily.
"""

import csv

import numpy as np

from attention_lab.evaluation.lengths import by_length
from attention_lab.figures import style
from attention_lab.studies import Claim, Study, difference
from attention_lab.studies.recipes import architectures, runs
from attention_lab.studies.recipes.drawing import (
    bin_axis,
    draw_band,
    draw_curves,
    ranges_of,
    titled_figure,
)

BINS = ((1, 10), (11, 15), (16, 20), (21, 25), (26, 100))  # words of the source

CLAIMS = (
    Claim("attention_on_captions", "a GRU with additive attention leads one without by more than 5 BLEU",
          difference("test_bleu", "gru, additive", "gru"), "greater", 5.0, published="better"),
    Claim("transformer_on_captions", "a Transformer leads a GRU without attention by more than 5 BLEU",
          difference("test_bleu", "transformer", "gru"), "greater", 5.0, published="better"),
    Claim("transformer_and_recurrence", "a Transformer translates captions better than a GRU with attention",
          difference("test_bleu", "transformer", "gru, additive"), "greater", primary=False),
)


def measure(cell, settings, train):
    """Scores of a run, over all sentences and by source length."""
    result, evaluations, folder, _ = train(cell)
    with open(folder / "predictions.tsv", encoding="utf-8", newline="") as file:
        sentences = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    columns = ([row[name] for row in sentences] for name in ("source", "reference", "translation"))
    bins = by_length(*columns, settings["bins"])
    return {"status": result["status"], "parameters": result["parameters"],
            "tokens_per_second": round(result["tokens_per_second"]), "dev_bleu": result["dev_bleu"],
            "test_bleu": result["test_bleu"], "test_chrf": result["test_chrf"],
            "by_length": np.array([(of.low, of.high, of.sentences, of.bleu) for of in bins]),
            "curve": runs.curve(evaluations, "dev_bleu", "dev_cross_entropy")}


def draw(rows, settings):
    """Dev BLEU over training, and test BLEU by source length."""
    title = f"Multi30k, weights matched; {ranges_of(rows)}"
    with titled_figure(9.0, 3.4, title) as figure:
        axes = figure.subplots(1, 2, width_ratios=(1, 1.3))
        for arm, colour in zip(settings["arms"], style.COLOURS):
            of_arm = [row for row in rows if row["arm"] == arm]
            draw_curves(axes[:1], [row["curve"] for row in of_arm], arm, colour)
            bins = np.stack([row["by_length"] for row in of_arm])
            draw_band(axes[1], range(bins.shape[1]), bins[:, :, 3], colour, "o-", alpha=0.2, label=arm)
        axes[0].set(ylabel="dev BLEU", ylim=(0, None))
        axes[1].set(ylabel="test BLEU", xlabel="words of the source (sentences)", ylim=(0, None))
        bin_axis(axes[1], bins[0], low=0, high=1, count=2)
        axes[0].legend()
    return figure


_ARMS = architectures.CAPTIONS_ARMS

STUDY = Study(
    question="How much worse are captions translated without attention, and does a Transformer lead a GRU "
             "with it?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "bins": ((1, 100),), "arms": {arm: {} for arm in _ARMS},
                  "config": architectures.smoke()},
        "cpu": {"seeds": 3, "variant": "multi30k", "bins": BINS, "arms": _ARMS,
                "config": architectures.CAPTIONS},
        "accelerator": {"seeds": 8, "variant": "multi30k", "bins": BINS, "arms": _ARMS,
                        "config": architectures.LONG_CAPTIONS},
    },
    measure=measure, draw=draw, **architectures.SHARED)
