"""Scores of a finished translator on a split of its data or on other pairs, whole and by source length."""

import dataclasses
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from attention_lab.config import Data
from attention_lab.data import detokenize, sources
from attention_lab.data.anomalies import anomalies
from attention_lab.data.pairs import Pairs
from attention_lab.data.readers import tsv
from attention_lab.evaluation import lengths
from attention_lab.storage.runs import Run
from attention_lab.tasks.translation.task import scores


def evaluate(trained: Any, changed: Collection[str], bins: Sequence[str], say: Callable[[str], None]
             ) -> Iterator[tuple[str, Any]]:
    """Names and values of the scores; see `registry.Family`.

    Raises:
      ValueError: data that can't be used, or a bin without a sentence.
    """
    run, translator, data = trained.run, trained.model, trained.config.data
    trained_on, edges = run.config.data, lengths.bins(",".join(bins)) if bins else []
    pairs = _pairs(run, data)
    if trained_on.text == "tokenized" and trained_on.source == "multi30k" and data.source == "tsv":
        pairs = prepared(pairs, say)
    lengths.places(pairs.source, edges)  # raises before anything is translated
    for notice in anomalies({data.split: (pairs.counts, pairs.source)}, "pairs", translator.tokenizer):
        say(notice)
    yield "pairs", len(pairs)
    if any(key.startswith("data.") and key != "data.split" for key in changed):
        yield from _overlap(trained_on, pairs, say)
    scored = scores(translator, trained.params, pairs, data.split)
    yield from scored.numbers.items()
    sides = ([row[side] for row in scored.predictions] for side in ("source", "reference", "translation"))
    for of_length in lengths.by_length(*sides, edges, translator.config.data.text):
        name = f"{of_length.low}-{of_length.high}"
        yield f"pairs_{name}", of_length.sentences
        yield f"{data.split}_bleu_{name}", f"{of_length.bleu:.4f}"
        yield f"{data.split}_first_words_{name}", f"{of_length.first:.6f}"
        yield f"{data.split}_last_words_{name}", f"{of_length.last:.6f}"


def _pairs(run: Run, data: Data) -> Pairs:
    """All pairs of another file, which holds nothing out, or a split; ValueError if the run's TSV changed."""
    trained_on = run.config.data
    if data.source == "tsv" and not _same_file(data.path, trained_on.path):
        return tsv.read(data.path)
    sha256 = run.facts.get("data", {}).get("sha256")
    if data.source == trained_on.source == "tsv" and sha256 and sha256 != sources.digest(
            sources.load(trained_on, ("train", "dev", trained_on.split))):
        raise ValueError(f"{trained_on.path} was changed after {run.folder} was trained on it, so that "
                         "sentences held out now were trained on then: give other lines as another file by "
                         "--config.data.path")
    return sources.load(data, (data.split,))[data.split]


def _same_file(path: str, other: str) -> bool:
    return bool(path and other) and os.path.exists(path) and os.path.exists(other) and os.path.samefile(
        path, other)


def prepared(pairs: Pairs, say: Callable[[str], None]) -> Pairs:
    """Written text as a run on Multi30k was trained on: tokenised and lower-cased."""
    made = dataclasses.replace(pairs, source=[detokenize.prepare(text, "en") for text in pairs.source],
                               target=[detokenize.prepare(text, "fr") for text in pairs.target])
    changed = sum(old != new for old, new in zip(pairs.source, made.source))
    if changed:
        say(f"{changed} of {len(pairs)} source sentences were tokenised and lower-cased, and so were "
            "references: the run was trained on such text")
    return made


def _overlap(trained_on: Data, pairs: Pairs, say: Callable[[str], None]) -> Iterator[tuple[str, int]]:
    """How many of the scored sentences the run was trained on, if its own data can still be read."""
    try:
        train = set(sources.load(trained_on, ("train",))["train"].source)
    except ValueError as error:
        say(f"whether these sentences were trained on is not known: {error}")
        return
    seen = sum(sentence in train for sentence in pairs.source)
    yield "seen_in_training", seen
    if seen:
        say(f"{seen} of {len(pairs)} source sentences are among those that the run was trained on")
