"""Arms compared over key sizes, each at its own best rate: what such studies have in common.

Every arm and size gets the same learning rates and takes the one that is best on dev over two seeds of
its own; then other seeds, paired across arms, are trained at that rate and scored on test.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from attention_lab.figures import style
from attention_lab.studies.recipes.drawing import draw_ranges, key_size_axis
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
# A translation that ends in seconds, of one head.
SMOKE_TRANSLATION = {"model.num_heads": 1, "training.steps": 2, "data.dev_size": 4, "data.test_size": 4,
                     "decoding.beam": 1, "training.eval_every": 2}


def cells(pairs: Sequence[tuple[str, int]], rates: Sequence[float], seeds: int) -> Rows:
    """Tuning cells of all pairs (arm, key size) first, those of one program together; then the final ones.

    A final cell's rate is None, for its best one. With one rate there is nothing to tune, and only final
    cells.
    """
    pairs = sorted(pairs, key=lambda pair: (pair[1], ARMS[pair[0]].get("attention.compatibility", "dot")))
    tuning = [{"stage": "tune", "arm": arm, "key_size": size, "rate": rate, "seed": seed}
              for arm, size in pairs for rate in rates for seed in TUNING_SEEDS if len(rates) > 1]
    final = [{"stage": "final", "arm": arm, "key_size": size, "rate": None, "seed": seed}
             for arm, size in pairs for seed in range(seeds)]
    return tuning + final


def crossed_cells(settings: Mapping[str, Any]) -> Rows:
    """Cells of every arm at every key size of the settings."""
    pairs = [(arm, size) for arm in settings["arms"] for size in settings["key_sizes"]]
    return cells(pairs, settings["rates"], settings["seeds"])


def translation_config(settings: Mapping[str, Any]) -> str:
    """The config file of runs that translate."""
    return f"configs/translation.py:{settings['variant']}"


def by_rate(rows: Rows, arm: str, size: int, score: str) -> dict[float, list[float]]:
    """The tuning seeds' dev scores at each rate, the rates rising."""
    found: dict[float, list[float]] = {}
    for row in rows:
        if (row["stage"], row["arm"], row["key_size"]) == ("tune", arm, size):
            found.setdefault(row["rate"], []).append(row[f"dev_{score}"])
    return dict(sorted(found.items()))


def best_rate(rows: Rows, arm: str, size: int, score: str) -> float:
    """The rate with the highest mean dev score over the tuning seeds; the lower one of equals."""
    scores = by_rate(rows, arm, size, score)
    return max(scores, key=lambda rate: sum(scores[rate]) / len(scores[rate]))


def overrides(cell: Mapping[str, Any], settings: Mapping[str, Any], rows: Rows | None, score: str
              ) -> dict[str, Any]:
    """What the run behind a cell changes in the config; where rows are None, so is the best rate."""
    rate = cell["rate"]
    if rate is None and len(settings["rates"]) == 1:
        rate = settings["rates"][0]
    elif rate is None and rows is not None:
        rate = best_rate(rows, cell["arm"], cell["key_size"], score)
    return settings["config"] | ARMS[cell["arm"]] | {
        "model.key_size": cell["key_size"], "optimizer.learning_rate": rate, "seed": cell["seed"],
        "data.split": "test" if cell["stage"] == "final" else "dev"}


def final_of(rows: Rows) -> dict[tuple[str, int, int], dict[str, Any]]:
    """Final rows by arm, key size and seed."""
    return {(row["arm"], row["key_size"], row["seed"]): row for row in rows if row["stage"] == "final"}


def number(value: float | None, worst: float = 0.0) -> float:
    """A score; a run that diverged has none, and gets the worst."""
    return worst if value is None else value


def draw_sizes(ax: Any, rows: Rows, column: str, worst: float = 0.0) -> None:
    """Means and ranges of the final runs over key size, an arm beside the other."""
    final = final_of(rows)
    for place, (arm, colour) in enumerate(zip(ARMS, style.COLOURS)):
        sizes = sorted({size for name, size, _ in final if name == arm})
        if not sizes:
            continue
        scores = [[number(row[column], worst) for (name, at, _), row in final.items()
                   if (name, at) == (arm, size)] for size in sizes]
        draw_ranges(ax, [size * (1.0 + 0.04 * (place - 2)) for size in sizes], scores, colour, label=arm)
    key_size_axis(ax, sorted({size for _, size, _ in final}))


def draw_rates(ax: Any, rows: Rows, arm: str, size: int, score: str, colour: str) -> None:
    """The mean dev score of an arm's tuning seeds over the rates."""
    tuned = by_rate(rows, arm, size, score)
    ax.plot(list(tuned), [sum(scores) / len(scores) for scores in tuned.values()], "o-", color=colour,
            label=arm)
    ax.set_xscale("log")
    ax.set_xlabel("peak learning rate")
