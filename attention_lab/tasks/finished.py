"""A finished run read back: its config, tokenizer, model and the weights that scored best."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab.config import CLASSIFIED, TOKENWISE, Config
from attention_lab.data import tokenizers
from attention_lab.storage import environment, runs
from attention_lab.storage.files import read_json
from attention_lab.tasks.classifier import Classifier, load_names
from attention_lab.tasks.translator import Translator, tokenizer_path
from attention_lab.training.finished import scored_weights


class Finished(NamedTuple):
    """Fields: run, its folder and result; translator; params, the weights that were scored."""

    run: runs.Run
    translator: Translator
    params: Any


def load(folder: str | Path, config: Config | None = None,
         say: Callable[[str], None] = lambda line: None) -> Finished:
    """Reads a finished run.

    Args:
      folder: the run's.
      config: what the translator goes by, such as another beam; None is the run's own.
      say: takes a warning, such as that of a damaged checkpoint, for which another is taken.
    Raises:
      ValueError: no run, an unfinished one, one that does not translate, or no checkpoint can be read.
    """
    run = _finished(folder)
    if run.config.data.source in TOKENWISE + CLASSIFIED:
        raise ValueError(f"{folder} does not translate: its data.source is {run.config.data.source}")
    tokenizer = tokenizers.load(tokenizer_path(folder))
    translator = Translator(config or run.config, tokenizer, _buckets(folder))
    return Finished(run, translator, scored_weights(run, translator.model.init, say))


class FinishedClassifier(NamedTuple):
    """Fields: run, its folder and result; classifier; params, the weights that were scored."""

    run: runs.Run
    classifier: Classifier
    params: Any


def classifier(folder: str | Path, say: Callable[[str], None] = lambda line: None) -> FinishedClassifier:
    """Reads a finished run that classifies; arguments as of `load`.

    Raises:
      ValueError: no run, an unfinished one, one that does not classify, or no checkpoint can be read.
    """
    run = _finished(folder)
    if run.config.data.source not in CLASSIFIED:
        raise ValueError(f"{folder} does not classify: its data.source is {run.config.data.source}")
    tokenizer = tokenizers.load(tokenizer_path(folder))
    made = Classifier(run.config, tokenizer, *load_names(folder), _buckets(folder))
    return FinishedClassifier(run, made, scored_weights(run, made.model.init, say))


def _finished(folder):
    run = runs.load_run(folder)
    if run.result.get("status") != "finished":
        raise ValueError(f"{folder} {run.result.get('status')}: it has no weights to go by")
    if not run.facts.get("settings", {}).get("jax_enable_x64"):
        environment.check_settings()
    return run


def _buckets(folder):
    return read_json(Path(folder) / "run.json")["data"]["buckets"]
