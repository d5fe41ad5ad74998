"""The scale 1/sqrt(d_k) on real captions, a supplement to `score_scale_translation` and its small task.

Multi30k, English to French, tokenised and lower-cased; a short training of a Transformer with one head of key
size 256 at one learning rate for both arms, not tuned. Scored by greedy BLEU on test_2016_flickr.
"""

from attention_lab.figures import style
from attention_lab.studies import Claim, Study, difference
from attention_lab.studies.recipes import tuned_arms
from attention_lab.studies.recipes.drawing import draw_curves, ranges_of, titled_figure

CLAIMS = (
    Claim("worse_on_captions", "at d_k = 256 unscaled translates captions worse after 500 steps",
          difference("test_bleu", "scaled", "unscaled", missing=0.0), "greater", margin=1.0,
          published="scaled better"),
)


def measure(cell, settings, train):
    """Scores and learning curve of a run."""
    return tuned_arms.translation(train(cell))


def draw(rows, settings):
    """Dev BLEU and cross-entropy over training, and test BLEU by seed."""
    final = tuned_arms.final_of(rows)
    size, = {row["key_size"] for row in rows}
    with titled_figure(10.6, 3.4, f"Multi30k with and without the scale, one head of key size {size}; "
                       + ranges_of(final.values())) as figure:
        axes = figure.subplots(1, 3)
        for arm, colour in zip(settings["arms"], style.COLOURS):
            by_seed = {seed: row for (name, _, seed), row in final.items() if name == arm}
            draw_curves(axes[:2], [row["curve"] for row in by_seed.values()], arm, colour)
            axes[2].plot(list(by_seed), [tuned_arms.number(row["test_bleu"]) for row in by_seed.values()],
                         "o", color=colour, label=arm)
        axes[0].set(ylabel="dev BLEU", ylim=(0, None))
        axes[1].set(ylabel="dev cross-entropy, nats a token")
        axes[2].set(ylabel="test BLEU", xlabel="seed", ylim=(0, None))
        for ax in axes:
            ax.legend()
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
    measure=measure, draw=draw, **tuned_arms.TRANSLATION)
