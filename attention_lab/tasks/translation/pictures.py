"""Pictures of a trained translation model: where it looked, and the arrays behind them."""

from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.config import Hyper
from attention_lab.data.detokenize import unescape
from attention_lab.data.pairs import Pairs
from attention_lab.data.tokenizers import MARK
from attention_lab.figures import heatmap, style
from attention_lab.tasks.translation.translator import Attention, Translator
from attention_lab.tasks.translation.word_alignment import cross_weights, word_numbers

WORDS = 10  # of a sentence that fits beside another
SENTENCES = 8  # whose weights are kept, those nearest to that length
DRAWN = 4  # sentences in the figure, the first ones


def write(translator: Translator, params: Any, hyper: Hyper | None, pairs: Pairs, folder: str | Path) -> None:
    """Writes attention.npz for a few pairs of about ten words, and attention.png for the first of them.

    attention.npz holds, for pair i, i_source and i_target (tokens with the end mark), i_cross (L, H, T, S),
    i_values (L, H, S), the norm of what a position adds at a weight of 1, and of a Transformer
    i_encoder (L, H, S, S) and i_decoder (L, H, T, T). A model without attention has neither file.
    """
    if not translator.attends:
        return
    lengths = np.array([len(sentence.split()) for sentence in pairs.source])
    nearest = np.argsort(np.abs(lengths - WORDS), kind="stable")[:SENTENCES]
    chosen = pairs.select(sorted(nearest.tolist()))
    found = translator.attention(params, chosen.source, chosen.target, hyper)
    arrays = {}
    for i, one in enumerate(found):
        arrays |= {f"{i}_{name}": np.asarray(part) for name, part in one._asdict().items()
                   if part is not None}
    np.savez_compressed(Path(folder) / "attention.npz", **arrays)
    links = [one.alignment for one in chosen.truth] if chosen.truth else [()] * len(found)
    draw(found[:DRAWN], links, Path(folder) / "attention.png", translator.tokenizer.kind)


def draw(found: list[Attention], links: list[Any], path: str | Path, kind: str) -> None:
    """Draws the cross-attention of the last layer, mean over its heads, between whole words.

    Args:
      found: Attention records, one a panel.
      links: gold links (source word, target word) of each, or empty.
      path: a PNG.
      kind: of the tokenizer, bpe or word.
    """
    panels = []
    for one, gold in zip(found, links):
        source, target = (_words(side, kind) for side in (one.source, one.target))
        weights = cross_weights(one, kind)
        panels.append(heatmap.Panel(np.clip(weights, 0.0, 1.0), source, target, gold))
    style.save(heatmap.heat_maps(panels, columns=2, title="cross-attention, last layer, mean over heads"),
               path)


def _words(tokens, kind):
    numbers = word_numbers(tokens, kind)
    parts = [[token for token, n in zip(tokens, numbers) if n == word] for word in range(numbers.max() + 1)]
    return [unescape("".join(part).replace(MARK, "")) for part in parts]
