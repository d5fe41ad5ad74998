"""Tasks with an answer at some of the tokens of a sequence: recall, echo, a marked word, a repeated block."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from attention_lab import models
from attention_lab.config import ENCODERS, Config, Hyper, readouts_of
from attention_lab.data import batching, sequences, sources
from attention_lab.data.vocabulary import PAD, SPECIALS
from attention_lab.models import Model
from attention_lab.storage.runs import Run
from attention_lab.training.losses import TokenLoss
from attention_lab.training.task import Batch, Scores, Sums, Task


class Tagger:
    """The model of one config. Fields: model, the Model; attends, whether it has attention."""

    def __init__(self, config: Config):
        self.model = models.build(config, config.data.vocabulary_size, answers=config.data.fold)
        self.attends = config.model.kind in ENCODERS


def read(run: Run, config: Config) -> Tagger:
    """The model of a finished run."""
    return Tagger(config)


@partial(jax.jit, static_argnames="model")
def correct(model: Model, params: Any, batch: Batch, hyper: Hyper) -> Sums:
    """How many answers are right, of how many."""
    output = model.apply(params, batch, hyper)
    predicted = jnp.argmax(output.hidden @ output.readout.T, axis=-1)
    real = batch["target"] != PAD
    return Sums(jnp.sum(real & (predicted == batch["target"])), jnp.sum(real))


@partial(jax.jit, static_argnames="loss")
def attention_statistics(loss: TokenLoss, params: Any, batch: Batch, hyper: Hyper
                         ) -> tuple[jax.Array, jax.Array]:
    """At the answers: each layer's entropy as a share of log S, (L,); norm of the query kernels' gradient."""
    entropy = loss.model.apply(params, batch, hyper, readouts=("entropy",)).readouts["encoder"]["entropy"]
    queries = (batch["target"] != PAD) & (batch["source"] != PAD)  # at several answers of a query, the query
    real = jnp.broadcast_to(queries[None, :, None], entropy.shape)
    keys = batch["source"].shape[1]
    mean = (entropy / max(math.log(keys), 1e-12) * real).sum((1, 2, 3)) / real.sum((1, 2, 3))
    gradient = jax.grad(lambda params: loss(params, batch, hyper, None)[0].total)(params)
    squares = [(leaf ** 2).sum() for path, leaf in jax.tree_util.tree_leaves_with_path(gradient)
               if "query_kernel" in jax.tree_util.keystr(path)]
    return mean, jnp.sqrt(sum(squares)) / (batch["target"] != PAD).sum()


def build(config: Config, folder: str | Path | None = None) -> Task:
    """Draws the sequences and wires model, loss and accuracy; ValueError for too small a vocabulary."""
    data, tagger = config.data, Tagger(config)
    loss = TokenLoss(tagger.model, config.training.precision, readouts_of(config))
    corpus = sources.load(data, tuple(dict.fromkeys(("train", "dev", data.split))))
    length = corpus["train"].source.shape[1]
    rows = batching.rows(length, config.training.batch_tokens)
    rows = min(rows, max(8, data.train_size // 8 * 8))

    def score(params, hyper, name, final):
        sums = [jax.device_get(correct(tagger.model, params, batch, hyper))
                for batch in sequences.in_order(corpus[name], rows)]
        accuracy = sum(int(part.total) for part in sums) / sum(int(part.count) for part in sums)
        numbers = {f"{name}_accuracy": round(accuracy, 6)}
        if tagger.attends:
            entropies, gradient = attention_statistics(
                loss, params, next(sequences.in_order(corpus[name], rows)), hyper)
            numbers[f"{name}_query_gradient"] = float(gradient)
            numbers |= {f"{name}_entropy_{i}": float(entropy) for i, entropy in enumerate(entropies)}
        return Scores(numbers, [])

    words = data.vocabulary_size - len(SPECIALS)
    # Answers of echo and repeated are any words, of the others one half of them.
    chance = 1 / (data.values or (words if data.source in ("echo", "repeated") else words // 2))
    return Task(
        init=tagger.model.init,
        loss=loss,
        batches=lambda seed, first: sequences.batches(corpus["train"], rows, seed, first),
        rows=[rows],
        steps_per_epoch=data.train_size / rows,
        dev_batches=lambda: sequences.in_order(corpus["dev"], rows),
        score=score,
        select=("dev_accuracy", 1.0),
        save=lambda folder: None,
        illustrate=lambda params, hyper, folder: None,
        tokens=lambda batch: batch["source"].size,
        facts={"length": length, "rows": rows, "chance": chance},
        notices=[f"{name}: {count} sequences also in train" for name, part in corpus.items()
                 if name != "train" and (count := sequences.count_shared(part, corpus["train"]))])
