"""Language modelling as a task: perplexity, and bits per byte or the loss above the entropy."""

import math
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from attention_lab.config import Config, Hyper, readouts_of
from attention_lab.config.counts import counted
from attention_lab.data import batching, sequences, sources
from attention_lab.data.contexts import Contexts
from attention_lab.data.vocabulary import PAD, UNKNOWN
from attention_lab.tasks import text
from attention_lab.tasks.language.language_model import LanguageModel
from attention_lab.training.losses import TokenLoss
from attention_lab.training.task import Batch, Scores, Sums, Task

LARGEST = 700.0  # nats a token of the largest perplexity that is a number


def build(config: Config, folder: str | Path | None = None) -> Task:
    """Reads or draws the text and wires model, loss and scores.

    Raises:
      ValueError: text that can't be used, or is shorter than a context; batches of under eight contexts.
    """
    data = config.data
    corpus = sources.load(data, tuple(dict.fromkeys(("train", "dev", data.split))))
    tokenizer = text.tokenizer_of(config, folder, corpus["train"].sample())
    rows = batching.rows(data.context, config.training.batch_tokens)
    batches, count = corpus["train"].training(tokenizer, data.context, rows)
    if (least := rows * data.context) > config.training.batch_tokens:
        raise ValueError(f"training.batch_tokens={config.training.batch_tokens}: a batch has at least {rows} "
                         f"contexts of data.context={data.context}; at least {least} is allowed")
    held_out = {split: part.contexts(tokenizer, data.context) for split, part in corpus.items()
                if split != "train"}
    model = LanguageModel(config, tokenizer).model
    loss = TokenLoss(model, config.training.precision, readouts_of(config))

    def in_order(split):
        return sequences.in_order(held_out[split], min(rows, batching.rows(1, len(held_out[split].target))))

    def score(params, hyper, split, final):
        return Scores({f"{split}_{name}": number for name, number in
                       scores(loss, params, hyper, held_out[split], in_order(split)).items()}, [])

    notices = [f"{split}: {count} {name.replace('_', ' ')}" for split, part in corpus.items()
               for name, count in part.counts.items() if count and name not in ("lines", "sentences")]
    unknown = {split: np.count_nonzero(part.target == UNKNOWN) for split, part in held_out.items()}
    notices += [f"{split}: {counted(some, 'tokens')} never seen in training"
                for split, some in unknown.items() if some]
    return Task(
        init=model.init, loss=loss, batches=batches, rows=[rows],
        steps_per_epoch=count / rows,
        dev_batches=lambda: in_order("dev"), score=score, select=("dev_perplexity", -1.0),
        save=lambda folder: tokenizer.save(folder / text.TOKENIZER),
        illustrate=lambda params, hyper, folder: None,
        tokens=lambda batch: int(np.count_nonzero(batch["target"] != PAD)),
        facts={"vocabulary": tokenizer.size, "rows": rows,
               **text.corpus_facts(corpus)}, notices=notices)


def scores(loss: TokenLoss, params: Any, hyper: Hyper, contexts: Contexts, batches: Iterable[Batch]
           ) -> dict[str, float]:
    """`numbers` of contexts, which are cut into these batches."""
    sums = [jax.device_get(cross_entropy(loss, params, batch, hyper)) for batch in batches]
    total, count = (float(sum(getattr(part, name) for part in sums)) for name in ("total", "count"))
    return numbers(total, count, contexts)


@partial(jax.jit, static_argnames="loss")
def cross_entropy(loss: TokenLoss, params: Any, batch: Batch, hyper: Hyper) -> Sums:
    """The sum of -log p of the targets of a batch, nats, and their number."""
    return loss(params, batch, hyper, None)[1]["cross_entropy"]


def numbers(total: float, count: float, contexts: Contexts) -> dict[str, float]:
    """Scores of `count` tokens whose -log p sum up to `total` nats.

    perplexity = exp(total / count). Of a text, bits_per_byte = total / (bytes log 2). Of stories, excess =
    total / count - entropy, where entropy is the mean -log p of the same tokens by the grammar, nats.
    """
    nats = total / count
    scores = {"perplexity": round(math.exp(min(nats, LARGEST)), 6)}
    if contexts.bytes:
        scores["bits_per_byte"] = round(total / math.log(2) / contexts.bytes, 6)
    if contexts.surprisal is not None:
        entropy = float(contexts.surprisal.mean())
        scores |= {"entropy": round(entropy, 6), "excess": round(nats - entropy, 6)}
    return scores
