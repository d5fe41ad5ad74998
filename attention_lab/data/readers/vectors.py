"""Word vectors from text files of fastText (Bojanowski et al. 2017) or GloVe (Pennington et al. 2014)."""

import os
import re
from collections.abc import Collection, Iterator

import numpy as np

from attention_lab.data import lines

HEADER = re.compile(rb"[0-9]+ ([0-9]+)")


def read(path: str | os.PathLike, words: Collection[str]) -> tuple[dict[str, np.ndarray], int]:
    """The vectors of these words in a file, gz or plain: {word: (size,) float32}, and their size.

    A line is a word and its numbers, separated by single spaces. A first line of two whole numbers is
    fastText's header, count and size; without it the first line's width is the size (GloVe). The numbers are
    taken from the right, so a word may contain spaces, but not end in a space and a number. The first of
    repeated words counts, as in fastText. ValueError if the file can't be used or has no vectors, a line
    (named by number) has another width, or one of these words has something other than finite numbers.
    """
    if not os.fspath(path):
        raise ValueError("vectors: no path given; it names a file of 'word number number ...' lines")
    names = {word.encode(): word for word in words}
    vectors, size, lines_read = {}, 0, 0
    for number, line in enumerate(_lines(path), 1):
        header = HEADER.fullmatch(line) if number == 1 else None
        if header:
            size = int(header[1])
            if not size:
                raise ValueError(f"{path}: line 1 says that vectors have no numbers")
            continue
        size = size or line.count(b" ")
        _check_width(line, size, f"{path}: line {number}")
        lines_read += 1
        word = names.get(line.rsplit(b" ", size)[0])
        if word is not None and word not in vectors:
            vectors[word] = _numbers(line, size, f"{path}: line {number}")
    if not lines_read:
        raise ValueError(f"{path}: no vectors in it")
    return vectors, size


def _lines(path) -> Iterator[bytes]:
    """The lines of a file without trailing spaces, of which fastText writes one."""
    with lines.unpacked(path) as file:
        for number, line in enumerate(file):
            if not number:
                lines.check_mark(line, os.fspath(path))
            yield (line if number else line.removeprefix(b"\xef\xbb\xbf")).rstrip(b" \r\n")


def _check_width(line, size, where):
    spaces = line.count(b" ")
    if not size or spaces < size:
        raise ValueError(f"{where} has {spaces} numbers, {size or 'at least 1'} are needed")
    if spaces > size:
        extra = line.rsplit(b" ", size)[0].split(b" ")[::-1]
        count = next((i for i, field in enumerate(extra) if not _is_number(field)), len(extra))
        if count:  # otherwise part of a word that has spaces
            raise ValueError(f"{where} has {size + count} numbers; {size} are needed, as in the first line")


def _is_number(field):
    try:
        float(field)
    except ValueError:
        return False
    return True


def _numbers(line, size, where):
    fields = line.rsplit(b" ", size)[1:]
    try:
        with np.errstate(over="ignore"):
            vector = np.array([float(field) for field in fields], np.float32)
    except ValueError as error:
        odd = next(field for field in fields if not _is_number(field))
        raise ValueError(f"{where}: {odd.decode(errors='replace')!r} is no number") from error
    if not np.isfinite(vector).all():
        odd = fields[int(np.argmin(np.isfinite(vector)))]
        raise ValueError(f"{where}: {odd.decode()} is no finite number")
    return vector
