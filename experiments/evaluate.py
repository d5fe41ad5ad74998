"""python -m experiments.evaluate --run=DIR [--config.data.split=dev] [--lengths=1-10,11-20]: scores a run."""

import dataclasses
import os

from experiments import flags
from experiments.flags import say

# What may differ from the run: which sentences, and how translations are searched for. Sizes may not:
# splits are cut from one stream, so that other sizes would score sentences that were trained on.
KEYS = ("data.source", "data.directory", "data.path", "data.text", "data.split", "data.corpus_seed",
        "data.lexicon_size", "data.min_words", "data.max_words", "data.word", "data.least_distance",
        "data.most_distance", "data.distractors", "decoding.beam", "decoding.length_penalty",
        "decoding.max_length")
PROGRAM = flags.Program("evaluate", "Scores a finished run on a split of its own or of other data.", {
    "run": flags.Flag("", "folder of a finished run", required=True),
    "lengths": flags.Flag((), "bins of source words to be scored apart as well, such as 1-10,11-20; words "
                          "are what blanks part, a full stop among them"),
}, config="overrides", keys=KEYS)


def main(options: flags.Options) -> int:
    """Prints the scores of a split, a line each; writes nothing."""
    from attention_lab.config import CLASSIFIED
    from attention_lab.config import parse as overrides
    from attention_lab.data import tsv
    from attention_lab.evaluation import lengths
    from attention_lab.storage import runs
    from attention_lab.tasks import corpora, finished, translation
    from attention_lab.tasks.notices import notices
    held = runs.load_run(options.run).config
    config = overrides.apply(held, options.given)
    data = config.data
    asked = ",".join(options.lengths)
    bins = lengths.bins(asked) if options.lengths else []
    if bins and held.data.source in CLASSIFIED:
        raise ValueError(f"--lengths={asked}: {options.run} classifies; translations are scored by length")
    if held.data.source in CLASSIFIED:
        from experiments import evaluation
        return evaluation.classes(options.run, config, [key for key, _ in options.given], say)
    if data.source in CLASSIFIED:
        raise ValueError(f"data.source={data.source}: {options.run} does not classify: its data.source is "
                         f"{held.data.source}")
    run = finished.load(options.run, config, say)
    if data.source == "tsv" and not _same_file(data.path, held.data.path):
        pairs = tsv.read(data.path)  # another file holds nothing out: all of it is scored
    else:
        if data.source == held.data.source == "tsv":
            _check_own_file(options.run, held, run.run.facts)
        pairs = corpora.load(data, (data.split,))[data.split]
    translator = run.translator
    if held.data.text == "tokenized" and held.data.source == "multi30k" and data.source == "tsv":
        pairs = _prepared(pairs)
    lengths.places(pairs.source, bins)  # says so before anything is translated
    for notice in notices({data.split: (pairs.counts, pairs.source)}, "pairs", translator.tokenizer):
        say(notice)
    print(f"pairs\t{len(pairs)}")
    if any(key.startswith("data.") and key != "data.split" for key, _ in options.given):
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
    from attention_lab.tasks import corpora
    was = facts.get("data", {}).get("sha256")
    if was and was != corpora.digest(corpora.load(held.data, ("train", "dev", held.data.split))):
        raise ValueError(f"{held.data.path} was changed after {folder} was trained on it, so that sentences "
                         "held out now were trained on then: give other lines as another file by "
                         "--config.data.path")


def _prepared(pairs):
    """Sentences as the run was trained on them: tokenised and lower-cased."""
    from attention_lab.data import detokenize
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
    from attention_lab.tasks import corpora
    try:
        trained = set(corpora.load(held, ("train",))["train"].source)
    except ValueError as error:
        say(f"whether these sentences were trained on is not known: {error}")
        return
    seen = sum(sentence in trained for sentence in pairs.source)
    print(f"seen_in_training\t{seen}")
    if seen:
        say(f"{seen} of {len(pairs)} source sentences are among those that the run was trained on")


if __name__ == "__main__":
    flags.run(main, PROGRAM)
