"""Figures of the attention of a trained translation model, and the arrays behind them."""

from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.config import Hyper
from attention_lab.data import batching
from attention_lab.data.detokenize import unescape
from attention_lab.data.pairs import Pairs
from attention_lab.data.tokenizers import MARK, Segmentation
from attention_lab.storage.later import Later
from attention_lab.tasks.text import nearest_in_length
from attention_lab.tasks.translation import view
from attention_lab.tasks.translation.translator import Attention, Translator
from attention_lab.tasks.translation.word_attention import cross_weights, word_numbers

heatmap, style = Later("attention_lab.figures.heatmap"), Later("attention_lab.figures.style")
WORDS = 10  # preferred length: two such sentences fit side by side
SENTENCES = 8  # number whose weights are saved: those nearest to that length
DRAWN = 4  # number of these in the figure


def write(translator: Translator, params: Any, hyper: Hyper | None, pairs: Pairs, folder: str | Path) -> None:
    """Writes attention.npz for a few pairs of about ten words, attention.png of the first, and view.html.

    attention.npz holds the fields of `Attention` of pair i as i_source, i_target, i_cross and so on. A model
    without attention has neither file.
    """
    if not translator.attends:
        return
    lengths = np.maximum(*(batching.lengths(translator.tokenizer.encode(side))
                           for side in (pairs.source, pairs.target)))
    chosen = pairs.select(nearest_in_length(WORDS, pairs.source, SENTENCES, lengths, translator.buckets[-1]))
    attentions = translator.attention(params, chosen.source, chosen.target, hyper)
    np.savez_compressed(Path(folder) / "attention.npz", **{
        f"{i}_{name}": np.asarray(part) for i, attention in enumerate(attentions)
        for name, part in attention._asdict().items() if part is not None})
    links = [sentence.alignment for sentence in chosen.truth] if chosen.truth else [()] * len(attentions)
    draw(attentions[:DRAWN], links, Path(folder) / "attention.png", translator.tokenizer.segmentation)
    view.of_run(translator, params, hyper, pairs, folder, Path(folder) / "view.html",
                whole=translator.config.training.keep_views > 0)


def draw(attentions: list[Attention], links: list[Any], path: str | Path,
         segmentation: Segmentation) -> None:
    """Draws the cross-attention of the last layer, mean over its heads, between whole words, as a PNG.

    Args:
      attentions: one for each panel. links: gold links (source word, target word) of each, or empty.
      segmentation: of the tokenizer.
    """
    panels = []
    for attention, gold in zip(attentions, links):
        source, target = (_words(side, segmentation) for side in (attention.source, attention.target))
        weights = cross_weights(attention, segmentation)
        panels.append(heatmap.Panel(np.clip(weights, 0.0, 1.0), source, target, gold))
    style.save(heatmap.heat_maps(panels, columns=2, title="cross-attention, last layer, mean over heads"),
               path)


def _words(tokens, segmentation):
    numbers = word_numbers(tokens, segmentation)
    parts = [[token for token, n in zip(tokens, numbers) if n == word] for word in range(numbers.max() + 1)]
    return [unescape("".join(part).replace(MARK, "")) for part in parts]
