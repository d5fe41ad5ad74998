"""A finished translation run read back: its config, tokenizer, model and the weights that scored best."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab import runs
from attention_lab.config import TOKENWISE, Config
from attention_lab.data import tokenizers
from attention_lab.files import read_json
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
    run = runs.load_run(folder)
    if run.result.get("status") != "finished":
        raise ValueError(f"{folder} {run.result.get('status')}: it has no weights to translate with")
    if run.config.data.source in TOKENWISE:
        raise ValueError(f"{folder} does not translate: its data.source is {run.config.data.source}")
    buckets = read_json(Path(folder) / "run.json")["data"]["buckets"]
    translator = Translator(config or run.config, tokenizers.load(tokenizer_path(folder)), buckets)
    return Finished(run, translator, scored_weights(run, translator.model.init, say))
