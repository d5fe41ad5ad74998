"""Arms compared over key sizes, each at its own best rate: what such studies have in common.

Every arm and size gets the same learning rates and takes the one that is best on dev over two seeds of
its own; then other seeds, paired across arms, are trained at that rate and scored on test.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.studies.record import Rows

TUNING_SEEDS = (100, 101)
ARMS = {
    "scaled": {"attention.scale": "inverse_sqrt"},
    "unscaled": {"attention.scale": 1.0},
    "inverse": {"attention.scale": "inverse"},
    "cosine": {"attention.compatibility": "cosine"},
    "additive": {"attention.compatibility": "additive"},
}
MAIN = ("scaled", "unscaled")


def cells(pairs: Sequence[tuple[str, int]], rates: Sequence[float], seeds: int) -> Rows:
    """Tuning cells of all pairs (arm, key size) first, those of one program together; then the final ones.

    With one rate there is nothing to tune, and only final cells.
    """
    pairs = sorted(pairs, key=lambda pair: (pair[1], ARMS[pair[0]].get("attention.compatibility", "dot")))
    tuning = [{"stage": "tune", "arm": arm, "key_size": size, "rate": rate, "seed": seed}
              for arm, size in pairs for rate in rates for seed in TUNING_SEEDS if len(rates) > 1]
    final = [{"stage": "final", "arm": arm, "key_size": size, "rate": "best", "seed": seed}
             for arm, size in pairs for seed in range(seeds)]
    return tuning + final


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


def overrides(cell: Mapping[str, Any], settings: Mapping[str, Any], rows: Rows, score: str
              ) -> dict[str, Any]:
    """What the run behind a cell changes in the study's config."""
    rate = cell["rate"]
    if rate == "best":
        rate = settings["rates"][0] if len(settings["rates"]) == 1 else best_rate(
            rows, cell["arm"], cell["key_size"], score)
    return settings["config"] | ARMS[cell["arm"]] | {
        "model.key_size": cell["key_size"], "optimizer.learning_rate": rate, "seed": cell["seed"],
        "data.split": "test" if cell["stage"] == "final" else "dev"}


def paired(rows: Rows, one: str, other: str, size: int, column: str, worst: float | None = 0.0
           ) -> list[float]:
    """The first arm less the other, for each seed of the final runs at a key size.

    A run that diverged has no score and counts as `worst`; where that is None its seed is left out.
    """
    final = final_of(rows)
    pairs = [(final[one, size, seed][column], final[other, size, seed][column])
             for seed in sorted({seed for _, _, seed in final})]
    return [number(a, worst) - number(b, worst) for a, b in pairs if worst is not None or "" not in (a, b)]


def final_of(rows: Rows) -> dict[tuple[str, int, int], dict[str, Any]]:
    """Final rows by arm, key size and seed."""
    return {(row["arm"], row["key_size"], row["seed"]): row for row in rows if row["stage"] == "final"}


def number(value: Any, worst: float = 0.0) -> float:
    """A score; a run that diverged has none, and gets the worst."""
    return worst if value == "" else float(value)


def nearest(sizes: Sequence[int], wanted: int) -> int:
    """The key size that a claim speaks of, or where a preset lacks it the one nearest to it."""
    return min(sizes, key=lambda size: abs(size - wanted))


def draw_sizes(ax: Any, rows: Rows, column: str, worst: float = 0.0) -> None:
    """Means and ranges of the final runs over key size, an arm beside the other."""
    import numpy as np

    from attention_lab.figures import style
    final = final_of(rows)
    for place, (arm, colour) in enumerate(zip(ARMS, style.COLOURS)):
        sizes = np.array(sorted({size for name, size, _ in final if name == arm}))
        if not len(sizes):
            continue
        own = {(size, seed): row[column] for (name, size, seed), row in final.items() if name == arm}
        scores = [[number(value, worst) for (at, _), value in own.items() if at == size] for size in sizes]
        shifted = sizes * (1.0 + 0.04 * (place - 2))
        ax.plot(shifted, [np.mean(one) for one in scores], "o-", color=colour, markersize=4, label=arm)
        ax.vlines(shifted, [min(one) for one in scores], [max(one) for one in scores], color=colour,
                  linewidth=1.0)
    key_size_axis(ax, sorted({size for _, size, _ in final}))


def key_size_axis(ax: Any, sizes: Sequence[int]) -> None:
    """A logarithmic axis of key sizes, each named."""
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.minorticks_off()
    ax.set_xlabel("key size d_k")


def draw_rates(ax: Any, rows: Rows, arm: str, size: int, score: str, colour: str) -> None:
    """The mean dev score of an arm's tuning seeds over the rates."""
    tuned = by_rate(rows, arm, size, score)
    ax.plot(list(tuned), [sum(scores) / len(scores) for scores in tuned.values()], "o-", color=colour,
            label=arm)
    ax.set_xscale("log")
    ax.set_xlabel("peak learning rate")


def draw_curves(axes: Sequence[Any], texts: Sequence[str], arm: str, colour: str) -> None:
    """Mean and range of several runs over the steps: of "step:a:b;step:a:b" an axes for each of a, b."""
    import numpy as np
    curves = [np.array([[float(x) for x in look.split(":")] for look in text.split(";")])
              for text in texts if text]
    if not curves:
        return
    length = min(map(len, curves))
    stack = np.stack([curve[:length] for curve in curves])
    for column, ax in enumerate(axes, 1):
        steps, values = stack[0, :, 0], stack[:, :, column]
        ax.plot(steps, values.mean(0), color=colour, label=arm)
        ax.fill_between(steps, values.min(0), values.max(0), color=colour, alpha=0.2, linewidth=0)
        ax.set_xlabel("optimizer steps")
