"""Downloads by URL and checksum, all or nothing."""

import contextlib
import http.client
import os
import re
import tempfile
import urllib.request

from attention_lab.storage.files import digest

BLOCK = 1 << 20  # bytes read at once


def fetch(url: str, sha256: str, path: str | os.PathLike, timeout: float = 60.0) -> None:
    """Puts the file behind a URL at `path`, once; a file there that has the checksum is left alone.

    What arrives is checked before it takes its place, so that nothing but the right file is ever
    found there, whatever breaks off. A wrong file that was there before stays until then.

    Args:
      url: http, https or file.
      sha256: of the content, 64 hexadecimal digits.
      path: of the file to be; its folder is made.
      timeout: seconds without an answer.

    Raises:
      ValueError: no such checksum, nothing came from the URL, it broke off, or it is another file.
    """
    path, sha256 = os.fspath(path), sha256.lower()
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError(f"sha256: {sha256!r} is not 64 hexadecimal digits")
    if os.path.isfile(path) and digest(path) == sha256:
        return
    folder = os.path.dirname(os.path.abspath(path))
    try:
        os.makedirs(folder, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=folder)
    except OSError as error:
        raise ValueError(f"{path}: can't be written: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            download(url, file, timeout)
        found = digest(part)
        if found != sha256:
            raise ValueError(f"{url}: sha256 is {found}, expected {sha256}; nothing is kept")
        os.chmod(part, 0o644)  # mkstemp gives a file that only its owner may read
        os.replace(part, path)
    except OSError as error:
        raise ValueError(f"{path}: can't be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(part)


def download(url: str, file, timeout: float) -> None:
    """Writes what is behind a URL to an open file; ValueError where that fails or breaks off."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            expected, size = answer.headers.get("Content-Length"), 0
            while block := answer.read(BLOCK):
                file.write(block)
                size += len(block)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ValueError(f"{url}: can't be fetched: {getattr(error, 'reason', error)}") from error
    if expected is not None and size != int(expected):
        raise ValueError(f"{url}: broke off after {size} of {expected} bytes")
