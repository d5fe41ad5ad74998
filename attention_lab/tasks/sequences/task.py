"""Tasks that are answered token by token, at the places where something is asked: recall and echo."""

from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from attention_lab import attention, models
from attention_lab.config import Config, Hyper, split
from attention_lab.data import batching, sequences, sources
from attention_lab.data.vocabulary import PAD, SPECIALS
from attention_lab.models import Model
from attention_lab.storage.runs import Run
from attention_lab.training.losses import TokenLoss
from attention_lab.training.task import Batch, Scores, Sums, Task


class Tagger:
    """The model of one config. Fields: config; model, the Model; hyper, its Hyper."""

    def __init__(self, config: Config):
        self.config, self.hyper = config, split(config)[1]
        self.model = models.build(config, config.data.vocabulary_size)
        self.attends = config.model.kind == "encoder"


def read(run: Run, config: Config) -> Tagger:
    """The model of a finished run; it has no tokenizer to read."""
    return Tagger(config)


@partial(jax.jit, static_argnames="model")
def correct(model: Model, params: Any, batch: Batch, hyper: Hyper) -> Sums:
    """How many of the tokens that are asked for the model gives."""
    output = model.apply(params, batch, hyper)
    predicted = jnp.argmax(output.hidden @ output.readout.T, axis=-1)
    asked = batch["target"] != PAD
    return Sums(jnp.sum(asked & (predicted == batch["target"])), jnp.sum(asked))


@partial(jax.jit, static_argnames="loss")
def attention_statistics(loss: TokenLoss, params: Any, batch: Batch, hyper: Hyper
                         ) -> tuple[jax.Array, jax.Array]:
    """Of the places that are asked: entropy of each layer's attention (L,), norm of the queries' gradient."""
    weights = loss.model.apply(params, batch, hyper, with_weights=True).weights["encoder"]
    asked = jnp.broadcast_to((batch["target"] != PAD)[None, :, None], weights.shape[:4])
    mean = (attention.entropy(weights) * asked).sum((1, 2, 3)) / asked.sum((1, 2, 3))
    gradient = jax.grad(lambda params: loss(params, batch, hyper, None)[0].total)(params)
    squares = [(leaf ** 2).sum() for path, leaf in jax.tree_util.tree_leaves_with_path(gradient)
               if "query_kernel" in jax.tree_util.keystr(path)]
    return mean, jnp.sqrt(sum(squares)) / (batch["target"] != PAD).sum()


def build(config: Config, folder: str | Path | None = None) -> Task:
    """Draws the sequences and wires model, loss and accuracy.

    Raises:
      ValueError: a vocabulary that is too small for the sequences.
    """
    data, tagger = config.data, Tagger(config)
    loss = TokenLoss(tagger.model, config.training.precision)
    corpus = sources.load(data, tuple(dict.fromkeys(("train", "dev", data.split))))
    length = corpus["train"].source.shape[1]
    rows = batching.rows(length, config.training.batch_tokens)
    rows = min(rows, max(8, data.train_size // 8 * 8))

    def score(params, hyper, name, final):
        sums = [jax.device_get(correct(tagger.model, params, batch, hyper))
                for batch in sequences.in_order(corpus[name], rows)]
        accuracy = sum(int(one.total) for one in sums) / sum(int(one.count) for one in sums)
        numbers = {f"{name}_accuracy": round(accuracy, 6)}
        if tagger.attends:
            entropies, gradient = attention_statistics(
                loss, params, next(sequences.in_order(corpus[name], rows)), hyper)
            numbers |= {f"{name}_query_gradient": float(gradient)}
            numbers |= {f"{name}_entropy_{i}": float(one) for i, one in enumerate(entropies)}
        return Scores(numbers, [])

    words = data.vocabulary_size - len(SPECIALS)
    chance = 1 / (words // 2 if data.source == "recall" else words)
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
        notices=[])
