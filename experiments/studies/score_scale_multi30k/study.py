"""The scale 1/sqrt(d_k) on real captions: an extra to `score_scale_translation`, which has the small task.

Multi30k, English to French, tokenised and lower-cased, a short training of a Transformer of one head of key
size 256; one learning rate for both arms, not tuned. Scored by greedy BLEU on test_2016_flickr.
"""

from attention_lab.figures import style
from attention_lab.studies import Claim, Study, difference
from attention_lab.studies.recipes import runs, tuned_arms
from attention_lab.studies.recipes.drawing import draw_curves

CLAIMS = (
    Claim("worse_on_captions", "at d_k = 256 unscaled translates captions worse after 500 steps",
          difference("test_bleu", "scaled", "unscaled", missing=0.0), "greater", margin=1.0,
          published="scaled better"),
)


def overrides(cell, settings, rows):
    """What the run behind a cell changes in its config."""
    return runs.with_data(tuned_arms.overrides(cell, settings, rows, "bleu"), settings)


def measure(cell, settings, rows, folder):
    """Trains a cell, or reads it where it is finished; what it scored and how it learned."""
    changed = overrides(cell, settings, rows)
    result, looks, _ = runs.trained(tuned_arms.translation_config(settings), changed, folder,
                                    settings["study"])
    return {"rate_used": changed["optimizer.learning_rate"], "status": result["status"],
            "dev_bleu": result.get("dev_bleu", 0.0), "test_bleu": result.get("test_bleu"),
            "curve": runs.curve(looks, "dev_bleu", "dev_cross_entropy")}


def draw(rows, settings):
    """How both arms learn, by dev BLEU and by dev cross-entropy, and test BLEU seed by seed."""
    final = tuned_arms.final_of(rows)
    with style.look():
        figure = style.figure(10.6, 3.4, layout="constrained")
        axes = figure.subplots(1, 3)
        for place, (arm, colour) in enumerate(zip(settings["arms"], style.COLOURS)):
            own = {seed: row for (name, _, seed), row in final.items() if name == arm}
            draw_curves(axes[:2], [row["curve"] for row in own.values()], arm, colour)
            axes[2].plot(list(own), [tuned_arms.number(row["test_bleu"]) for row in own.values()], "o",
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
    question="Does a model of real captions translate worse without the scale 1/sqrt(d_k)?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "arms": tuned_arms.MAIN, "key_sizes": (8,), "rates": (0.003,),
                  "variant": "smoke", "config": tuned_arms.SMOKE_TRANSLATION},
        "cpu": {"seeds": 8, "arms": tuned_arms.MAIN, "key_sizes": (256,), "rates": (0.003,),
                "variant": "multi30k", "config": _SHORT},
        "accelerator": {"seeds": 8, "arms": tuned_arms.MAIN, "key_sizes": (256,), "rates": (0.003,),
                        "variant": "multi30k", "config": _SHORT | {"model.num_layers": 4,
                                                                   "training.batch_tokens": 16384}},
    },
    cells=tuned_arms.crossed_cells, measure=measure, draw=draw, config=tuned_arms.translation_config,
    overrides=overrides, check=runs.check_data)
