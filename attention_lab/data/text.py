"""A text file read line by line, never whole: the lines of a split, and their tokens in contexts."""

import dataclasses
import hashlib
import itertools
import os
import tempfile
from collections.abc import Iterator

import numpy as np

from attention_lab.data import lines, sequences, vocabulary
from attention_lab.data.contexts import Batches, Contexts
from attention_lab.data.tokenizers import Tokenizer

LEARNT_FROM = 1 << 24  # characters of the text, at most, from which its vocabulary is learnt
ENCODED = 1000  # lines whose tokens are in memory at once


@dataclasses.dataclass(frozen=True)
class Text:
    """The lines of a file from number `first` on, from 0, up to `last`, which is no longer one of them.

    A line's white space becomes single spaces; a line end is one token, EOS. `counts` as in Corpus.
    """

    path: str
    first: int
    last: int
    counts: dict[str, int]

    def lines(self) -> Iterator[str]:
        """The lines with single spaces, without their ends."""
        return map(lines.one_space, itertools.islice(lines.stream(self.path), self.first, self.last))

    def text_columns(self) -> list[list[str]]:
        """What the digest of a corpus covers: the sha256 of the lines, as the text may be large."""
        content = hashlib.sha256()
        for line in self.lines():
            content.update(f"{line}\n".encode())
        return [[content.hexdigest()]]

    def sample(self) -> list[str]:
        """The first lines, of LEARNT_FROM characters together, from which a vocabulary is learnt."""
        characters = itertools.accumulate(map(len, self.lines()))
        beginning = itertools.takewhile(lambda pair: pair[1] <= LEARNT_FROM, zip(self.lines(), characters))
        return [line for line, _ in beginning]

    def contexts(self, tokenizer: Tokenizer, length: int) -> Contexts:
        """The tokens in contexts of `length`, the last one filled up with PAD.

        They lie in a file without a name, which the system removes, and are read from there as needed.
        """
        count, size = 1, 0
        with tempfile.TemporaryFile() as file:
            np.array([vocabulary.EOS], np.int32).tofile(file)
            rest = self.lines()
            while part := list(itertools.islice(rest, ENCODED)):
                rows = tokenizer.encode(part)
                ids = np.array([token for row in rows for token in (*row, vocabulary.EOS)], np.int32)
                ids.tofile(file)
                count, size = count + len(ids), size + sum(len(line.encode()) + 1 for line in part)
            np.full(-(count - 1) % length, vocabulary.PAD, np.int32).tofile(file)
            file.flush()
            stored = np.memmap(file, np.int32, "r")
        return Contexts(stored[:-1].reshape(-1, length), stored[1:].reshape(-1, length), size)

    def training(self, tokenizer: Tokenizer, length: int, rows: int) -> tuple[Batches, int]:
        """(seed, first step) -> endless batches, each pass in another order; and the contexts of a pass.

        Raises:
          ValueError: the lines have fewer tokens than a context.
        """
        contexts = self.contexts(tokenizer, length)
        tokens = int(np.count_nonzero(contexts.target[-1])) + length * (len(contexts.target) - 1)
        if tokens < length:
            raise ValueError(f"data.context={length} is longer than the text: {self.path} has {tokens} "
                             f"tokens to train on; from 2 to {tokens} are allowed")
        return lambda seed, first: sequences.batches(contexts, rows, seed, first), len(contexts.target)


def split(path: str | os.PathLike, dev_size: int, test_size: int) -> dict[str, Text]:
    """The lines of a file as train, then dev, then test, which follow one another and do not overlap.

    Args:
      dev_size, test_size: lines of dev and of test.
    Raises:
      ValueError: the file can't be read, is not UTF-8, has no line end or no text, or too few lines.
    """
    path, count = os.fspath(path), _count(path)
    ends = count - test_size - dev_size, count - test_size, count
    if ends[0] < 1:
        raise ValueError(f"data.dev_size={dev_size} and data.test_size={test_size} leave none of the {count} "
                         f"lines of {path} to train on: together at most {count - 1} are allowed")
    parts = {name: Text(path, start, stop, {"lines": stop - start})
             for name, start, stop in zip(("train", "dev", "test"), (0, *ends), ends)}
    return _with_repeats(parts)


def whole(path: str | os.PathLike) -> Text:
    """All lines of a file; ValueError as of `split`."""
    count = _count(path)
    return Text(os.fspath(path), 0, count, {"lines": count})


def _count(path: str | os.PathLike) -> int:
    """The lines of a file, after the checks of `split`."""
    count = filled = 0
    try:
        for line in lines.stream(os.fspath(path)):
            count, filled = count + 1, filled + bool(line.strip())
    except ValueError as error:
        raise ValueError(f"data.path={error}") from error
    if not filled:
        raise ValueError(f"data.path={path}: has no text: of {count} lines all are empty")
    return count


def repeats(train: Text, *parts: Text) -> list[int]:
    """Of each part the number of filled lines that are also lines of train, which is read once."""
    filled = [[line for line in part.lines() if line] for part in parts]
    known = {line for part in filled for line in part}
    shared = known & {line for line in train.lines() if line in known}
    return [sum(line in shared for line in part) for part in filled]


def _with_repeats(parts: dict[str, Text]) -> dict[str, Text]:
    """Counts the filled lines of dev and test that are also lines of train."""
    for name, count in zip(("dev", "test"), repeats(parts["train"], parts["dev"], parts["test"])):
        if count:
            parts[name] = dataclasses.replace(
                parts[name], counts=parts[name].counts | {"lines_also_in_train": count})
    return parts
