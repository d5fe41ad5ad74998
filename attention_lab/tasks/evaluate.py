"""Scores of a finished run on a split of its data, or on other data of its task."""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from attention_lab.config import Data, task_of
from attention_lab.config.sources import of_task
from attention_lab.data import sources
from attention_lab.data.anomalies import anomalies
from attention_lab.data.readers.coarsewsd import ALL
from attention_lab.storage.runs import Run
from attention_lab.tasks.load import Trained
from attention_lab.tasks.registry import TASKS
from attention_lab.tasks.text import readable


def evaluate(trained: Trained, changed: Collection[str], lengths: Sequence[tuple[int, int]],
             say: Callable[[str], None]) -> Iterator[tuple[str, Any]]:
    """The name and value of each score.

    Args:
      trained: its config says what is scored. changed: keys of the fields that were set in that config.
      lengths: bins of source words (fewest, most) to be scored as well, of a run that translates.
      say: takes a line for the user.
    Raises:
      ValueError: data of another task, data that can't be used, or bins for a run that does not translate.
    """
    run, data = trained.run, trained.config.data
    task = task_of(run.config)
    evaluation = TASKS[task].evaluation
    if evaluation is None:
        raise ValueError(f"{run.folder} does not translate or classify: its data.source is "
                         f"{run.config.data.source}")
    if task_of(trained.config) != task:
        raise ValueError(f"data.source={data.source}: {run.folder} was trained for {task}; "
                         f"{', '.join(of_task(task))} are allowed")
    corpus = _own_corpus(run, data, changed)
    if corpus:
        examples, train = corpus[data.split], corpus["train"]
    else:
        examples = sources.load_whole(data)  # another file holds nothing out: all of it is scored
        examples = sources.load(data, (data.split,))[data.split] if examples is None else examples
        train = _train(run.config.data, say)
    examples = evaluation.prepare(trained, examples, bool(corpus), lengths, say)
    examples, notice = readable(trained.model, examples, getattr(examples, evaluation.texts), evaluation.unit)
    if notice:
        say(notice)
    texts = getattr(examples, evaluation.texts)
    for notice in anomalies({data.split: (examples.counts, texts)}, evaluation.unit, trained.model.tokenizer):
        say(notice)
    yield evaluation.unit, len(examples)
    if train and not corpus:
        train_texts = set(getattr(train, evaluation.texts))
        seen = sum(text in train_texts for text in texts)
        yield "seen_in_training", seen
        if seen:
            say(f"{seen} of {len(texts)} sentences are among those that the run was trained on")
    yield from evaluation.scores(trained, examples, train, lengths)


def _own_corpus(run: Run, data: Data, changed: Collection[str]) -> dict[str, Any] | None:
    """The run's corpus by split, possibly moved; None where `data` is another one."""
    own = run.config.data
    same = dataclasses.replace(data, split=own.split, word=own.word, directory=own.directory, path=own.path)
    if same != own or data.word == ALL != own.word:
        return None
    moved = bool({"data.directory", "data.path"} & set(changed))
    try:
        corpus = sources.load(dataclasses.replace(own, directory=data.directory, path=data.path))
    except ValueError:
        if moved:
            return None
        raise
    if run.facts.get("data", {}).get("sha256") == sources.digest(
            {split: corpus[split] for split in {"train", "dev", own.split}}):
        return corpus
    if moved:
        return None
    raise ValueError(f"{own.directory or own.path} was changed after {run.folder} was trained on it, so that "
                     "sentences held out now were trained on then: give others by --config.data.directory or "
                     "--config.data.path")


def _train(own: Data, say: Callable[[str], None]) -> Any:
    """The run's train split; None if it can't be read any more."""
    try:
        return sources.load(own, ("train",))["train"]
    except ValueError as error:
        say(f"whether these sentences were trained on is not known: {error}")
        return None
