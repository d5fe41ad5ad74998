"""Pictures of a trained translation model: where it looked, and the arrays behind them."""

from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.data.pairs import Pairs
from attention_lab.figures import heatmap, style

SENTENCES = 8  # whose weights are kept
DRAWN = 4  # sentences in the figure, the first ones


def write(translator: Any, params: Any, pairs: Pairs, folder: str | Path) -> None:
    """Writes attention.npz for the first few pairs, and attention.png with the last layer's heads' mean.

    attention.npz holds, for pair i, i_source and i_target (tokens with the end mark), i_cross (L, H, T, S),
    i_encoder (L, H, S, S) and i_decoder (L, H, T, T).
    """
    chosen = pairs.select(range(min(SENTENCES, len(pairs))))
    found = translator.attention(params, chosen.source, chosen.target)
    arrays = {}
    for i, one in enumerate(found):
        arrays |= {f"{i}_source": np.array(one.source), f"{i}_target": np.array(one.target),
                   f"{i}_cross": one.cross, f"{i}_encoder": one.encoder, f"{i}_decoder": one.decoder}
    np.savez_compressed(Path(folder) / "attention.npz", **arrays)
    links = [one.alignment for one in chosen.truth] if chosen.truth else [()] * len(found)
    draw(found[:DRAWN], links, Path(folder) / "attention.png")


def draw(found: list[Any], links: list[Any], path: str | Path) -> None:
    """Draws the cross-attention of the last layer, mean over its heads, without the end marks.

    Args:
      found: Attention records, one a panel.
      links: gold links (source index, target index) of each, or empty; only for whole words.
      path: a PNG.
    """
    panels = []
    for one, gold in zip(found, links):
        source, target = one.source[:-1], one.target[:-1]
        weights = one.cross[-1].mean(axis=0)[:len(target), :len(source)]
        # Subwords have no place in gold links between words.
        whole = all(s < len(source) and t < len(target) for s, t in gold)
        panels.append(heatmap.Panel(np.clip(weights, 0.0, 1.0), source, target, gold if whole else ()))
    style.save(heatmap.heat_maps(panels, columns=2, title="cross-attention, last layer, mean over heads"),
               path)
