"""Tasks that are answered token by token, at the places where something is asked: recall and echo."""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp

from attention_lab import attention, models
from attention_lab.config import Config, Data, Structure, program, split
from attention_lab.data import batching, echo, recall, sequences
from attention_lab.data.vocabulary import PAD, SPECIALS
from attention_lab.training.losses import cross_entropy
from attention_lab.training.task import Scores, Sums, Task


@functools.lru_cache(maxsize=8)
def _functions(structure: Structure) -> tuple:
    """The model, its loss, how many answers are right, and what attention looks like inside."""
    model, precision = models.build(structure, structure.data.vocabulary_size), structure.training.precision

    def loss(params, batch, hyper, key):
        output = model.apply(params, batch, hyper, key)
        asked = batch["target"] != PAD
        smoothed, plain = cross_entropy(output.hidden, output.readout, batch["target"], asked,
                                        hyper.label_smoothing, precision)
        return smoothed, {"cross_entropy": plain}

    @jax.jit
    def right(params, batch, hyper):
        output = model.apply(params, batch, hyper)
        found = jnp.argmax(output.hidden @ output.readout.T, axis=-1)
        asked = batch["target"] != PAD
        return Sums(jnp.sum(asked & (found == batch["target"])), jnp.sum(asked))

    @jax.jit
    def looked(params, batch, hyper):
        """Entropy of the attention of each layer where something is asked, and the queries' gradient."""
        weights = model.apply(params, batch, hyper, with_weights=True).weights["encoder"]
        asked = jnp.broadcast_to((batch["target"] != PAD)[None, :, None], weights.shape[:4])
        mean = (attention.entropy(weights) * asked).sum((1, 2, 3)) / asked.sum((1, 2, 3))
        gradient = jax.grad(lambda params: loss(params, batch, hyper, None)[0].total)(params)
        squares = [(leaf ** 2).sum() for path, leaf in jax.tree_util.tree_leaves_with_path(gradient)
                   if "query_kernel" in jax.tree_util.keystr(path)]
        return mean, jnp.sqrt(sum(squares)) / (batch["target"] != PAD).sum()

    return model, loss, right, looked


def build(config: Config, folder: str | Path | None = None) -> Task:
    """Draws the sequences and wires model, loss and accuracy.

    Raises:
      ValueError: a vocabulary that is too small for the pairs.
    """
    data = config.data
    # Configs that differ in the split that is scored at the end share what is compiled.
    model, loss, right, looked = _functions(program(split(config)[0]))
    wanted = dict.fromkeys(("train", "dev", data.split))
    sizes = {"train": data.train_size, "dev": data.dev_size, "test": data.test_size}
    corpus = {name: _draw(data, sizes[name], name) for name in wanted}
    length = corpus["train"].source.shape[1]
    rows = batching.rows(length, config.training.batch_tokens)
    rows = min(rows, max(8, data.train_size // 8 * 8))

    def score(params, hyper, name, final):
        sums = [jax.device_get(right(params, batch, hyper))
                for batch in sequences.in_order(corpus[name], rows)]
        accuracy = sum(int(one.total) for one in sums) / sum(int(one.count) for one in sums)
        numbers = {f"{name}_accuracy": round(accuracy, 6)}
        if config.model.kind == "encoder":
            entropies, gradient = looked(params, next(sequences.in_order(corpus[name], rows)), hyper)
            numbers |= {f"{name}_query_gradient": float(gradient)}
            numbers |= {f"{name}_entropy_{i}": float(one) for i, one in enumerate(entropies)}
        return Scores(numbers, [])

    words = data.vocabulary_size - len(SPECIALS)
    chance = 1 / (words // 2 if data.source == "recall" else words)
    return Task(
        init=model.init,
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


def _draw(data: Data, count: int, split: str) -> sequences.Sequences:
    if data.source == "recall":
        return recall.sequences(count, data.pairs, data.vocabulary_size, data.corpus_seed, split)
    return echo.sequences(count, data.distance, data.answers, data.vocabulary_size, data.corpus_seed, split)
