"""Lines of UTF-8 files, plain or gzipped; irregularities are counted."""

import contextlib
import gzip
import os
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import IO

GZIP_MAGIC = b"\x1f\x8b"
LONGEST = 1 << 20  # bytes of a line of `stream`
# First bytes of a text in another encoding; those of UTF-32 begin with those of UTF-16.
MARKS = {b"\xff\xfe\0\0": "UTF-32", b"\0\0\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
MARK = "\u2581"  # the block that stands for a space inside subwords


def check_file(path: str | os.PathLike) -> None:
    """ValueError for a pipe or a device: files are read more than once, and those give their content once."""
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise ValueError(f"{os.fspath(path)}: is a pipe or a device, which can't be read twice: give a file")


def read_bytes(path: str | os.PathLike) -> bytes:
    """A file's content, unpacked if its name or first bytes say gzip; ValueError if it can't be read."""
    path = os.fspath(path)
    check_file(path)
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise ValueError(f"{path}: can't be read: {error.strerror}") from error
    if not path.endswith(".gz") and not content.startswith(GZIP_MAGIC):
        return content
    try:
        if not content.startswith(GZIP_MAGIC):
            raise OSError("it does not begin as gzip does")
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: damaged gzip: {error}") from error


@contextlib.contextmanager
def unpacked(path: str | os.PathLike) -> Iterator[IO[bytes]]:
    """A file opened for its bytes, unpacked as in `read_bytes`; ValueError if the block can't read it."""
    check_file(path)
    try:
        with open(path, "rb") as file:
            packed = os.fspath(path).endswith(".gz") or file.peek(2).startswith(GZIP_MAGIC)
            with gzip.open(file) if packed else file as content:
                yield content
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: damaged gzip: {error}") from error
    except OSError as error:
        raise ValueError(f"{path}: can't be read: {error.strerror}") from error


def read_lines(path: str | os.PathLike) -> tuple[list[str], Counter]:
    """The lines of a UTF-8 file without their ends, and counts of irregularities.

    LF and CR LF end a line, and CR in a file that has no LF. U+2028, U+0085, form feeds and the like do not:
    one of them would shift all later lines of one language against the other's. Counts: "byte_order_mark" (0
    or 1) and "cr_line_ends". ValueError if the file can't be read or unpacked, its byte-order mark is that of
    UTF-16 or UTF-32, or a line (named by number) is not UTF-8 or has a NUL, as has English text in UTF-16.
    """
    content = read_bytes(path)
    text = _decoded(content, os.fspath(path), 1)
    counts = Counter(byte_order_mark=int(text.startswith("\ufeff")))
    if "\r" in text and "\n" not in text:  # the line ends of an old Macintosh
        text = text.replace("\r", "\r\n")
    lines = text.removeprefix("\ufeff").split("\n")
    if not lines[-1]:
        lines.pop()  # what follows the last LF is no line
    counts["cr_line_ends"] = sum(line.endswith("\r") for line in lines)
    return [line.removesuffix("\r") for line in lines], counts


def stream(path: str | os.PathLike) -> Iterator[str]:
    """The lines of a UTF-8 file one after another, without their ends; the file is never in memory whole.

    LF and CR LF end a line, and the last may lack its end. ValueError if the file can't be read or unpacked,
    has no line end or the byte-order mark of UTF-16 or UTF-32, or a line (named by number) is longer than
    LONGEST, is not UTF-8 or has a NUL.
    """
    path = os.fspath(path)
    if os.path.isdir(path):
        raise ValueError(f"{path}: can't be read: it is a folder")
    with unpacked(path) as file:
        number, line = 0, b""
        while line := file.readline(LONGEST + 1):
            number += 1
            if len(line) > LONGEST:
                raise ValueError(f"{path}: line {number} has no end within {LONGEST:,} bytes: break the text "
                                 "into lines")
            if number == 1 and not line.endswith(b"\n"):
                raise ValueError(f"{path}: has no line end: a text of several lines is needed")
            text = _decoded(line, path, number)
            text = text.removeprefix("\ufeff") if number == 1 else text
            yield text.removesuffix("\n").removesuffix("\r")
        if not number:
            raise ValueError(f"{path}: has no text: it is empty")


def _decoded(content: bytes, path: str, first: int) -> str:
    """The text of some lines, the first of which has this number."""
    if first == 1:
        check_mark(content, path)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        number = first + content.count(b"\n", 0, error.start)
        raise ValueError(f"{path}: line {number} is not UTF-8 (byte 0x{content[error.start]:02x}); convert "
                         "the file to UTF-8") from error
    if "\0" in text:
        number = first + text.count("\n", 0, text.index("\0"))
        raise ValueError(f"{path}: line {number} has a NUL, which is in no text; if the file is UTF-16, "
                         "convert it to UTF-8")
    return text


def check_mark(content: bytes, path: str) -> None:
    """ValueError for the beginning of a file whose byte-order mark says UTF-16 or UTF-32."""
    for mark, name in MARKS.items():
        if content.startswith(mark):
            raise ValueError(f"{path}: is {name}, as its first bytes say; convert it to UTF-8: iconv -f "
                             f"{name.lower()} -t utf-8")


def one_space(text: str) -> str:
    """A text with single spaces for all white space, no-break spaces and line separators included.

    >>> one_space(" two\\u00a0 words ")
    'two words'
    """
    return " ".join(text.replace(MARK, " ").split())
