"""What `evaluate` does with a run that translates: scores of a split, whole and by length of the source."""

import dataclasses
import os
from collections.abc import Collection, Sequence

from attention_lab.config import Config, task_of
from attention_lab.data import detokenize, sources
from attention_lab.data.anomalies import anomalies
from attention_lab.data.pairs import Pairs
from attention_lab.evaluation import lengths
from attention_lab.tasks.load import load
from attention_lab.tasks.translation import task as translation
from experiments.flags import say


def translations(folder: str, held: Config, config: Config, changed: Collection[str],
                 bins_given: Sequence[str]) -> int:
    """Prints the scores of a split of a run that translates, a line each; exit status 0.

    Args:
      folder: the run's. held: its config.
      config: the same with what was given put in. changed: the keys of that.
      bins_given: numbers of source words to be scored apart as well, such as ("1-10,11-20",).
    Raises:
      ValueError: the data can't be used, or has no sentence in one of the bins.
    """
    data = config.data
    bins = lengths.bins(",".join(bins_given)) if bins_given else []
    if task_of(config) == "classification":
        raise ValueError(f"data.source={data.source}: {folder} does not classify: its data.source is "
                         f"{held.data.source}")
    run = load(folder, config, say)
    if data.source == "tsv" and not _same_file(data.path, held.data.path):
        pairs = sources.load_whole(data)  # another file holds nothing out: all of it is scored
    else:
        if data.source == held.data.source == "tsv":
            _check_own_file(folder, held, run.run.facts)
        pairs = sources.load(data, (data.split,))[data.split]
    translator = run.translator
    if held.data.text == "tokenized" and held.data.source == "multi30k" and data.source == "tsv":
        pairs = prepared(pairs)
    lengths.bin_members(pairs.source, bins)  # says so before anything is translated
    for notice in anomalies({data.split: (pairs.counts, pairs.source)}, "pairs", translator.tokenizer):
        say(notice)
    print(f"pairs\t{len(pairs)}")
    if any(key.startswith("data.") and key != "data.split" for key in changed):
        _tell_overlap(held.data, pairs)
    scores = translation.scores(translator, run.params, pairs, data.split)
    for name, value in scores.numbers.items():
        print(f"{name}\t{value}")
    sides = ([row[side] for row in scores.predictions] for side in ("source", "reference", "translation"))
    for one in lengths.by_length(*sides, bins, translator.config.data.text):
        name = f"{one.low}-{one.high}"
        print(f"pairs_{name}\t{one.sentences}\n{data.split}_bleu_{name}\t{one.bleu:.4f}\n"
              f"{data.split}_first_words_{name}\t{one.first:.6f}\n"
              f"{data.split}_last_words_{name}\t{one.last:.6f}")
    return 0


def _check_own_file(folder, held, facts) -> None:
    """ValueError where the run's TSV was changed, for other lines would be held out than were then."""
    was = facts.get("data", {}).get("sha256")
    if was and was != sources.digest(sources.load(held.data, ("train", "dev", held.data.split))):
        raise ValueError(f"{held.data.path} was changed after {folder} was trained on it, so that sentences "
                         "held out now were trained on then: give other lines as another file by "
                         "--config.data.path")


def prepared(pairs: Pairs) -> Pairs:
    """Sentences as the run was trained on them: tokenised and lower-cased."""
    made = dataclasses.replace(pairs, source=[detokenize.prepare(one, "en") for one in pairs.source],
                               target=[detokenize.prepare(one, "fr") for one in pairs.target])
    changed = sum(old != new for old, new in zip(pairs.source, made.source))
    if changed:
        say(f"{changed} of {len(pairs)} source sentences were tokenised and lower-cased, and so were "
            "references: the run was trained on such text")
    return made


def _same_file(path: str, other: str) -> bool:
    return bool(path and other) and os.path.exists(path) and os.path.exists(other) and os.path.samefile(
        path, other)


def _tell_overlap(held, pairs) -> None:
    """How many of the scored sentences the run was trained on, where its own data can still be read."""
    try:
        trained = set(sources.load(held, ("train",))["train"].source)
    except ValueError as error:
        say(f"whether these sentences were trained on is not known: {error}")
        return
    seen = sum(sentence in trained for sentence in pairs.source)
    print(f"seen_in_training\t{seen}")
    if seen:
        say(f"{seen} of {len(pairs)} source sentences are among those that the run was trained on")
