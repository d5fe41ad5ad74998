"""Scores of a finished run on a split of its data, or on other data of its task."""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from attention_lab.config import Data, task_of
from attention_lab.config.counts import are
from attention_lab.config.registries import of_task
from attention_lab.data import sources
from attention_lab.data.anomalies import anomalies
from attention_lab.data.readers.coarsewsd import ALL
from attention_lab.storage.runs import Run
from attention_lab.tasks.load import Trained
from attention_lab.tasks.registry import TASKS, Evaluation
from attention_lab.tasks.text import without_too_long


def evaluate(trained: Trained, changed: Collection[str], lengths: Sequence[tuple[int, int]],
             say: Callable[[str], None], with_trained: bool = False) -> Iterator[tuple[str, Any]]:
    """The name and value of each score.

    Args:
      trained: its config names the data. changed: keys of the fields that were set in that config.
      lengths: bins of source words (fewest, most) to be scored as well, of a run that translates.
      say: takes a line for the user.
      with_trained: scores sentences of other data that the run was trained on, too; otherwise they are
        counted and left out.
    Raises:
      ValueError: data of another task, data that can't be used, bins for a run that does not translate, or no
        sentence that the run was not trained on; without `with_trained` also where this can't be determined.
    """
    run, data = trained.run, trained.config.data
    task = task_of(run.config)
    evaluation = TASKS[task].evaluation
    if evaluation is None:
        raise ValueError(f"{run.folder} has no evaluation on other data: its data.source is "
                         f"{run.config.data.source}; its scores are in result.json")
    if task_of(trained.config) != task:
        raise ValueError(f"data.source={data.source}: {run.folder} was trained for {task}; "
                         f"{', '.join(of_task(task))} are allowed")
    corpus = _corpus_of_run(run, data, changed)
    if corpus:
        examples, train = corpus[data.split], corpus["train"]
    else:
        examples = sources.load_whole(data)  # nothing is held out of another file: all of it is scored
        examples = sources.load(data, (data.split,))[data.split] if examples is None else examples
        train = _train(run, say, with_trained or not evaluation.texts)
    examples = evaluation.prepare(trained, examples, bool(corpus), lengths, say)
    if evaluation.texts:
        examples = yield from _sentences(trained, examples, None if corpus else train, evaluation, say,
                                         with_trained)
    yield from evaluation.scores(trained, examples, train, lengths)


def _sentences(trained: Trained, examples: Any, train: Any, evaluation: Evaluation,
               say: Callable[[str], None], with_trained: bool) -> Iterator[tuple[str, Any]]:
    """Yields how many are scored, and how many of them are in train; returns those to be scored.

    train: the run's train split; None for the run's data, or where it can't be read.
    """
    examples, notice = without_too_long(trained.model, examples, getattr(examples, evaluation.texts),
                                        evaluation.unit)
    if notice:
        say(notice)
    if train:
        examples, seen = _not_trained_on(examples, train, evaluation, say, with_trained)
    counted = {trained.config.data.split: (examples.counts, getattr(examples, evaluation.texts))}
    for notice in anomalies(counted, evaluation.unit, trained.model.tokenizer):
        say(notice)
    yield evaluation.unit, len(examples)
    if train:
        yield "seen_in_training", seen
    return examples


def _corpus_of_run(run: Run, data: Data, changed: Collection[str]) -> dict[str, Any] | None:
    """The run's corpus by split, perhaps at another path; None if `data` describes another corpus."""
    of_run = run.config.data
    same = dataclasses.replace(data, split=of_run.split, word=of_run.word, directory=of_run.directory,
                               path=of_run.path)
    if same != of_run or data.word == ALL != of_run.word:
        return None
    moved = bool({"data.directory", "data.path"} & set(changed))
    try:
        corpus = _as_trained_on(run, data)
    except ValueError:
        if moved:
            return None
        raise
    if corpus is None and not moved:
        raise ValueError(f"{_changed(run)}, so that sentences held out now may have been trained on: give "
                         "other data by --config.data.directory or --config.data.path")
    return corpus


def _as_trained_on(run: Run, data: Data) -> dict[str, Any] | None:
    """The run's corpus by split, from the path or directory of `data`; None if its content differs."""
    of_run = run.config.data
    corpus = sources.load(dataclasses.replace(of_run, directory=data.directory, path=data.path))
    digest = sources.digest({split: corpus[split] for split in {"train", "dev", of_run.split}})
    return corpus if run.facts.get("data", {}).get("sha256") == digest else None


def _changed(run: Run) -> str:
    data = run.config.data
    return f"{data.directory or data.path or data.source} was changed after {run.folder} was trained on it"


def _train(run: Run, say: Callable[[str], None], with_trained: bool) -> Any:
    """The train split of the run; None, with a line for the user, if it can no longer be read.

    Raises:
      ValueError: it can't be read, and sentences that were trained on are to be left out.
    """
    try:
        corpus = _as_trained_on(run, run.config.data)
        why = "" if corpus else _changed(run)
    except ValueError as error:
        corpus, why = None, str(error)
    if corpus:
        return corpus["train"]
    if not with_trained:
        raise ValueError(f"sentences that {run.folder} was trained on can't be left out: {why}; "
                         "--with_trained scores all")
    say(f"how many of these sentences were trained on can't be counted: {why}")
    return None


def _not_trained_on(examples: Any, train: Any, evaluation: Evaluation, say: Callable[[str], None],
                    with_trained: bool) -> tuple[Any, int]:
    """The examples, and how many are in train; without `with_trained` these are left out."""
    texts, trained_on = getattr(examples, evaluation.texts), set(getattr(train, evaluation.texts))
    rest = [i for i, text in enumerate(texts) if text not in trained_on]
    seen = len(texts) - len(rest)
    line = f"{seen} of {len(texts)} {evaluation.unit} {are(seen)} among those that the run was trained on"
    if seen and not rest and not with_trained:
        raise ValueError(f"{line}: none is left to score; --with_trained scores them")
    if seen:
        say(f"{line}: {'scored too' if with_trained else 'left out; --with_trained scores them'}")
    return (examples, seen) if with_trained or not seen else (examples.select(rest), seen)
