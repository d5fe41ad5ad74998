"""Messages to the user about irregularities of a corpus, which is used nevertheless."""

from collections.abc import Mapping, Sequence
from typing import Any

from attention_lab.config.counts import are, counted
from attention_lab.data.tokenizers import Tokenizer


def anomalies(corpus: Mapping[str, tuple[Mapping[str, Any], Sequence[str]]], unit: str, tokenizer: Tokenizer,
              too_long: int = 0, longest: int = 0) -> list[str]:
    """A line about each split's odd rows, as its reader counted them, its unseen words, its long examples.

    Args:
      corpus: {split: (counts of its reader, texts that a model reads)}.
      unit: name of the examples, "pairs" or "sentences"; the count of that name is not odd.
      too_long: number of examples of train beyond `longest` tokens.
    """
    lines = []
    for split, (counts, texts) in corpus.items():
        odd = [_counted(name.replace("_", " "), count) for name, count in counts.items()
               if count and name != unit]
        if odd:
            lines.append(f"{split}: " + ", ".join(odd))
        unseen = tokenizer.unseen(texts) if split != "train" else None
        if unseen:
            frequent = " ".join(_visible(part) for part, _ in unseen.most_common(5))
            number = counted(sum(unseen.values()), tokenizer.segmentation.unit)
            lines.append(f"{split}: {number} never seen in training ({frequent})")
    if too_long:
        lines.append(f"train: {counted(too_long, unit)} {are(too_long)} longer than {longest} tokens and "
                     "left out")
    return lines


def _counted(name: str, count: int | Sequence[str]) -> str:
    """A number with what it counts, and names in brackets: "2 files left out (README, labels.txt)"."""
    return counted(count, name) if isinstance(count, int) else (
        f"{counted(len(count), name)} ({', '.join(map(_visible, count))})")


def _visible(text: str) -> str:
    """A text as a terminal shows it: one that would move its cursor or change its colour is escaped."""
    return text if text.isprintable() else ascii(text)[1:-1]
