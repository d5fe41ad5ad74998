"""Translation as a Task: sentence pairs in, cross-entropy to train on, BLEU to score by."""

import dataclasses
from pathlib import Path
from typing import Any

from attention_lab.config import Config, Hyper
from attention_lab.data import batching, sources, tokenizers
from attention_lab.data.anomalies import anomalies
from attention_lab.data.pairs import Pairs
from attention_lab.data.vocabulary import PAD
from attention_lab.evaluation import phenomena
from attention_lab.evaluation.bleu import corpus_bleu, corpus_chrf
from attention_lab.tasks.translation import pictures, word_alignment
from attention_lab.tasks.translation.translator import SCORING_TOKENS, Translator, tokenizer_path
from attention_lab.training.losses import TokenLoss
from attention_lab.training.task import Scores, Task


@dataclasses.dataclass(frozen=True)
class Translation:
    """A translation problem with its data read and cut into tokens.

    Fields:
      config: what was asked for.
      corpus: {split: Pairs}.
      translator: model and tokenizer.
      task: the record that the training loop takes.
    """

    config: Config
    corpus: dict[str, Pairs]
    translator: Translator
    task: Task


def build(config: Config, folder: str | Path | None = None) -> Task:
    """The task of a config; see `prepare`."""
    return prepare(config, folder).task


def prepare(config: Config, folder: str | Path | None = None) -> Translation:
    """Reads the data, makes or loads the tokenizer, and wires model, loss and scores.

    Args:
      config: checked already.
      folder: a run; if it has checkpoints, its tokenizer.json is taken rather than trained again.
    Raises:
      ValueError: data that can't be used, or nothing that fits into the buckets.
    """
    data = config.data
    corpus = sources.load(data, ("train", "dev", data.split))
    sides = corpus["train"].source + corpus["train"].target
    if folder is not None and (Path(folder) / "checkpoints").exists():
        tokenizer = tokenizers.load(tokenizer_path(folder))
    else:
        tokenizer = tokenizers.train(data.tokenizer, sides, data.vocabulary_size)
    ids = {split: (tokenizer.encode(pairs.source), tokenizer.encode(pairs.target))
           for split, pairs in corpus.items()}
    lengths = [batching.lengths(side) for side in ids["train"]]
    buckets = batching.settle(data.buckets, *lengths, data.max_length)
    too_long = int((batching.assign(*lengths, buckets) < 0).sum())
    schedule = batching.Schedule(
        [len(members) for members in batching.bucket_members(*ids["train"], buckets)], buckets,
        config.training.batch_tokens)
    translator = Translator(config, tokenizer, buckets)

    def score(params, hyper, split, final) -> Scores:
        return scores(translator, params, corpus[split], split, hyper, final)

    facts = {
        "vocabulary": tokenizer.size, "buckets": list(buckets), "too_long": too_long,
        "steps_per_epoch": round(schedule.steps_per_epoch, 2),
        "fill": round(batching.fill(*lengths, buckets), 4),
        "sha256": sources.digest(corpus),
        **{f"{split}_{name}": count for split, pairs in corpus.items()
           for name, count in pairs.counts.items() if count}}
    return Translation(config, corpus, translator, Task(
        init=translator.model.init,
        loss=TokenLoss(translator.model, config.training.precision),
        batches=lambda seed, first: batching.batches(
            *ids["train"], buckets, config.training.batch_tokens, seed, first),
        rows=schedule.rows,
        steps_per_epoch=schedule.steps_per_epoch,
        dev_batches=lambda: batching.in_order(*ids["dev"], buckets, SCORING_TOKENS),
        score=score,
        select=("dev_bleu", 1.0),
        save=lambda folder: tokenizer.save(tokenizer_path(folder)),
        illustrate=lambda params, hyper, folder: pictures.write(
            translator, params, hyper, corpus["dev"], folder),
        tokens=lambda batch: int((batch["target"] != PAD).sum()),
        facts=facts,
        notices=anomalies({split: (pairs.counts, pairs.source) for split, pairs in corpus.items()}, "pairs",
                          tokenizer, too_long, max(buckets))))


def scores(translator: Translator, params: Any, pairs: Pairs, split: str, hyper: Hyper | None = None,
           final: bool = True) -> Scores:
    """Translates a split and scores it; greedily and without alignment unless `final`."""
    hypotheses, cut = translator.translate(params, pairs.source, None if final else 1, hyper)
    scored = numbers(split, hypotheses, pairs, translator.config.data.text)
    if final:
        scored[f"{split}_cut"] = cut  # translations that met decoding.max_length before they ended
    if final and pairs.truth is not None and translator.attends:
        error = word_alignment.error_rate(translator, params, pairs, hyper)
        scored[f"{split}_alignment_error_rate"] = round(error, 6)
    rows = zip(pairs.source, pairs.target, hypotheses)
    return Scores(scored, [dict(zip(("source", "reference", "translation"), row)) for row in rows])


def numbers(split: str, hypotheses: list[str], pairs: Pairs, text: str) -> dict[str, Any]:
    """BLEU and chrF of a split, and on the grammar the accuracies of its phenomena."""
    bleu, chrf = (metric(hypotheses, pairs.target, text) for metric in (corpus_bleu, corpus_chrf))
    scored = {f"{split}_bleu": round(bleu.score, 4), f"{split}_chrf": round(chrf.score, 4),
              "bleu_signature": bleu.signature}
    if pairs.truth is not None:
        scored |= {f"{split}_{name}_accuracy": round(accuracy.score, 6)
                   for name, accuracy in phenomena.accuracies(hypotheses, pairs.truth).items()}
    return scored
