"""A comparison that is declared before its runs: the question, the seeds, and a hash of both."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attention_lab.config import get
from attention_lab.config.parse import parse
from attention_lab.storage import environment
from attention_lab.storage.files import short_digest
from attention_lab.storage.runs import collect
from attention_lab.sweeps.arms import checked_keys
from attention_lab.sweeps.comparison import check
from attention_lab.sweeps.space import parse_seeds

FIELDS = ("arms", "metric", "reference", "direction", "margin", "where", "seeds")


@dataclasses.dataclass(frozen=True)
class Question:
    """What is compared; fields as the arguments of `comparison.compare`, where as config.KEY=VALUE."""

    arms: tuple[str, ...]
    metric: str
    reference: str = ""
    direction: str = ""
    margin: float | None = None
    where: tuple[str, ...] = ()

    @property
    def conditions(self) -> dict[str, str]:
        """where as {dotted key: text}; ValueError for another spelling."""
        for part in self.where:
            if "=" not in part:
                raise ValueError(f"--where={part}: config.KEY=VALUE is the spelling")
        return {key.removeprefix("config."): text
                for key, _, text in (part.partition("=") for part in self.where)}


def sentence(question: Question) -> str:
    """The question in words."""
    arms, against = ", ".join(question.arms), question.reference or "the default"
    claim = {"greater": "is higher than", "less": "is lower than", "": "differs from"}[question.direction]
    return (f"{question.metric} of each {arms} {claim} that of {against}"
            + (f"; within {question.margin:g} counts as equal" if question.margin else ""))


def declare(question: Question, seeds: str, folders: Sequence[str | Path]) -> dict[str, Any]:
    """The declaration as data.

    Args:
      seeds: such as 0:10. folders: where the runs will be.
    Raises:
      ValueError: fewer than two seeds, or a finished run of one of them; an unknown field or direction, or a
        margin that is not above 0.
    """
    check(question.direction, question.margin)
    checked_keys(question.arms)
    numbers = [cell["seed"] for cell in parse_seeds(seeds)] if seeds else []
    if len(numbers) < 2:
        raise ValueError(f"--seeds={seeds}: --declare needs at least two seeds, such as --seeds=0:10")
    wanted = {key: parse(key, text) for key, text in question.conditions.items()}
    for folder in filter(lambda folder: Path(folder).is_dir(), folders):
        for run in collect(folder)[0]:
            if run.finished and run.config.seed in numbers and all(
                    get(run.config, key) == value for key, value in wanted.items()):
                raise ValueError(f"{run.folder} is finished and has seed {run.config.seed}: a declaration "
                                 "comes before the runs; declare other seeds")
    content = dataclasses.asdict(question) | {"arms": list(question.arms), "where": list(question.where),
                                              "seeds": numbers}
    return content | {"hash": short_digest(content), "commit": environment.software()["commit"]}


def checked(stored: Mapping[str, Any], question: Question, path: str) -> Mapping[str, Any]:
    """The declaration in a file; ValueError where it was changed, or declares another question."""
    content = {name: stored.get(name) for name in FIELDS}
    if stored.get("hash") != short_digest(content):
        raise ValueError(f"{path} was changed after it was declared: its content does not match its hash")
    for name, now in dataclasses.asdict(question).items():
        now = list(now) if isinstance(now, tuple) else now
        if stored[name] != now:
            raise ValueError(f"--{name}: {path} declares {stored[name]!r}, given is {now!r}")
    return stored
