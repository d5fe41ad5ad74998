"""Is attention parallel where a GRU is not, and what does that cost? (Vaswani et al. 2017, table 1)

One causal layer, before training, on one sequence: the time of the forward pass, and of the gradients, over
the length; temporary memory, as XLA says it; loop iterations that wait for one another; and the time of a
token where a sequence is written token by token. All layers take turns in each round, on fresh inputs. A seed
is a block of rounds with parameters of its own, and its time the median. The verdicts are about the device
that the figure names, with other programs at rest.
"""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from attention_lab.analysis import lengths
from attention_lab.analysis.timing import interleaved
from attention_lab.figures import style
from attention_lab.statistics import one_level
from attention_lab.storage import environment
from attention_lab.studies import Claim, Study, function
from attention_lab.studies.recipes.drawing import draw_ranges, seed_count, titled_figure
from attention_lab.studies.recipes.runs import crossed
from attention_lab.studies.values import by_seed

NAMES = {"gru": "GRU", "attention": "attention, all weights", "blockwise": "attention, blockwise",
         "linear": "linear attention"}
COLUMNS = {"forward": "time of the forward pass (s)", "gradients": "time with gradients (s)",
           "token": "time per token (s)",
           "temporary": "temporary memory of the gradients, bytes",
           "depth": "loop iterations of the gradients"}
MOST_BYTES = 2 << 30  # bytes of weights above which what holds all of them is left out
TOKENS = 64  # written token by token in one timing


def exponent(arm, column="gradients", least=1024):
    """The slope of the logarithm of a column on the logarithm of the length, from a length on."""
    return function("exponent", arm=arm, column=column, least=least)


def times(arm, other, length, column="gradients"):
    """log2 of how many times a column of an arm is that of another, at the length nearest to this."""
    return function("times", arm=arm, other=other, column=column, length=length)


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
)


def cells(settings):
    """A cell for each block of rounds and length, in which all layers take turns."""
    return crossed(seed=range(settings["seeds"]), length=settings["lengths"])


def measure(cell, settings, train):
    """Median times, temporary memory and loop iterations of each layer that can be computed in memory."""
    length, D, H = cell["length"], settings["width"], settings["heads"]
    row = {f"{arm}_{column}": None for arm in NAMES for column in COLUMNS}
    arms = [arm for arm in NAMES if arm != "attention" or 4 * H * length ** 2 <= MOST_BYTES]
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


def _of_seeds(rows):
    """The rows of each seed, in rising order of lengths."""
    seeds = {}
    for row in sorted(rows, key=lambda row: row["length"]):
        seeds.setdefault(row["seed"], []).append(row)
    return seeds


def slope_from(rows, arm, column, least):
    """The exponent of a column from a length on, by seed; of the last two where the arm has no more."""
    name, slopes = f"{arm}_{column}", {}
    for seed, each in _of_seeds(rows).items():
        measured = [row for row in each if row[name] is not None]
        points = [row for row in measured if row["length"] >= least]
        points = points if len(points) > 1 else measured[-2:]
        logs = [np.log([row[key] for row in points]) for key in ("length", name)]
        slopes[seed] = round(float(np.polyfit(*logs, 1)[0]), 9)
    return slopes


def ratio_at(rows, arm, other, column, length):
    """log2 of a column of an arm over that of another, at the nearest length that both have, by seed."""
    ratios = {}
    for seed, each in _of_seeds(rows).items():
        both = [row for row in each if None not in (row[f"{arm}_{column}"], row[f"{other}_{column}"])]
        row = min(both, key=lambda row: abs(row["length"] - length))
        ratios[seed] = round(math.log2(row[f"{arm}_{column}"] / row[f"{other}_{column}"]), 9)
    return ratios


def crossing(rows, arm, other, column):
    """The length at which an arm begins to need more than another, by seed; nan where it never does."""
    crossed_at = {}
    for seed, each in _of_seeds(rows).items():
        points = [(math.log(row["length"]), math.log(row[f"{arm}_{column}"] / row[f"{other}_{column}"]))
                  for row in each if None not in (row[f"{arm}_{column}"], row[f"{other}_{column}"])]
        crossings = [a[0] - a[1] * (b[0] - a[0]) / (b[1] - a[1]) for a, b in zip(points, points[1:])
                     if a[1] <= 0 < b[1]]
        crossed_at[seed] = math.exp(crossings[-1]) if crossings and points[-1][1] > 0 else math.nan
    return crossed_at


def crossing_interval(rows, arm, other, column):
    """The median of `crossing` over seeds, and its bootstrap interval; None if a seed has no crossing."""
    lengths = list(crossing(rows, arm, other, column).values())
    return None if np.isnan(lengths).any() else (float(np.median(lengths)), one_level(lengths, np.median))


def resampled(rows):
    """Bootstrap intervals of the exponents, from resampled blocks of rounds."""
    return {claim.name: one_level(by_seed(claim.value, rows, FUNCTIONS)) for claim in CLAIMS
            if claim.value.name == "exponent"}


def draw(rows, settings):
    """Every column over the length, with the length at which attention and a GRU cross."""
    title = (f"one causal layer of {settings['width']} units, {settings['heads']} head(s), one sequence; "
             f"{seed_count(rows)} blocks of {settings['rounds']} rounds, mean and range; {rows[0]['device']}")
    sizes = sorted({row["length"] for row in rows})
    with titled_figure(13.2, 7.2, title) as figure:
        axes = figure.subplots(2, 3).ravel()
        for ax, (column, label) in zip(axes, COLUMNS.items()):
            for arm, colour in zip(NAMES, style.COLOURS):
                columns = {size: [row[f"{arm}_{column}"] for row in rows if row["length"] == size
                                  and row[f"{arm}_{column}"] is not None] for size in sizes}
                columns = {size: values for size, values in columns.items() if values}
                draw_ranges(ax, list(columns), list(columns.values()), colour, label=NAMES[arm], markersize=3)
            ax.set_xscale("log", base=2)
            ax.set_yscale("symlog" if column == "depth" else "log")
            if column == "depth":
                ax.set_ylim(bottom=-0.5)
            ax.set(xlabel="positions" if column != "token" else "positions before the token", ylabel=label)
        for column, ax in zip(("forward", "gradients"), axes):
            if interval := crossing_interval(rows, "attention", "gru", column):
                middle, (low, high, _) = interval
                ax.axvline(middle, color=style.FAINT, zorder=0)
                ax.axvspan(low, high, color=style.FAINT, alpha=0.3, linewidth=0, zorder=0)
                ax.annotate(f"{middle:,.0f} ({low:,.0f} to {high:,.0f})", (high, 0.02), (3, 0), fontsize=7.5,
                            xycoords=("data", "axes fraction"), textcoords="offset points")
        axes[-1].axis("off")
        axes[-1].legend(*axes[0].get_legend_handles_labels(), loc="center",
                        title="grey: where attention and the GRU take equally long,\n"
                              "median of the blocks, 95 % by bootstrap over blocks")
    return figure


FUNCTIONS = {"exponent": slope_from, "times": ratio_at}
STUDY = Study(
    question="From which length on is a GRU faster than attention, and which of them needs less memory?",
    claims=CLAIMS,
    presets={
        "smoke": {"seeds": 2, "rounds": 1, "lengths": (32, 64, 128), "width": 16, "heads": 2},
        "cpu": {"seeds": 10, "rounds": 3, "width": 64, "heads": 1,
                "lengths": (32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)},
        "accelerator": {"seeds": 10, "rounds": 10, "width": 64, "heads": 1, "lengths": (
            32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)},
    },
    cells=cells, measure=measure, draw=draw, labels=("device",),
    functions=FUNCTIONS, resampled=resampled)
