"""Recurrent networks with and without attention beside the Transformer: what studies of them share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.studies.record import Rows

# Variants of configs/translation.py, which is itself a Transformer.
ARMS = {"rnn": "rnn", "lstm": "lstm", "gru": "gru", "gru, reversed": "gru_reversed",
        "gru, additive": "gru_bahdanau", "gru, dot": "gru_luong", "gru, dot, reversed": "gru_luong_reversed",
        "transformer": ""}


def variant(variants: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, Any]:
    """What a variant of a config changes; "" is the config itself, which has attention."""
    if not name:
        return {}
    from attention_lab.config.rules import no_transformer
    return variants[name] | no_transformer()


def overrides(cell: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the run behind a cell changes: the arm's variant, then the study's, then the arm's own size."""
    from configs.translation import VARIANTS
    return variant(VARIANTS, ARMS[cell["arm"]]) | settings["config"] | settings["arms"][cell["arm"]] | {
        "seed": cell["seed"]}


def config(settings: Mapping[str, Any]) -> str:
    """The config file of the runs."""
    return f"configs/translation.py:{settings['variant']}"


def cells(settings: Mapping[str, Any]) -> Rows:
    """A run for each arm and seed."""
    return [{"arm": arm, "seed": seed} for arm in settings["arms"] for seed in range(settings["seeds"])]


def by_seed(rows: Rows, column: str, arm: str) -> list[float]:
    """A column of an arm's rows, the seeds rising."""
    return [float(row[column]) for row in sorted(rows, key=lambda row: row["seed"]) if row["arm"] == arm]


def facts(result: Mapping[str, Any], params: Any) -> dict[str, Any]:
    """Columns on what a run was: its status, weights without embeddings, target tokens a second."""
    from attention_lab.training.state import parameter_count
    return {"status": result["status"], "tokens_per_second": round(result["tokens_per_second"]),
            "weights": parameter_count({name: leaf for name, leaf in params.items() if name != "embedding"})}


_translators: dict[tuple, Any] = {}


def finished(folder: Path) -> Any:
    """A finished run read back; the seeds of one arm share a translator, which compiles once."""
    from attention_lab.config import split
    from attention_lab.tasks.load import load
    from attention_lab.tasks.translation.translator import tokenizer_path
    run = load(folder)
    key = split(run.run.config)[0], tokenizer_path(folder).read_text(encoding="utf-8")
    return run._replace(translator=_translators.setdefault(key, run.translator))
