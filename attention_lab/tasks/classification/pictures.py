"""Figures of the attention of a trained classifier, beside the word that decides."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.config import Hyper
from attention_lab.data import batching
from attention_lab.data.detokenize import unescape
from attention_lab.data.labelled import WHOLE, Labelled
from attention_lab.data.tokenizers import MARK
from attention_lab.data.vocabulary import EOS
from attention_lab.storage.later import Later
from attention_lab.tasks.classification import view
from attention_lab.tasks.classification.classifier import Classifier
from attention_lab.tasks.text import nearest_in_length

heatmap, style = Later("attention_lab.figures.heatmap"), Later("attention_lab.figures.style")
labels = Later("attention_lab.figures.labels")

WORDS = 14  # preferred length of the sentences
SENTENCES = 8  # number whose weights are saved: those nearest to that length
DRAWN = 4  # number of these in the figure


def write(classifier: Classifier, params: Any, hyper: Hyper | None, sentences: Labelled, folder: str | Path,
          guided: Mapping[str, Any] | None = None) -> None:
    """Writes attention.npz for a few sentences of about fourteen words, attention.png, and view.html.

    attention.npz holds, for sentence i, i_tokens (with the end mark), i_place, and as far as the model has
    them i_encoder (L, H, S, S) and i_pool (1, 1, 1, S). A model without attention has none of these.
    guided: the guide's `answers` on the sentences, for a model that has one.
    """
    lengths = batching.lengths(classifier.tokenizer.encode(sentences.text))
    indices = nearest_in_length(WORDS, sentences.text, SENTENCES, lengths, classifier.buckets[-1])
    chosen = sentences.select(indices)
    predicted = classifier.predict(params, chosen, hyper, with_weights=True, extra=_rows(guided, indices))
    if not any(predicted.weights):
        return
    ids, positions = classifier.encode(chosen)
    arrays: dict[str, Any] = {}
    for i, (row, position, weights) in enumerate(zip(ids, positions, predicted.weights)):
        arrays |= {f"{i}_tokens": np.array(classifier.tokenizer.tokens([*row, EOS])), f"{i}_place": position}
        arrays |= {f"{i}_{name}": part for name, part in weights.items()}
    np.savez_compressed(Path(folder) / "attention.npz", **arrays)
    few = chosen.select(range(min(DRAWN, len(chosen))))
    draw(classifier, few, predicted.labels, predicted.weights, Path(folder) / "attention.png")
    shown = view.of_page(classifier, sentences)
    view.of_run(classifier, params, hyper, sentences.select(shown), folder, Path(folder) / "view.html",
                _rows(guided, shown), whole=classifier.config.training.keep_views > 0)


def _rows(columns, indices):
    """Some rows of the columns that `guidance.answers` gives."""
    return {name: [column[i] for i in indices] if isinstance(column, list) else column[indices]
            for name, column in (columns or {}).items()}


def draw(classifier: Classifier, sentences: Labelled, answers: Sequence[str], weights: Sequence[dict],
         path: str | Path) -> None:
    """Draws the weights of the target word as a PNG: a row for each layer (mean over heads) and the pooling.

    For a sentence that is classified as a whole, a layer's row is the mean over all words. In a sentence of
    the grammar an open square marks the deciding word.
    """
    ids, positions = classifier.encode(sentences)
    panels = []
    for i, (row, position, by_kind) in enumerate(zip(ids, positions, weights)):
        tokens = [unescape(token.replace(MARK, "")) for token in classifier.tokenizer.tokens(row)]
        if classifier.tokenizer.segmentation.whole_words:
            tokens = sentences.text[i].split(" ")  # also words never seen in training
        queries = range(len(row)) if sentences.position[i] == WHOLE else [position]
        lines = {f"layer {n}": layer[:, queries].mean(axis=(0, 1))
                 for n, layer in enumerate(by_kind.get("encoder", ()), 1)}
        lines |= {"pooling": by_kind["pool"][0, 0, 0]} if "pool" in by_kind else {}
        links = []
        if sentences.truth:
            decider = classifier.word_starts(row)[sentences.truth[i].senses[0].decider]
            links = [(decider, n) for n in range(len(lines))]
        name = f"{sentences.word[i]}: " if sentences.word[i] else ""
        label, answer = labels.shortened(sentences.label[i]), labels.shortened(answers[i])
        right = f" (is {label})" if sentences.label[i] not in ("", answers[i]) else ""
        table = np.clip(np.stack(list(lines.values()))[:, :len(tokens)], 0.0, 1.0)
        panels.append(heatmap.Panel(table, tokens, list(lines), links, name + answer + right))
    figure = heatmap.heat_maps(panels, columns=1, title="attention, mean over heads", gold="deciding word")
    style.save(figure, path)
