"""Arms compared over key sizes, each at its best learning rate.

Every arm and key size tries the same learning rates and takes the best on dev over two tuning seeds; other
seeds, paired across arms, are then trained at that rate and scored on test.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from attention_lab.figures import style
from attention_lab.studies.recipes import rates, runs
from attention_lab.studies.recipes.drawing import draw_unreached, key_size_axis
from attention_lab.studies.study import Rows

TUNING_SEEDS = (100, 101)
ARMS = {
    "scaled": {"attention.scale": "inverse_sqrt"},
    "unscaled": {"attention.scale": 1.0},
    "inverse": {"attention.scale": "inverse"},
    "cosine": {"attention.compatibility": "cosine"},
    "additive": {"attention.compatibility": "additive"},
}
MAIN = ("scaled", "unscaled")
# A translation run of seconds, with one head.
SMOKE_TRANSLATION = {"model.num_heads": 1, "training.steps": 2, "data.dev_size": 4, "data.test_size": 4,
                     "decoding.beam": 1, "training.eval_every": 2}


def cells(pairs: Sequence[tuple[str, int]], rates: Sequence[float], seeds: int) -> Rows:
    """Tuning cells of all pairs (arm, key size), those of one program in a row; then the final cells.

    The rate of a final cell is None: the best one. A single rate is not tuned, and has final cells alone.
    """
    pairs = sorted(pairs, key=lambda pair: (pair[1], ARMS[pair[0]].get("attention.compatibility", "dot")))
    tuning = [{"stage": "tune", "arm": arm, "key_size": size, "rate": rate, "seed": seed}
              for arm, size in pairs for rate in rates for seed in TUNING_SEEDS if len(rates) > 1]
    final = [{"stage": "final", "arm": arm, "key_size": size, "rate": None, "seed": seed}
             for arm, size in pairs for seed in range(seeds)]
    return tuning + final


def by_rate(rows: Rows, arm: str, size: int, score: str) -> dict[float, float]:
    """The mean dev score of the tuning seeds at each rate, in rising order of rates."""
    return rates.by_rate(rows, f"dev_{score}", 0.0, arm=arm, key_size=size)


def best_rate(rows: Rows, arm: str, size: int, score: str) -> float:
    """The rate with the highest mean dev score over the tuning seeds; the lowest of equals."""
    scores = by_rate(rows, arm, size, score)
    return rates.best(scores)


def overrides_by(score: str) -> Callable[..., dict[str, Any]]:
    """`Study.overrides` where `score` selects the rate; without rows a rate still to be tuned is None."""
    def overrides(cell: Mapping[str, Any], settings: Mapping[str, Any], rows: Rows | None) -> dict[str, Any]:
        rate = cell["rate"]
        if rate is None and len(settings["rates"]) == 1:
            rate = settings["rates"][0]
        elif rate is None and rows is not None:
            rate = best_rate(rows, cell["arm"], cell["key_size"], score)
        return runs.with_data(settings["config"] | ARMS[cell["arm"]] | {
            "model.key_size": cell["key_size"], "optimizer.learning_rate": rate, "seed": cell["seed"],
            "data.split": "test" if cell["stage"] == "final" else "dev"}, settings)

    return overrides


def translation(run: runs.Run) -> dict[str, Any]:
    """Columns of a run that translates: its rate, status, BLEU and dev curve."""
    return {"rate_used": run.changes["optimizer.learning_rate"], "status": run.result["status"],
            "dev_bleu": run.result.get("dev_bleu", 0.0), "test_bleu": run.result.get("test_bleu"),
            "curve": runs.curve(run.evaluations, "dev_bleu", "dev_cross_entropy")}


def _crossed(settings):
    pairs = [(arm, size) for arm in settings["arms"] for size in settings["key_sizes"]]
    return cells(pairs, settings["rates"], settings["seeds"])


# Fields of a Study whose runs translate.
TRANSLATION = {"cells": _crossed, "config": "configs/translation.py:{variant}",
               "overrides": overrides_by("bleu"), "check": runs.check_data}


def final_of(rows: Rows) -> dict[tuple[str, int, int], dict[str, Any]]:
    """Final rows by arm, key size and seed."""
    return {(row["arm"], row["key_size"], row["seed"]): row for row in rows if row["stage"] == "final"}


def number(value: float | None, worst: float = 0.0) -> float:
    """A score; `worst` for a run that diverged and has none."""
    return worst if value is None else value


def draw_sizes(ax: Any, rows: Rows, column: str, worst: float = 0.0, open_from: float = np.inf) -> None:
    """Every seed of the final runs over key size, a dot each, arms and seeds side by side.

    worst: in the place of an empty cell. open_from: values from here on are an open arrow with
        their number.
    """
    final = final_of(rows)
    sizes = sorted({size for _, size, _ in final})
    for size in sizes:
        arms = [arm for arm in ARMS if any(at[:2] == (arm, size) for at in final)]
        for place, arm in enumerate(arms):
            x, colour = size * 1.17 ** (place - (len(arms) - 1) / 2), style.COLOURS[list(ARMS).index(arm)]
            values = np.array([number(row[column], worst) for at, row in final.items()
                               if at[:2] == (arm, size)])
            reached = values[values < open_from]
            ax.plot(x * 1.014 ** (np.arange(len(reached)) - (len(reached) - 1) / 2), reached, "o",
                    color=colour, markersize=3.5, alpha=0.7, label=arm if size == sizes[0] else None)
            draw_unreached(ax, x, open_from, len(values) - len(reached), colour)
    key_size_axis(ax, sizes)


def draw_rates(ax: Any, rows: Rows, arm: str, size: int, score: str, colour: str) -> None:
    """The mean dev score of an arm's tuning seeds over the learning rate."""
    tuned = by_rate(rows, arm, size, score)
    ax.plot(list(tuned), list(tuned.values()), "o-", color=colour, label=arm)
    ax.set_xscale("log")
    ax.set_xlabel("peak learning rate")
