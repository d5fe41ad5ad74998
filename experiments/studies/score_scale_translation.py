"""Does the scale 1/sqrt(d_k) matter for translation? (Vaswani et al. 2017, 3.2.1; Britz et al. 2017)

The built-in grammar, sentences of 3 to 10 words, by a Transformer of one head, over key size and arm. Rates
are tuned on dev by two seeds of their own (`tuning`); claims rest on eight others, scored on test, greedily.
"""

from attention_lab.statistics import Claim
from experiments.studies import training, tuning
from experiments.studies.record import Study

ARMS = ("scaled", "unscaled", "additive")
SMALL, LARGE = "the smallest key size", "the largest key size"

CLAIMS = (
    Claim("tied_at_small", f"at {SMALL} (16) scaled and unscaled are equal, to two BLEU", "test_bleu",
          ("scaled", "unscaled"), "equal", margin=2.0, published="tied"),
    Claim("worse_at_large", f"at {LARGE} (256) unscaled translates worse, its rate tuned", "test_bleu",
          ("scaled", "unscaled"), "greater", margin=2.0, published="scaled better"),
    Claim("gap_grows", "scaled leads unscaled by more at 256 than at 16", "test_bleu",
          ("gap at the largest", "gap at the smallest"), "greater", margin=2.0,
          published="only at large d_k"),
    Claim("additive_beats_unscaled", f"at {LARGE} additive attention translates better than unscaled",
          "test_bleu", ("additive", "unscaled"), "greater", margin=2.0, published="additive better"),
    Claim("additive_as_scaled", f"at {LARGE} additive and scaled are equal, to two BLEU", "test_bleu",
          ("additive", "scaled"), "equal", margin=2.0, published="similar"),
    Claim("alignment_at_large", f"at {LARGE} unscaled cross-attention errs more in its alignment",
          "test_alignment_error_rate", ("unscaled", "scaled"), "greater", primary=False),
)


def cells(settings):
    """Tuning cells first, then the final ones."""
    pairs = [(arm, size) for arm in settings["arms"] for size in settings["key_sizes"]]
    return tuning.cells(pairs, settings["rates"], settings["seeds"])


def config(settings):
    """The config file of the runs."""
    return f"configs/translation.py:{settings['variant']}"


def overrides(cell, settings, rows):
    """What the run behind a cell changes in it."""
    return tuning.overrides(cell, settings, rows, "bleu")


def measure(cell, settings, rows, folder):
    """Trains a cell, or reads it where it is finished; what it scored and how it learned."""
    changed = overrides(cell, settings, rows)
    result, looks, _ = training.trained(config(settings), changed, folder, "score_scale_translation")
    return {
        "rate_used": changed["optimizer.learning_rate"], "status": result["status"],
        "dev_bleu": result.get("dev_bleu", 0.0), "test_bleu": result.get("test_bleu", ""),
        "test_alignment_error_rate": result.get("test_alignment_error_rate", ""),
        "curve": ";".join(f"{line['step']}:{line['dev_bleu']:.2f}:{line['dev_cross_entropy']:.4f}"
                          for line in looks)}


def differences(rows):
    """Paired by seed."""
    sizes = {row["key_size"] for row in rows}
    least, most = tuning.nearest(sizes, 16), tuning.nearest(sizes, 256)  # those that the claims name

    def pairs(one, other, size, **of):
        return tuning.paired(rows, one, other, size, **{"column": "test_bleu", **of})

    small, large = (pairs("scaled", "unscaled", size) for size in (least, most))
    return {
        "tied_at_small": small,
        "worse_at_large": large,
        "gap_grows": [b - a for a, b in zip(small, large)],
        "additive_beats_unscaled": pairs("additive", "unscaled", most),
        "additive_as_scaled": pairs("additive", "scaled", most),
        "alignment_at_large": pairs("unscaled", "scaled", most, column="test_alignment_error_rate",
                                    worst=1.0),
    }


def draw(rows, settings):
    """BLEU and alignment error over key size, dev BLEU over the rates, and how each arm learned."""
    from attention_lab.figures import style
    final = tuning.final_of(rows)
    largest = max(size for _, size, _ in final)
    colours = dict(zip(tuning.ARMS, style.COLOURS))
    with style.look():
        figure = style.figure(9.2, 6.6, layout="constrained")
        axes = figure.subplots(2, 2)
        tuning.draw_sizes(axes[0, 0], rows, "test_bleu")
        tuning.draw_sizes(axes[1, 0], rows, "test_alignment_error_rate", worst=1.0)
        for arm in settings["arms"]:
            tuning.draw_rates(axes[0, 1], rows, arm, largest, "bleu", colours[arm])
            tuning.draw_curves([axes[1, 1]], [row["curve"] for (name, size, _), row in final.items()
                                              if (name, size) == (arm, largest)], arm, colours[arm])
        axes[0, 0].set(ylabel="test BLEU, rate tuned on dev", ylim=(0, None))
        axes[1, 0].set(ylabel="alignment error rate of cross-attention, test", ylim=(0, None))
        for ax in axes[:, 1]:
            ax.set(ylabel=f"dev BLEU at d_k = {largest:,}", ylim=(0, None))
        for ax in axes.flat:
            ax.grid(axis="y")
            ax.legend(loc="upper left" if ax is axes[1, 0] else "best")
        figure.suptitle("translation of the grammar with and without the scale; mean and range of "
                        f"{len({seed for _, _, seed in final})} seeds", parse_math=False)
    return figure


_SMALL_TASK = {
    "data.max_words": 10, "data.max_length": 13, "data.buckets": (13,), "data.train_size": 10000,
    "data.lexicon_size": 300, "data.dev_size": 200, "model.width": 64, "model.hidden": 128,
    "model.num_heads": 1, "optimizer.warmup_steps": 100, "training.steps": 600,
    "training.batch_tokens": 1024, "training.eval_every": 100, "training.checkpoint_every": 300,
    "decoding.beam": 1, "decoding.max_length": 16,
}

STUDY = Study(
    name="score_scale_translation",
    question="Does a translation model learn without the scale 1/sqrt(d_k), and does the key size decide?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "arms": ARMS, "key_sizes": (8,), "rates": (0.003,), "variant": "smoke",
                  "config": {"model.num_heads": 1, "training.steps": 2, "data.dev_size": 4,
                             "data.test_size": 4, "decoding.beam": 1, "training.eval_every": 2}},
        "cpu": {"seeds": 8, "arms": ARMS, "key_sizes": (16, 256), "rates": (0.001, 0.003, 0.01),
                "variant": "", "config": _SMALL_TASK},
        "accelerator": {"seeds": 8, "arms": ARMS, "key_sizes": (16, 64, 256),
                        "rates": (0.0003, 0.001, 0.003, 0.01), "variant": "",
                        "config": {"model.num_heads": 1, "training.steps": 4000}},
    },
    cells=cells, measure=measure, differences=differences, draw=draw, config=config, overrides=overrides)
