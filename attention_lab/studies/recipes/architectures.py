"""Recurrent networks with and without attention beside the Transformer: what studies of them share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attention_lab.studies.recipes import runs
from attention_lab.studies.study import Rows
from attention_lab.training.state import parameter_count

FILE = "configs/translation.py"
# Variants of that file, which is itself a Transformer.
ARMS = {"rnn": "rnn", "lstm": "lstm", "gru": "gru", "gru, reversed": "gru_reversed",
        "gru, additive": "gru_bahdanau", "gru, dot": "gru_luong", "gru, dot, reversed": "gru_luong_reversed",
        "transformer": ""}

# The built-in grammar, as alignments, heads and replaced attention are studied on it.
GRAMMAR = {
    "data.lexicon_size": 300, "data.train_size": 20000, "data.dev_size": 200, "data.test_size": 400,
    "model.width": 64, "optimizer.warmup_steps": 100, "optimizer.schedule": "cosine",
    "optimizer.learning_rate": 0.003, "training.steps": 800, "training.batch_tokens": 2048,
    "training.eval_every": 800, "training.checkpoint_every": 800, "training.dropout": 0.1,
    "decoding.beam": 1,
}
LONG_GRAMMAR = {"training.steps": 20000, "data.train_size": 100000, "optimizer.learning_rate": 0.003}
# Sizes that give all arms as many weights, to 5 %.
GRAMMAR_ARMS = {"gru, additive": {"model.hidden": 132}, "gru, dot": {"model.hidden": 148},
                "transformer": {"model.hidden": 256}}
LONG_GRAMMAR_ARMS = {"gru, additive": {"model.hidden": 212}, "gru, dot": {"model.hidden": 234},
                     "transformer": {"model.hidden": 256}}
# Multi30k, some six passes.
CAPTIONS = {
    "data.buckets": (16, 24, 48), "optimizer.warmup_steps": 100, "optimizer.schedule": "cosine",
    "training.steps": 1500, "training.batch_tokens": 2048, "training.average_decay": 0.0,
    "training.dropout": 0.2, "training.eval_every": 500, "training.checkpoint_every": 500, "decoding.beam": 1,
}
LONG_CAPTIONS = CAPTIONS | {"training.steps": 12000, "training.batch_tokens": 4096}
CAPTIONS_RATE = {"optimizer.learning_rate": 0.003}
CAPTIONS_ARMS = {"gru": {"model.hidden": 328} | CAPTIONS_RATE,
                 "gru, additive": {"model.hidden": 320} | CAPTIONS_RATE, "transformer": CAPTIONS_RATE}


def smoke(dev: int = 2, test: int = 8, **more: Any) -> dict[str, Any]:
    """A config that ends in seconds, with so many sentences of dev and of test."""
    return {"data.train_size": 40, "data.dev_size": dev, "data.test_size": test, "training.steps": 2,
            "training.eval_every": 2, "training.checkpoint_every": 2, "decoding.beam": 1, **more}


def overrides(cell: Mapping[str, Any], settings: Mapping[str, Any], rows: Rows | None) -> dict[str, Any]:
    """What the run behind a cell changes: the arm's variant, then the study's, then the arm's own size."""
    return runs.with_data(runs.recurrent_variant(FILE, ARMS[cell["arm"]]) | settings["config"]
                          | settings["arms"][cell["arm"]] | {"seed": cell["seed"]}, settings)


def config(settings: Mapping[str, Any]) -> str:
    """The config file of the runs."""
    return f"{FILE}:{settings['variant']}"


def cells(settings: Mapping[str, Any]) -> Rows:
    """A run for each arm and seed."""
    return [{"arm": arm, "seed": seed} for arm in settings["arms"] for seed in range(settings["seeds"])]


def trained(cell: Mapping[str, Any], settings: Mapping[str, Any], folder: Path
            ) -> tuple[dict[str, Any], list[dict[str, Any]], Path]:
    """Trains the run behind a cell, or reads it: its result, its evaluations on dev and its folder."""
    return runs.trained(config(settings), overrides(cell, settings, None), folder, settings["study"])


def of_arm(rows: Rows, arm: str) -> Rows:
    """The rows of an arm, the seeds rising."""
    return sorted((row for row in rows if row["arm"] == arm), key=lambda row: row["seed"])


def by_seed(rows: Rows, column: str, arm: str) -> np.ndarray:
    """A column of an arm's rows, the seeds rising; nan where a cell is empty."""
    return np.array([row[column] for row in of_arm(rows, arm)], np.float64)


def facts(result: Mapping[str, Any], params: Any) -> dict[str, Any]:
    """Columns on what a run was: its status, weights without embeddings, target tokens a second."""
    return {"status": result["status"], "tokens_per_second": round(result["tokens_per_second"]),
            "weights": parameter_count({name: leaf for name, leaf in params.items() if name != "embedding"})}


# Fields of Study.
SHARED = {"cells": cells, "config": config, "overrides": overrides, "check": runs.check_data}
