"""Runs a program of experiments/: parses its flags and calls `main`; a user error is one line, exit status 2.

    PROGRAM = flags.Program("train", "Trains one run.", {"workdir": flags.Flag("", "the run's folder")})

    def main(options):
        from attention_lab import tasks
        ...

    if __name__ == "__main__":
        flags.run(main, PROGRAM)

Imports that start jax, and only these, stand inside `main`: --help and errors in flags then need no jax. The
environment variable ATTENTION_LAB_DEBUG=1 shows tracebacks.
"""

import logging
import os
import sys
from collections.abc import Callable, Sequence

from absl import app
from absl import logging as absl_logging

from attention_lab.storage import environment, xla
from experiments import streams
from experiments.parsing import parse
from experiments.program import Flag, Options, Program

__all__ = ["Flag", "Options", "Program", "parse", "run", "say"]

LOG = logging.getLogger("attention_lab")


def run(main: Callable[[Options], int | None], program: Program, argv: Sequence[str] | None = None) -> None:
    """Parses `argv` (None: the shell's), calls `main(options)` and exits.

    The exit status is what `main` returns, 2 after a user error, 130 when interrupted. ValueError and OSError
    from `main` count as user errors: one line on stderr, no traceback.
    """
    def parsed(words: list[str]) -> Options:
        _log_as(program.name)
        return parse(program, words[1:])

    def called(options: Options) -> int | None:
        if program.device and (line := xla.avoid_wrong_sums()):
            say(line)
        status = main(options)
        sys.stdout.flush()
        return status

    streams.open_closed()
    try:
        app.run(called, [program.name, *(sys.argv[1:] if argv is None else argv)], flags_parser=parsed)
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        streams.drop_unwritable_output()
        sys.exit(1)
    except (ValueError, OSError, KeyboardInterrupt, RuntimeError, AssertionError) as error:
        line = _one_line(error)
        if isinstance(error, (RuntimeError, AssertionError)):
            line = environment.missing_device()  # jax raises one or the other, depending on its version
        if os.environ.get("ATTENTION_LAB_DEBUG") == "1" or not line:
            raise
        streams.drop_unwritable_output()
        LOG.error("%s", line)
        sys.exit(130 if isinstance(error, KeyboardInterrupt) else 2)


def say(line: str) -> None:
    """Writes a line for the user to stderr, after the program's name; results go to stdout."""
    LOG.info("%s", line)


def _one_line(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, OSError) and error.strerror:
        where = " -> ".join(str(name) for name in (error.filename, error.filename2) if name)
        return f"{where}: {error.strerror}" if where else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


class _Lines(logging.Formatter):
    """Log records as lines of a program: `train: warning: ...`; `train: ...` for level INFO."""

    def __init__(self, program: str):
        super().__init__()
        self.program = program

    def formatMessage(self, record: logging.LogRecord) -> str:
        level = f"{record.levelname.lower()}: " if record.levelno > logging.INFO else ""
        return f"{self.program}: {level}{record.message}"


def _log_as(program: str) -> None:
    """Makes absl's handler write to stderr: our lines, and warnings of libraries."""
    app.FLAGS.mark_as_parsed()  # absl's global flags are not offered
    app.FLAGS.logtostderr = True  # sys.stderr at the time of writing, which a progress line may replace
    absl_logging.set_verbosity(absl_logging.WARNING)
    absl_logging.get_absl_handler().setFormatter(_Lines(program))
    LOG.setLevel(logging.INFO)
