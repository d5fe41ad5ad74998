"""Real captions by recurrent networks without and with attention and by a Transformer, of matched size.

Multi30k, English to French, tokenised and lower-cased, some six passes of training at a rate that was the
better of two on dev (one seed apart, 500 steps). Weights other than embeddings agree to 5 %. Scored on
test_2016_flickr, greedily.
"""

from attention_lab.statistics import Claim
from experiments.studies import architectures, training, tuning
from experiments.studies.record import Study

BINS = ((1, 10), (11, 15), (16, 20), (21, 25), (26, 100))  # words of the source

CLAIMS = (
    Claim("attention_on_captions", "a GRU with additive attention leads one without by more than 5 BLEU",
          "test_bleu", ("gru, additive", "gru + 5"), "greater", published="better"),
    Claim("transformer_on_captions", "a Transformer leads a GRU without attention by more than 5 BLEU",
          "test_bleu", ("transformer", "gru + 5"), "greater", published="better"),
    Claim("transformer_and_recurrence", "a Transformer translates captions better than a GRU with attention",
          "test_bleu", ("transformer", "gru, additive"), "greater", primary=False),
)


def overrides(cell, settings, rows):
    """What the run behind a cell changes in its config."""
    return training.with_data("recurrent_multi30k", architectures.overrides(cell, settings), settings)


def measure(cell, settings, rows, folder):
    """Trains a cell, or reads it where it is finished; what it scored, whole and by length."""
    import csv

    from attention_lab.evaluation.lengths import by_length
    result, looks, run = training.trained(architectures.config(settings), overrides(cell, settings, rows),
                                          folder, "recurrent_multi30k")
    with open(run / "predictions.tsv", encoding="utf-8", newline="") as file:
        sentences = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    columns = ([one[name] for one in sentences] for name in ("source", "reference", "translation"))
    bins = by_length(*columns, settings["bins"])
    return {"status": result["status"], "parameters": result["parameters"],
            "tokens_per_second": round(result["tokens_per_second"]), "dev_bleu": result["dev_bleu"],
            "test_bleu": result["test_bleu"], "test_chrf": result["test_chrf"],
            "by_length": ";".join(f"{one.low}:{one.high}:{one.sentences}:{one.bleu:.2f}" for one in bins),
            "curve": ";".join(f"{line['step']}:{line['dev_bleu']:.2f}:{line['dev_cross_entropy']:.4f}"
                              for line in looks)}


def differences(rows):
    """Paired by seed."""
    import numpy as np
    fixed, additive, transformer = (np.array(architectures.by_seed(rows, "test_bleu", arm))
                                    for arm in ("gru", "gru, additive", "transformer"))
    return {"attention_on_captions": additive - fixed - 5.0,
            "transformer_on_captions": transformer - fixed - 5.0,
            "transformer_and_recurrence": transformer - additive}


def draw(rows, settings):
    """How the arms learn, their test BLEU seed by seed, and BLEU by length."""
    import numpy as np

    from attention_lab.figures import style
    with style.look():
        figure = style.figure(9.0, 3.4, layout="constrained")
        axes = figure.subplots(1, 2, width_ratios=(1, 1.3))
        for arm, colour in zip(settings["arms"], style.COLOURS):
            own = [row for row in rows if row["arm"] == arm]
            tuning.draw_curves(axes[:1], [row["curve"] for row in own], arm, colour)
            bins = np.array([[[float(x) for x in one.split(":")] for one in row["by_length"].split(";")]
                             for row in own])
            axes[1].plot(bins[:, :, 3].mean(0), "o-", color=colour, label=arm)
            axes[1].fill_between(range(bins.shape[1]), bins[:, :, 3].min(0), bins[:, :, 3].max(0),
                                 color=colour, alpha=0.2, linewidth=0)
        axes[0].set(ylabel="dev BLEU", ylim=(0, None))
        axes[1].set(ylabel="test BLEU", xlabel="words of the source (sentences)", ylim=(0, None))
        axes[1].set_xticks(range(bins.shape[1]), [f"{low:.0f} to {high:.0f}\n({count:.0f})"
                                                  for low, high, count, _ in bins[0]])
        for ax in axes:
            ax.grid(axis="y")
        axes[0].legend()
        figure.suptitle("Multi30k, weights matched; mean and range of "
                        f"{len({row['seed'] for row in rows})} seeds", parse_math=False)
    return figure


_SHORT = {
    "data.buckets": (16, 24, 48), "optimizer.warmup_steps": 100, "optimizer.schedule": "cosine",
    "training.steps": 1500, "training.batch_tokens": 2048, "training.average_decay": 0.0,
    "training.dropout": 0.2, "training.eval_every": 500, "training.checkpoint_every": 500, "decoding.beam": 1,
}
_RATE = {"optimizer.learning_rate": 0.003}
_ARMS = {"gru": {"model.hidden": 328} | _RATE, "gru, additive": {"model.hidden": 320} | _RATE,
         "transformer": _RATE}

STUDY = Study(
    name="recurrent_multi30k",
    question="How much worse are captions translated without attention, and does a Transformer lead a GRU "
             "with it?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "variant": "smoke", "bins": ((1, 100),),
                  "config": {"data.train_size": 40, "data.dev_size": 2, "data.test_size": 8,
                             "training.steps": 2, "training.eval_every": 2, "training.checkpoint_every": 2,
                             "decoding.beam": 1},
                  "arms": {"gru": {}, "gru, additive": {}, "transformer": {}}},
        "cpu": {"seeds": 3, "variant": "multi30k", "bins": BINS, "config": _SHORT, "arms": _ARMS},
        "accelerator": {"seeds": 8, "variant": "multi30k", "bins": BINS, "arms": _ARMS,
                        "config": _SHORT | {"training.steps": 12000, "training.batch_tokens": 4096}},
    },
    cells=architectures.cells, measure=measure, differences=differences, draw=draw,
    config=architectures.config, overrides=overrides)
