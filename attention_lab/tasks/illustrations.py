"""Pictures of a trained translation model: where it looked, and the arrays behind them."""

from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.data.pairs import Pairs

SENTENCES = 8  # sentences whose weights are kept


def write(translator: Any, params: Any, pairs: Pairs, folder: str | Path) -> None:
    """Writes attention.npz for the first few dev sentences, and attention.png."""
    chosen = pairs.select(range(min(SENTENCES, len(pairs))))
    found = translator.attention(params, chosen.source, chosen.target)
    arrays = {}
    for i, one in enumerate(found):
        arrays |= {f"{i}_source": np.array(one.source), f"{i}_target": np.array(one.target),
                   f"{i}_cross": one.cross, f"{i}_encoder": one.encoder, f"{i}_decoder": one.decoder}
    np.savez_compressed(Path(folder) / "attention.npz", **arrays)
