"""Downloads by URL and checksum, all or nothing."""

import contextlib
import http.client
import os
import re
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator

from attention_lab.storage.files import digest

BLOCK = 1 << 20  # bytes read at once
RESERVED = "%/:=&?~#+!$,;'@()*[]"  # characters of a URL that are as they are, beside letters and digits
TIMEOUT = 60.0  # seconds without an answer


def fetch(url: str, sha256: str | None, path: str | os.PathLike) -> None:
    """Downloads a file to `path`, unless a file with that checksum is there.

    The checksum is verified before the file is moved to `path`: until then an existing file stays.

    Args:
      url: http, https or file.
      sha256: of the content, 64 hexadecimal digits; None accepts what comes.
      path: its folder is made.
    Raises:
      ValueError: a malformed checksum, a download that fails or breaks off, another file, or a path that
        is a device or the like.
    """
    path, sha256 = os.fspath(path), sha256 and sha256.lower()
    if sha256 is not None and not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError(f"sha256: {sha256!r} is not 64 hexadecimal digits")
    if os.path.isfile(path) and sha256 and digest(path) == sha256:
        return
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        # Moving a file there would take the device away.
        raise ValueError(f"{path}: can't be written: it is no file")
    try:
        folder = os.path.dirname(os.path.abspath(path))
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as beside:
            part = os.path.join(beside, "part")
            with open(part, "wb") as file:
                for block in download(url):
                    file.write(block)
            if (actual := digest(part)) != (sha256 or actual):
                raise ValueError(f"{url}: sha256 is {actual}, expected {sha256}; nothing is kept")
            os.replace(part, path)
    except OSError as error:
        raise ValueError(f"{path}: can't be written: {error.strerror}") from error


def download(url: str) -> Iterator[bytes]:
    """The content of a URL in blocks; ValueError, naming the URL, if it can't be had or breaks off."""
    with _naming(url):
        answer = urllib.request.urlopen(urllib.parse.quote(url, RESERVED), timeout=TIMEOUT)
    with answer:
        expected, size = answer.headers.get("Content-Length"), 0
        if not re.fullmatch("[0-9]{1,18}", expected or "0"):
            raise ValueError(f"{url}: can't be fetched: its Content-Length, {expected[:40]!r}, is no number "
                             "of bytes")
        while True:
            with _naming(url):
                block = answer.read(BLOCK)
            if not block:
                break
            size += len(block)
            yield block
    if expected and size != int(expected):
        raise ValueError(f"{url}: broke off after {size} of {expected} bytes")


@contextlib.contextmanager
def _naming(url: str) -> Iterator[None]:
    """Turns what may be raised while a URL is read into a ValueError that names it."""
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise ValueError(f"{url}: can't be fetched: {' '.join(str(reason).split())}") from error
