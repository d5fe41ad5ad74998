"""Does the scale 1/sqrt(d_k) matter for translation? (Vaswani et al. 2017, 3.2.1; Britz et al. 2017)

The built-in grammar, sentences of 3 to 10 words, translated by a Transformer with one head, over key size and
arm. Learning rates are tuned on dev with two seeds; claims rest on eight others, scored on test, greedily.
"""

from attention_lab.figures import style
from attention_lab.studies import Claim, Study, difference, nearest
from attention_lab.studies.recipes import tuned_arms
from attention_lab.studies.recipes.drawing import draw_curves, ranges_of, titled_figure

ARMS = ("scaled", "unscaled", "additive")
SMALL, LARGE = "the smallest key size", "the largest key size"


def bleu(arm, other, size):
    """Test BLEU of an arm minus another's; a run that diverged counts as 0."""
    return difference("test_bleu", arm, other, missing=0.0, stage="final", key_size=nearest(size))


CLAIMS = (
    Claim("tied_at_small", f"at {SMALL} (16) scaled and unscaled are equal, to two BLEU",
          bleu("scaled", "unscaled", 16), "equal", margin=2.0, published="tied"),
    Claim("worse_at_large", f"at {LARGE} (256) unscaled translates worse, its rate tuned",
          bleu("scaled", "unscaled", 256), "greater", margin=2.0, published="scaled better"),
    Claim("gap_grows", "scaled leads unscaled by more at 256 than at 16",
          bleu("scaled", "unscaled", 256) - bleu("scaled", "unscaled", 16), "greater", margin=2.0,
          published="only at large d_k"),
    Claim("additive_beats_unscaled", f"at {LARGE} additive attention translates better than unscaled",
          bleu("additive", "unscaled", 256), "greater", margin=2.0, published="additive better"),
    Claim("additive_as_scaled", f"at {LARGE} additive and scaled are equal, to two BLEU",
          bleu("additive", "scaled", 256), "equal", margin=2.0, published="similar"),
    Claim("alignment_at_large", f"at {LARGE} unscaled cross-attention errs more in its alignment",
          difference("test_alignment_error_rate", "unscaled", "scaled", missing=1.0, stage="final",
                     key_size=nearest(256)), "greater", primary=False),
)


def measure(cell, settings, train):
    """Scores and learning curve of a run."""
    run = train(cell)
    return tuned_arms.translation(run) | {
        "test_alignment_error_rate": run.result.get("test_alignment_error_rate")}


def draw(rows, settings):
    """BLEU and alignment error over key size, dev BLEU over the learning rate, and learning curves."""
    final = tuned_arms.final_of(rows)
    largest = max(size for _, size, _ in final)
    colours = dict(zip(tuned_arms.ARMS, style.COLOURS))
    with titled_figure(9.2, 6.6, "translation of the grammar with and without the scale; dots: seeds; "
                       f"curves: {ranges_of(final.values())}") as figure:
        axes = figure.subplots(2, 2)
        tuned_arms.draw_sizes(axes[0, 0], rows, "test_bleu")
        tuned_arms.draw_sizes(axes[1, 0], rows, "test_alignment_error_rate", worst=1.0)
        for arm in settings["arms"]:
            tuned_arms.draw_rates(axes[0, 1], rows, arm, largest, "bleu", colours[arm])
            curves = [row["curve"] for at, row in final.items() if at[:2] == (arm, largest)]
            draw_curves([axes[1, 1]], curves, arm, colours[arm])
        axes[0, 0].set(ylabel="test BLEU, rate tuned on dev", ylim=(0, None))
        axes[1, 0].set(ylabel="alignment error rate of cross-attention, test", ylim=(0, None))
        for ax in axes[:, 1]:
            ax.set(ylabel=f"dev BLEU at d_k = {largest:,}", ylim=(0, None))
        for ax in axes.flat:
            ax.legend(loc="upper left" if ax is axes[1, 0] else "best")
    return figure


_SMALL_TASK = {
    "data.max_words": 10, "data.max_length": 13, "data.buckets": (13,), "data.train_size": 10000,
    "data.lexicon_size": 300, "data.dev_size": 200, "model.width": 64, "model.hidden": 128,
    "model.num_heads": 1, "optimizer.warmup_steps": 100, "training.steps": 600,
    "training.batch_tokens": 1024, "training.eval_every": 100, "training.checkpoint_every": 300,
    "decoding.beam": 1, "decoding.max_length": 16,
}

STUDY = Study(
    question="Does a translation model learn without the scale 1/sqrt(d_k), and does the key size decide?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "arms": ARMS, "key_sizes": (8,), "rates": (0.003,), "variant": "smoke",
                  "config": tuned_arms.SMOKE_TRANSLATION},
        "cpu": {"seeds": 8, "arms": ARMS, "key_sizes": (16, 256), "rates": (0.001, 0.003, 0.01),
                "variant": "", "config": _SMALL_TASK},
        "accelerator": {"seeds": 8, "arms": ARMS, "key_sizes": (16, 64, 256),
                        "rates": (0.0003, 0.001, 0.003, 0.01), "variant": "",
                        "config": {"model.num_heads": 1, "training.steps": 4000}},
    },
    measure=measure, draw=draw, **tuned_arms.TRANSLATION)
