"""Errors as a user reads them: in one line, with the traceback in a file beside what failed."""

import traceback
from pathlib import Path

from attention_lab.storage.files import append

ERRORS = "errors.log"  # tracebacks, in the folder of the run that they are of


def one_line(error: BaseException) -> str:
    """The text of an error without line ends; its type where it has no text; the system's after its file.

    >>> one_line(ValueError("two\\nlines")), one_line(KeyError())
    ('two lines', 'KeyError')
    >>> one_line(OSError(28, "No space left on device", "a"))
    'a: No space left on device'
    """
    if isinstance(error, OSError) and error.strerror:
        where = " -> ".join(str(name) for name in (error.filename, error.filename2) if name)
        return f"{where}: {error.strerror}" if where else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def keep_traceback(folder: Path, error: BaseException) -> Path:
    """Adds the traceback of an error to errors.log in a folder and returns that path; OSError if it can't."""
    text = "".join(traceback.format_exception(error))
    append(folder / ERRORS, text.encode("utf-8", "backslashreplace"))
    return folder / ERRORS
