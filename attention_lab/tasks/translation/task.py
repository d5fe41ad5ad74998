"""Translation as a Task: sentence pairs in, cross-entropy to train on, BLEU to score by."""

from pathlib import Path
from typing import Any

from attention_lab.config import Config, Hyper, readouts_of
from attention_lab.config.counts import counted
from attention_lab.data import batching, sources
from attention_lab.data.anomalies import anomalies
from attention_lab.data.pairs import Pairs
from attention_lab.data.vocabulary import PAD
from attention_lab.evaluation import phenomena
from attention_lab.evaluation.bleu import corpus_bleu, corpus_chrf, unfit_reason
from attention_lab.tasks import text
from attention_lab.tasks.translation import pictures, word_attention
from attention_lab.tasks.translation.translator import SCORING_TOKENS, Translator
from attention_lab.training.losses import TokenLoss
from attention_lab.training.task import Scores, Task


def build(config: Config, folder: str | Path | None = None) -> Task:
    """Reads the data, makes or loads the tokenizer, and wires model, loss and scores.

    Args:
      config: checked already.
      folder: a run; if it has checkpoints, its tokenizer is loaded rather than trained again.
    Raises:
      ValueError: data that can't be used, or nothing that fits into the buckets.
    """
    data = config.data
    corpus = sources.load(data, ("train", "dev", data.split))
    tokenizer = text.tokenizer_of(config, folder, corpus["train"].source + corpus["train"].target)
    train_ids, dev_ids = ([tokenizer.encode(side) for side in (corpus[split].source, corpus[split].target)]
                          for split in ("train", "dev"))
    examples = text.examples(config, *train_ids)
    buckets = examples.buckets
    translator = Translator(config, tokenizer, buckets)
    scored, notices = {}, []
    for name in dict.fromkeys(("dev", data.split)):
        scored[name], line = text.without_too_long(translator, corpus[name], corpus[name].source, "pairs")
        notices += [f"{name}: {line}"] if line else []
    sources_beyond, references_beyond = (translator.too_long(side) for side in (
        corpus["dev"].source, corpus["dev"].target))
    if references_beyond:
        notices.append(f"dev: {counted(len(references_beyond), 'references')} of more than "
                       f"{translator.longest()} tokens left out of dev_loss")
    beyond = {*sources_beyond, *references_beyond}
    dev_ids = [[row for i, row in enumerate(side) if i not in beyond] for side in dev_ids]
    unfit = unfit_reason(scored["dev"].target, data.text)

    def score(params, hyper, split, final) -> Scores:
        return scores(translator, params, scored[split], split, hyper, final)

    return Task(
        init=translator.model.init,
        loss=TokenLoss(translator.model, config.training.precision, readouts_of(config)),
        batches=examples.batches,
        rows=examples.rows,
        steps_per_epoch=examples.steps_per_epoch,
        dev_batches=lambda: batching.in_order(*dev_ids, buckets, SCORING_TOKENS),
        score=score,
        select=("dev_chrf" if unfit else "dev_bleu", 1.0),
        save=lambda folder: tokenizer.save(Path(folder) / text.TOKENIZER),
        illustrate=lambda params, hyper, folder: pictures.write(
            translator, params, hyper, scored["dev"], folder),
        tokens=lambda batch: int((batch["target"] != PAD).sum()),
        facts={"vocabulary": tokenizer.size, **examples.facts, **text.corpus_facts(corpus),
               "fill": round(batching.fill(*map(batching.lengths, train_ids), buckets), 4)},
        notices=anomalies({split: (pairs.counts, pairs.source) for split, pairs in corpus.items()}, "pairs",
                          tokenizer, examples.too_long, max(buckets)) + notices + (
            [f"dev: {unfit}: the checkpoint is selected by dev_chrf"] if unfit else []))


def scores(translator: Translator, params: Any, pairs: Pairs, split: str, hyper: Hyper | None = None,
           final: bool = True) -> Scores:
    """BLEU and chrF of a split, and on the grammar the accuracies of its phenomena.

    final: by the config's beam and with the alignment error rate; otherwise greedily and without.
    """
    hypotheses, cut = translator.translate(params, pairs.source, None if final else 1, hyper)
    bleu, chrf = (metric(hypotheses, pairs.target, translator.config.data.text)
                  for metric in (corpus_bleu, corpus_chrf))
    scored = {f"{split}_bleu": round(bleu.score, 4), f"{split}_chrf": round(chrf.score, 4),
              "bleu_signature": bleu.signature}
    if pairs.truth is not None:
        scored |= {f"{split}_{name}_accuracy": round(accuracy.score, 6)
                   for name, accuracy in phenomena.accuracies(hypotheses, pairs.truth).items()}
    if final:
        scored[f"{split}_cut"] = cut  # translations that met decoding.max_length before their end
    if final and pairs.truth is not None and translator.attends:
        error = word_attention.error_rate(translator, params, pairs, hyper)
        scored[f"{split}_alignment_error_rate"] = round(error, 6)
    rows = zip(pairs.source, pairs.target, hypotheses)
    return Scores(scored, [{"source": source, "reference": reference, "translation": translation}
                           for source, reference, translation in rows])
