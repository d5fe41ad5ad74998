"""A program of experiments/: flags in, one call of `main`; a user's mistake is one line and exit status 2.

    PROGRAM = flags.Program("train", "Trains one run.", {"workdir": flags.Flag("", "the run's folder")})

    def main(options):
        from attention_lab import tasks
        ...

    if __name__ == "__main__":
        flags.run(main, PROGRAM)

What starts jax is imported inside `main`, and nothing else is imported inside a function: by then flags are
right, so that --help and mistakes are answered without jax. The environment variable ATTENTION_LAB_DEBUG=1
shows tracebacks.
"""

import logging
import os
import sys
from collections.abc import Callable, Sequence

from absl import app
from absl import logging as absl_logging

from attention_lab.storage import environment, xla
from experiments.parsing import parse
from experiments.program import Flag, Options, Program

__all__ = ["Flag", "Options", "Program", "parse", "run", "say"]

LOG = logging.getLogger("attention_lab")


def run(main: Callable[[Options], int | None], program: Program, argv: Sequence[str] | None = None) -> None:
    """Parses `argv`, by default the shell's, calls `main(options)` and exits.

    The status is what `main` returns, or 2 for a user's error, or 130 when interrupted. ValueError and
    OSError from `main` are the user's to mend: one line on stderr, no traceback.
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

    try:
        app.run(called, [program.name, *(sys.argv[1:] if argv is None else argv)], flags_parser=parsed)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; a second complaint at exit is headed off.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (ValueError, OSError, KeyboardInterrupt, RuntimeError, AssertionError) as error:
        line = _one_line(error)
        if isinstance(error, (RuntimeError, AssertionError)):
            line = environment.missing_device()  # which jax raises either of, depending on its version
        if os.environ.get("ATTENTION_LAB_DEBUG") == "1" or not line:
            raise
        LOG.error("%s", line)
        sys.exit(130 if isinstance(error, KeyboardInterrupt) else 2)


def say(line: str) -> None:
    """Tells the user something on stderr, after the program's name; results go to stdout."""
    LOG.info("%s", line)


def _one_line(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, OSError) and error.strerror:
        where = " -> ".join(str(name) for name in (error.filename, error.filename2) if name)
        return f"{where}: {error.strerror}" if where else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


class _Lines(logging.Formatter):
    """What is logged as lines of a program: `train: warning: ...`, and `train: ...` for what is said."""

    def __init__(self, program: str):
        super().__init__()
        self.program = program

    def formatMessage(self, record: logging.LogRecord) -> str:
        level = f"{record.levelname.lower()}: " if record.levelno > logging.INFO else ""
        return f"{self.program}: {level}{record.message}"


def _log_as(program: str) -> None:
    """Has absl's handler write lines of the program on stderr: our own, and warnings of libraries."""
    app.FLAGS.mark_as_parsed()  # absl's global flags are not offered
    app.FLAGS.logtostderr = True  # as it is when a line is written, for a live progress line replaces it
    absl_logging.set_verbosity(absl_logging.WARNING)
    absl_logging.get_absl_handler().setFormatter(_Lines(program))
    LOG.setLevel(logging.INFO)
