"""Is attention parallel where a GRU is not, and what does that cost? (Vaswani et al. 2017, table 1)

One causal layer of 64 and of 256 units, before training, on one sequence: the time of the forward pass, and
of the gradients, over the length; temporary memory, as XLA says it; loop iterations that wait for one
another; and the time of a token where a sequence is written token by token. All layers take turns in each
round, on fresh inputs. A seed is a block of rounds with parameters of its own, and its time the median. The
verdicts are about the device that the figure names, with other programs at rest; fused attention is judged
where the device has a kernel for it, and a note says so where it has none.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.analysis import lengths
from attention_lab.analysis.timing import interleaved
from attention_lab.config.counts import counted
from attention_lab.figures import style
from attention_lab.statistics import one_level
from attention_lab.storage import environment
from attention_lab.studies import Claim, Study, function
from attention_lab.studies.recipes.crossings import (
    crossing_interval,
    log_crossing,
    of_seeds,
    ratio_at,
    slope_from,
)
from attention_lab.studies.recipes.drawing import draw_ranges, seed_count, titled_figure
from attention_lab.studies.recipes.runs import crossed
from attention_lab.studies.values import by_seed

NAMES = {"gru": "GRU", "attention": "attention, all weights", "blockwise": "attention, blockwise",
         "linear": "linear attention", "lstm": "LSTM", "fused": "attention, fused, bfloat16"}
ANYWHERE = tuple(arm for arm in NAMES if arm != "fused")  # arms that every device has
DASHED = ("lstm", "blockwise", "linear")  # which cover another layer in some panels
COLUMNS = {"forward": "time of the forward pass (s)", "gradients": "time with gradients (s)",
           "token": "time per token (s)",
           "temporary": "temporary memory of the gradients, bytes",
           "depth": "loop iterations of the gradients"}
MOST_BYTES = 2 << 30  # bytes of weights above which what holds all of them is left out
TOKENS = 64  # written token by token in one timing


def exponent(arm, column="gradients", least=1024, width=64):
    """The slope of the logarithm of a column on the logarithm of the length, from a length on."""
    return function("exponent", arm=arm, column=column, least=least, width=width)


def times(arm, other, length, column="gradients", width=64):
    """log2 of how many times a column of an arm is that of another, at the length nearest to this."""
    return function("times", arm=arm, other=other, column=column, length=length, width=width)


def crosses(width):
    """log2 of the length from which on attention's gradients take longer than a GRU's."""
    return function("crosses", arm="attention", other="gru", column="gradients", width=width)


LONGEST = 1 << 20  # the nearest length is the greatest
CLAIMS = (
    Claim("gru_in_order", "a GRU's time grows as the length (exponent of the gradients' time, from 1,024 on)",
          exponent("gru"), "equal", 1.0, margin=0.15, published="O(n) sequential steps"),
    Claim("attention_squared", "attention's time grows as the square of the length (the same exponent)",
          exponent("attention"), "equal", 2.0, margin=0.3, published="O(n^2)"),
    Claim("sooner_when_short", "at 256 positions attention is done sooner than a GRU (log2 of the ratio)",
          times("gru", "attention", 256), "greater", published="faster for n < d"),
    Claim("later_when_long", "at the greatest length a GRU is done sooner than attention that holds all "
          "weights (log2 of the ratio)", times("attention", "gru", LONGEST), "greater",
          published="slower for n > d"),
    Claim("blockwise_later", "there a GRU is done sooner than blockwise attention (log2 of the ratio)",
          times("blockwise", "gru", LONGEST), "greater"),
    Claim("linear_sooner", "there linear attention is done sooner than a GRU (log2 of the ratio)",
          times("gru", "linear", LONGEST), "greater"),
    Claim("linear_as_length", "linear attention's time grows as the length (exponent)", exponent("linear"),
          "equal", 1.0, margin=0.15, published="O(n)"),
    Claim("memory_squared", "temporary memory of attention that holds all weights grows as the square of the "
          "length (exponent)", exponent("attention", "temporary"), "equal", 2.0, margin=0.25,
          published="O(n^2)"),
    Claim("memory_of_blocks", "temporary memory of blockwise attention grows at most as the length "
          "(exponent below 1.15)", exponent("blockwise", "temporary"), "less", 1.15, published="O(n)"),
    Claim("token_of_gru", "token by token, a GRU's time does not depend on the length (exponent)",
          exponent("gru", "token"), "equal", margin=0.1, published="O(1)"),
    Claim("token_of_attention", "token by token, behind the greatest length attention needs over twice a "
          "GRU's time (log2 of the ratio)", times("attention", "gru", LONGEST, "token"), "greater", 1.0,
          published="O(n)"),
    Claim("token_of_linear", "token by token, linear attention's time does not depend on the length "
          "(exponent)", exponent("linear", "token"), "equal", margin=0.1, published="O(1)"),
    Claim("lstm_in_order", "an LSTM's time grows as the length (exponent of the gradients' time, from 1,024 "
          "on)", exponent("lstm"), "equal", 1.0, margin=0.15, published="O(n) sequential steps"),
    Claim("wide_sooner_when_short", "of 256 units, at 128 positions attention is done sooner than a GRU "
          "(log2 of the ratio)", times("gru", "attention", 128, width=256), "greater",
          published="faster for n < d"),
    Claim("wide_crosses_later", "the length from which on attention takes longer than a GRU is greater with "
          "256 units than with 64 (log2 of the ratio)", crosses(256) - crosses(64), "greater",
          published="n = d"),
    Claim("wide_crosses_as_width", "that length grows as the width (log2 of the ratio)",
          crosses(256) - crosses(64), "equal", 2.0, margin=0.5, published="n = d", primary=False),
    Claim("wide_later_when_long", "of 256 units, at the greatest length a GRU is done sooner than attention "
          "that holds all weights (log2 of the ratio)", times("attention", "gru", LONGEST, width=256),
          "greater", published="slower for n > d", primary=False),
    Claim("wide_linear_sooner", "there linear attention is done sooner than a GRU (log2 of the ratio)",
          times("gru", "linear", LONGEST, width=256), "greater", primary=False),
    Claim("lstm_later_than_gru", "of 64 units, at the greatest length an LSTM, which has four products a "
          "step to a GRU's three, takes longer (log2 of the ratio)", times("lstm", "gru", LONGEST), "greater",
          primary=False),
    Claim("lstm_sooner_when_long", "there an LSTM is done sooner than attention that holds all weights (log2 "
          "of the ratio)", times("attention", "lstm", LONGEST), "greater", published="slower for n > d",
          primary=False),
    Claim("token_of_lstm", "token by token, an LSTM's time does not depend on the length (exponent)",
          exponent("lstm", "token"), "equal", margin=0.1, published="O(1)", primary=False),
    Claim("fused_squared", "fused attention's time grows as the square of the length (exponent, from 16,384 "
          "on)", exponent("fused", least=16384), "equal", 2.0, margin=0.3, published="O(n^2)",
          primary=False),
    Claim("fused_sooner", "fused attention is done sooner than attention that holds all weights, at the "
          "greatest length of both (log2 of the ratio)", times("attention", "fused", LONGEST), "greater",
          primary=False),
    Claim("fused_sooner_than_gru", "fused attention is done sooner than a GRU at the greatest length (log2 "
          "of the ratio)", times("gru", "fused", LONGEST), "greater", primary=False),
    Claim("fused_memory", "temporary memory of fused attention grows at most as the length (exponent below "
          "1.15)", exponent("fused", "temporary"), "less", 1.15, published="O(n)", primary=False),
)


def cells(settings):
    """A cell for each block of rounds, width and length, in which all layers take turns."""
    return [cell for cell in crossed(seed=range(settings["seeds"]), width=settings["widths"],
                                     length=settings["lengths"])
            if cell["width"] * cell["length"] <= settings["most"]]


def measure(cell, settings, train):
    """Median times, temporary memory and loop iterations of each layer that can be computed here."""
    length, D, H = cell["length"], cell["width"], settings["heads"]
    row = {f"{arm}_{column}": None for arm in settings["arms"] for column in COLUMNS}
    arms = [arm for arm in settings["arms"] if _computable(arm, D, H, length)]
    made = {arm: _programs(arm, D, H, length) for arm in arms}

    def inputs(number):
        rng = np.random.default_rng([cell["seed"], number + 1, length])
        return rng.standard_normal((2, length, D), np.float32), jax.random.key(int(rng.integers(1 << 31)))

    for column in ("forward", "gradients", "token"):
        ways = {arm: _way(made[arm], column, length) for arm in arms}
        seconds = interleaved(ways, inputs, settings["rounds"])
        row |= {f"{arm}_{column}": float(np.median(each)) / (TOKENS if column == "token" else 1)
                for arm, each in seconds.items()}
    for arm in arms:
        row[f"{arm}_temporary"] = made[arm]["gradients"].memory_analysis().temp_size_in_bytes
        row[f"{arm}_depth"] = made[arm]["depth"]
    here = environment.hardware()
    on_cpu = f"{environment.processor()}, {here['cores']} cores"
    return row | {"device": on_cpu if here["platform"] == "cpu" else here["device"]}


def _computable(arm, D, H, length):
    """Whether memory has room for an arm's weights, and the device a kernel for it."""
    if arm == "attention":
        return 4 * H * length ** 2 <= MOST_BYTES
    return arm != "fused" or bool(lengths.kernel_here(D, H))


@functools.cache
def _programs(arm, D, H, length):
    """The layer, its compiled programs by column, and the loop iterations of its gradients."""
    layer = lengths.LAYERS[arm](D, H)
    params = jax.eval_shape(layer.init, jax.random.key(0))
    x, token = (jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((length, D), (D,)))
    carry = jax.eval_shape(lambda: layer.begin(length))
    given = {"forward": (layer.whole, params, x), "gradients": (lengths.gradients(layer), params, x, x),
             "token": (lengths.token_by_token(layer, TOKENS), params, carry, token)}
    programs = {column: jax.jit(function).lower(*shapes).compile()
                for column, (function, *shapes) in given.items()}
    return programs | {"layer": layer, "depth": lengths.depth(*given["gradients"])}


def _way(made, column, length):
    """A way of `interleaved`: on a round's inputs, one of the programs."""
    def way(arrays, key):
        x, g = map(jnp.asarray, arrays)
        params = made["layer"].init(key)
        given = {"forward": (params, x), "gradients": (params, x, g),
                 "token": (params, made["layer"].begin(length), x[0])}[column]
        given = jax.block_until_ready(given)
        return lambda: jax.block_until_ready(made[column](*given))
    return way


def _has_fused(rows, width=64):
    return bool(of_seeds(rows, width, "fused_gradients"))


def not_judged(rows):
    """The claims of fused attention, where the device has none."""
    return {} if _has_fused(rows) else {claim.name: f"{rows[0]['device']} has no fused attention"
                                        for claim in CLAIMS if claim.name.startswith("fused_")}


def resampled(rows):
    """Bootstrap intervals of the exponents, from resampled blocks of rounds."""
    left_out = not_judged(rows)
    return {claim.name: one_level(by_seed(claim.value, rows, FUNCTIONS)) for claim in CLAIMS
            if getattr(claim.value, "name", "") == "exponent" and claim.name not in left_out}


def draw(rows, settings):
    """Every column over the length, a row for each width, with the length where attention and a GRU cross."""
    widths = sorted({row["width"] for row in rows})
    title = (f"one causal layer, {counted(settings['heads'], 'heads')}, one sequence; {seed_count(rows)} "
             f"blocks of {settings['rounds']} rounds, mean and range; {rows[0]['device']}")
    with titled_figure(17.0, 6.6, title) as figure:
        axes = figure.subplots(len(widths), len(COLUMNS), sharex=True, sharey="col", squeeze=False)
        for width, line in zip(widths, axes):
            for ax, (column, label) in zip(line, COLUMNS.items()):
                _draw_column(ax, [row for row in rows if row["width"] == width], column)
                ax.set_title(f"{label}, {width} units", fontsize=8.5)
                if column in ("forward", "gradients"):
                    _mark_crossing(ax, crossing_interval(rows, "attention", "gru", column, width))
        for ax, column in zip(axes[-1], COLUMNS):
            ax.set_xlabel("positions" if column != "token" else "positions before the token")
        handles, names = axes[0, 0].get_legend_handles_labels()
        without = "" if any(_has_fused(rows, width) for width in widths) else (
            "; fused attention: none on this device")
        figure.legend(handles, names, loc="outside lower center", ncols=len(names), title=(
            "grey: where attention that holds all weights and the GRU take equally long, median of the "
            f"blocks, 95 % by bootstrap over blocks{without}"))
    return figure


def _draw_column(ax, rows, column):
    """One column over the length, for all arms that have it."""
    for arm, colour in zip(NAMES, style.COLOURS):
        values = {}
        for row in sorted(rows, key=lambda row: row["length"]):
            if row.get(f"{arm}_{column}") is not None:
                values.setdefault(row["length"], []).append(row[f"{arm}_{column}"])
        if values:
            draw_ranges(ax, list(values), list(values.values()), colour, "o--" if arm in DASHED else "o-", 3,
                        label=NAMES[arm])
    ax.set_xscale("log", base=2)
    ax.set_yscale("symlog" if column == "depth" else "log")
    if column == "depth":
        ax.set_ylim(bottom=-0.5)


def _mark_crossing(ax, interval):
    """The length at which two arms cross and its interval, in grey; nothing for None."""
    if not interval:
        return
    middle, (low, high, _) = interval
    ax.axvline(middle, color=style.FAINT, zorder=0)
    ax.axvspan(low, high, color=style.FAINT, alpha=0.3, linewidth=0, zorder=0)
    ax.annotate(f"{middle:,.0f} ({low:,.0f} to {high:,.0f})", (high, 0.02), (3, 0), fontsize=7.5,
                xycoords=("data", "axes fraction"), textcoords="offset points")


LENGTHS = (32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)
FUNCTIONS = {"exponent": slope_from, "times": ratio_at, "crosses": log_crossing}
# most: positions times units of a layer, above which it would take too long.
STUDY = Study(
    question="From which length on is a GRU faster than attention, and which of them needs less memory?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "rounds": 1, "widths": (64, 256), "heads": 1, "arms": ANYWHERE, "most": 1 << 14,
                  "lengths": LENGTHS[:2]},
        "cpu": {"seeds": 10, "rounds": 3, "widths": (64, 256), "heads": 1, "arms": ANYWHERE, "most": 1 << 19,
                "lengths": LENGTHS[:9]},
        "accelerator": {"seeds": 10, "rounds": 10, "widths": (64, 256), "heads": 1, "arms": tuple(NAMES),
                        "most": 1 << 24, "lengths": LENGTHS},
    },
    cells=cells, measure=measure, draw=draw, labels=("device",),
    functions=FUNCTIONS, computed=("memory_squared", "memory_of_blocks", "fused_memory"),
    not_judged=not_judged, resampled=resampled)
