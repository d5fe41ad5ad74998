"""Multi-query recall in studies: the lead of an arm, and what answers that look nothing up would score."""

from typing import Any

from attention_lab.data.synthetic import recall
from attention_lab.figures import style
from attention_lab.studies.values import Nearest, Sum, difference


def lead(arm: str, other: str, size: int | Nearest) -> Sum:
    """Test accuracy of an arm minus another's at a key size; a run that diverged counts as 0."""
    return difference("test_accuracy", arm, other, missing=0.0, stage="final", key_size=size)


def floors(data: Any) -> dict[str, float]:
    """Accuracy of answers that look nothing up, on the test sequences of a config's `data`, by name."""
    answers = recall.sequences(data.test_size, data.pairs, data.vocabulary_size, data.corpus_seed,
                               "test").target[:, -data.pairs:]
    alike = (answers[:, :, None] == answers[:, None, :]).mean(axis=2)  # share of the pairs with this value
    return {"most frequent value of the sequence": float(alike.max(axis=1).mean()),
            "one of its values at random": float(alike.mean())}


def draw_floors(ax: Any, data: Any) -> None:
    """A line at each of `floors`, named in the legend."""
    for (name, level), line in zip(floors(data).items(), ("--", ":")):
        ax.axhline(level, color=style.INK, linestyle=line, linewidth=0.9, label=f"{name}: {level:.3f}")
