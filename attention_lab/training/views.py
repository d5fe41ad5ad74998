"""Parameters that a run keeps for pictures of how attention came about: at few steps, most of them early."""

from pathlib import Path
from typing import Any

from attention_lab.training import checkpoint


def folder(run: str | Path) -> Path:
    """Where a run folder has them."""
    return Path(run) / "views"


def steps_of(total: int | None, count: int) -> tuple[int, ...]:
    """The steps at which `count` parameters are kept: half of the duration, a quarter, an eighth and so on.

    total: steps of the run; None, where the clock ends it, keeps none.

    >>> steps_of(1000, 4)
    (62, 125, 250, 500)
    >>> steps_of(3, 6)
    (1,)
    """
    return tuple(sorted({(total or 0) // 2 ** n for n in range(1, count + 1)} - {0}))


def save(run: str | Path, step: int, params: Any) -> None:
    """Keeps parameters; those of this and later steps, of before the run went back to a checkpoint, go."""
    checkpoint.save(folder(run), step, params, {})
