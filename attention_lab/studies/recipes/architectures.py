"""Recurrent networks with and without attention beside the Transformer: arms, sizes and columns."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from attention_lab.studies.recipes import rates, runs
from attention_lab.studies.study import Rows
from attention_lab.training.state import parameter_count

FILE = "configs/translation.py"
WORDS = ("sense", "agreement", "pronoun")  # ambiguous nouns, verbs and pronouns, scored by the grammar
# Variants of that file, whose default is a Transformer.
ARMS = {"rnn": "rnn", "lstm": "lstm", "gru": "gru", "gru, reversed": "gru_reversed",
        "gru, additive": "gru_bahdanau", "gru, dot": "gru_luong", "gru, dot, reversed": "gru_luong_reversed",
        "transformer": ""}

# The built-in grammar, in studies of alignment, heads and replaced attention.
GRAMMAR = {
    "data.lexicon_size": 300, "data.train_size": 20000, "data.dev_size": 200, "data.test_size": 400,
    "model.width": 64, "optimizer.warmup_steps": 100, "optimizer.schedule": "cosine",
    "optimizer.learning_rate": 0.003, "training.steps": 800, "training.batch_tokens": 2048,
    "training.eval_every": 800, "training.checkpoint_every": 800, "training.dropout": 0.1,
    "decoding.beam": 1,
}
# Short sentences, in studies that compare many small Transformers.
SHORT_GRAMMAR = {
    "data.max_words": 12, "data.max_length": 16, "data.buckets": (16,), "data.train_size": 20000,
    "data.lexicon_size": 300, "data.dev_size": 400, "data.test_size": 2000, "model.width": 64,
    "model.hidden": 128, "optimizer.warmup_steps": 100, "optimizer.schedule": "cosine", "training.steps": 800,
    "training.batch_tokens": 1024, "training.dropout": 0.1, "training.eval_every": 160,
    "training.checkpoint_every": 800, "decoding.beam": 1, "decoding.max_length": 20,
}
LONG_GRAMMAR = {"training.steps": 20000, "data.train_size": 100000, "optimizer.learning_rate": 0.003}
# Sizes that match the number of parameters across arms, to 5 %.
GRAMMAR_ARMS = {"gru, additive": {"model.hidden": 132}, "gru, dot": {"model.hidden": 148},
                "transformer": {"model.hidden": 256}}
LONG_GRAMMAR_ARMS = {"gru, additive": {"model.hidden": 212}, "gru, dot": {"model.hidden": 234},
                     "transformer": {"model.hidden": 256}}
# Multi30k, about six epochs.
CAPTIONS = {
    "data.buckets": (16, 24, 48), "optimizer.warmup_steps": 100, "optimizer.schedule": "cosine",
    "training.steps": 1500, "training.batch_tokens": 2048, "training.average_decay": 0.0,
    "training.dropout": 0.2, "training.eval_every": 500, "training.checkpoint_every": 500, "decoding.beam": 1,
}
LONG_CAPTIONS = CAPTIONS | {"training.steps": 12000, "training.batch_tokens": 4096}
# Two encoder and two decoder layers.
CAPTIONS_OF_TWO_LAYERS = CAPTIONS | {
    "data.vocabulary_size": 4000, "model.num_layers": 2, "optimizer.learning_rate": 0.005,
    "training.steps": 1300, "training.batch_tokens": 1024, "training.precision": "float32",
    "training.dropout": 0.1, "training.eval_every": 1300, "training.checkpoint_every": 1300,
}
# As narrow as models of the grammar, in studies that compare many; 1.4 epochs.
SMALL_CAPTIONS = CAPTIONS_OF_TWO_LAYERS | {
    "data.vocabulary_size": 2000, "data.max_length": 24, "data.buckets": (16, 24), "model.width": 64,
    "model.hidden": 128, "optimizer.learning_rate": 0.01, "training.steps": 1600,
    "training.batch_tokens": 512, "training.dropout": 0.0, "training.label_smoothing": 0.0,
    "training.eval_every": 320, "training.checkpoint_every": 1600, "decoding.max_length": 48,
}
CAPTIONS_RATE = {"optimizer.learning_rate": 0.003}
CAPTIONS_ARMS = {"gru": {"model.hidden": 328} | CAPTIONS_RATE,
                 "gru, additive": {"model.hidden": 320} | CAPTIONS_RATE, "transformer": CAPTIONS_RATE}


def smoke(test: int = 8) -> dict[str, Any]:
    """Changes for a run of seconds, with this many test sentences."""
    return {"data.train_size": 40, "data.dev_size": 2, "data.test_size": test, "training.steps": 2,
            "training.eval_every": 2, "training.checkpoint_every": 2, "decoding.beam": 1}


def overrides(cell: Mapping[str, Any], settings: Mapping[str, Any], rows: Rows | None) -> dict[str, Any]:
    """The changes of a run: the arm's variant, then the study's config, then the arm's size."""
    return runs.with_data(runs.recurrent_variant(FILE, ARMS[cell["arm"]]) | settings["config"]
                          | settings["arms"][cell["arm"]] | {"seed": cell["seed"]}, settings)


def measure_words(cell: Mapping[str, Any], settings: Mapping[str, Any], train: Any) -> dict[str, Any]:
    """BLEU of a run, the shares of nouns, verbs and pronouns that are right, and its learning curve on dev.

    A share is None on a corpus without the grammar's truth; scores of test are None where dev alone is read.
    """
    result, evaluations, _, changes = train(cell)
    curve = runs.curve(evaluations, "dev_bleu")
    return {"rate_used": changes["optimizer.learning_rate"], "status": result["status"],
            "dev_bleu": result.get("dev_bleu"), "test_bleu": result.get("test_bleu"),
            **{f"test_{name}": result.get(f"test_{name}_accuracy") for name in WORDS},
            "late_rise": rates.late_rise(curve[:, 1]) if len(curve) else None, "curve": curve}


def cells(settings: Mapping[str, Any]) -> Rows:
    """A run for each arm and seed."""
    return runs.crossed(arm=settings["arms"], seed=range(settings["seeds"]))


def of_arm(rows: Rows, arm: str) -> Rows:
    """The rows of an arm, in rising order of seeds."""
    return sorted((row for row in rows if row["arm"] == arm), key=lambda row: row["seed"])


def by_seed(rows: Rows, column: str, arm: str) -> np.ndarray:
    """A column of an arm, in rising order of seeds; nan for an empty cell."""
    return np.array([row[column] for row in of_arm(rows, arm)], np.float64)


def parameters(params: Any) -> int:
    """Numbers in the parameters of a model, without embeddings."""
    return parameter_count({name: leaf for name, leaf in params.items() if name != "embedding"})


def facts(result: Mapping[str, Any], params: Any) -> dict[str, Any]:
    """Columns about a run: status, parameters without embeddings, target tokens per second."""
    return {"status": result["status"], "tokens_per_second": round(result["tokens_per_second"]),
            "weights": parameters(params)}


# Fields of Study.
SHARED = {"cells": cells, "config": FILE + ":{variant}", "overrides": overrides, "check": runs.check_data}
