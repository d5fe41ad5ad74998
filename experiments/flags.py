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

import contextlib
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence

from absl import app
from absl import logging as absl_logging

from attention_lab.storage import compiled, xla
from attention_lab.storage.device_errors import DeviceError, device_errors
from attention_lab.storage.errors import one_line
from experiments import pages, streams
from experiments.parsing import parse
from experiments.program import Flag, Options, Program

__all__ = ["Flag", "Options", "Program", "parse", "run", "say"]

LOG = logging.getLogger("attention_lab")
USER_ERROR, DEVICE_ERROR = 2, 3  # exit statuses; 128 + its number after a signal
ENDS = (ValueError, OSError, DeviceError, KeyboardInterrupt)  # what ends a program in one line
STOPS = {signal.SIGTERM: "terminated", signal.SIGHUP: "terminated: its terminal was closed"}


class _Stopped(KeyboardInterrupt):
    """A signal other than Ctrl-C's, which stops a program in the same way. Field: signal, its number."""

    def __init__(self, signal: int):
        super().__init__(STOPS[signal])
        self.signal = signal


def run(main: Callable[[Options], int | None], program: Program, argv: Sequence[str] | None = None) -> None:
    """Parses `argv` (None: the shell's), calls `main(options)` and exits.

    The exit status is what `main` returns, 2 after a user error, 3 where JAX or the machine failed, 130 when
    interrupted, 143 when terminated. ValueError and OSError from `main` count as user errors. Each of these
    is one line on stderr without a traceback.
    """
    def parsed(words: list[str]) -> Options:
        _log_as(program.name)
        return parse(program, words[1:])

    def called(options: Options) -> int | None:
        computes = program.device and not any(getattr(options, name) for name in program.lists)
        gc.set_threshold(100_000, 20, 20)  # traced programs and corpora are millions of objects that stay
        for line in (xla.avoid_wrong_sums(), compiled.keep()) if computes else ():
            if line:
                say(line)
        status = main(options)
        sys.stdout.flush()
        return status

    if argv is None and program.device:
        pages.use_large()
    streams.open_closed()
    streams.write_utf8()
    try:
        with _stopped_by_signals(), device_errors():
            app.run(called, [program.name, *(sys.argv[1:] if argv is None else argv)], flags_parser=parsed)
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        streams.drop_unwritable_output()
        sys.exit(1)
    except ENDS as error:
        if os.environ.get("ATTENTION_LAB_DEBUG") == "1":
            raise
        sys.exit(report(error))


def report(error: BaseException) -> int:
    """Writes one of ENDS as one line to stderr, and returns the exit status."""
    streams.drop_unwritable_output()
    LOG.error("%s", _one_line(error))
    return _status(error)


def say(line: str) -> None:
    """Writes a line for the user to stderr, after the program's name; results go to stdout."""
    LOG.info("%s", line)


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """In the block the signals of STOPS end the program as Ctrl-C does, unless they are ignored (nohup)."""
    def stop(number, frame):
        raise _Stopped(number)

    caught = [number for number in STOPS if signal.getsignal(number) is signal.SIG_DFL
              ] if threading.current_thread() is threading.main_thread() else []
    for number in caught:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, signal.SIG_DFL)


def _status(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        return 128 + (error.signal if isinstance(error, _Stopped) else signal.SIGINT)
    return DEVICE_ERROR if isinstance(error, DeviceError) else USER_ERROR


def _one_line(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return str(error) or "interrupted"
    return one_line(error)


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
