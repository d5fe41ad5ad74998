"""The scale 1/sqrt(d_k) on real captions: an extra to `score_scale_translation`, which has the small task.

Multi30k, English to French, tokenised and lower-cased, a short training of a Transformer of one head of key
size 256; one learning rate for both arms, not tuned. Scored by greedy BLEU on test_2016_flickr.
"""

from attention_lab.statistics import Claim
from experiments.studies import score_scale_translation as small
from experiments.studies import training, tuning
from experiments.studies.record import Study

CLAIMS = (
    Claim("worse_on_captions", "at d_k = 256 unscaled translates captions worse after 500 steps", "test_bleu",
          ("scaled", "unscaled"), "greater", margin=1.0, published="scaled better"),
)


def overrides(cell, settings, rows):
    """What the run behind a cell changes in its config."""
    return training.with_data("score_scale_multi30k", small.overrides(cell, settings, rows), settings)


def measure(cell, settings, rows, folder):
    """Trains a cell, or reads it where it is finished; what it scored and how it learned."""
    changed = overrides(cell, settings, rows)
    result, looks, _ = training.trained(small.config(settings), changed, folder, "score_scale_multi30k")
    return {"rate_used": changed["optimizer.learning_rate"], "status": result["status"],
            "dev_bleu": result.get("dev_bleu", 0.0), "test_bleu": result.get("test_bleu", ""),
            "curve": ";".join(f"{line['step']}:{line['dev_bleu']:.2f}:{line['dev_cross_entropy']:.4f}"
                              for line in looks)}


def differences(rows):
    """Paired by seed."""
    size, = {row["key_size"] for row in rows}
    return {"worse_on_captions": tuning.paired(rows, "scaled", "unscaled", size, "test_bleu")}


def draw(rows, settings):
    """How both arms learn, by dev BLEU and by dev cross-entropy, and test BLEU seed by seed."""
    from attention_lab.figures import style
    final = tuning.final_of(rows)
    with style.look():
        figure = style.figure(10.6, 3.4, layout="constrained")
        axes = figure.subplots(1, 3)
        for place, (arm, colour) in enumerate(zip(settings["arms"], style.COLOURS)):
            own = {seed: row for (name, _, seed), row in final.items() if name == arm}
            tuning.draw_curves(axes[:2], [row["curve"] for row in own.values()], arm, colour)
            axes[2].plot(list(own), [tuning.number(row["test_bleu"]) for row in own.values()], "o",
                         color=colour, label=arm)
        axes[0].set(ylabel="dev BLEU", ylim=(0, None))
        axes[1].set(ylabel="dev cross-entropy, nats a token")
        axes[2].set(ylabel="test BLEU", xlabel="seed", ylim=(0, None))
        for ax in axes:
            ax.grid(axis="y")
            ax.legend()
        size, = {row["key_size"] for row in rows}
        figure.suptitle(f"Multi30k with and without the scale, one head of key size {size}; mean and "
                        f"range of {len({seed for _, _, seed in final})} seeds", parse_math=False)
    return figure


_SHORT = {
    "model.num_layers": 2, "model.num_heads": 1, "optimizer.warmup_steps": 100,
    "optimizer.schedule": "cosine", "training.steps": 500, "training.average_decay": 0.0,
    "training.dropout": 0.1, "training.eval_every": 125, "training.checkpoint_every": 250, "decoding.beam": 1,
}

STUDY = Study(
    name="score_scale_multi30k",
    question="Does a model of real captions translate worse without the scale 1/sqrt(d_k)?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "arms": tuning.MAIN, "key_sizes": (8,), "rates": (0.003,), "variant": "smoke",
                  "config": small.STUDY.presets["smoke"]["config"]},
        "cpu": {"seeds": 8, "arms": tuning.MAIN, "key_sizes": (256,), "rates": (0.003,),
                "variant": "multi30k", "config": _SHORT},
        "accelerator": {"seeds": 8, "arms": tuning.MAIN, "key_sizes": (256,), "rates": (0.003,),
                        "variant": "multi30k", "config": _SHORT | {"model.num_layers": 4,
                                                                   "training.batch_tokens": 16384}},
    },
    cells=small.cells, measure=measure, differences=differences, draw=draw, config=small.config,
    overrides=overrides)
