"""From argv to a Config and a program's own flags; every user error is one line and exit status 2.

The spelling is that of ml_collections' config_flags: `--config=file.py:variant[,variant...]` and
`--config.a.b=c`. Its parser answers a typo with a traceback, so the parsing is done here. A program
is

    PROGRAM = flags.Program("train", "Trains one run.", {"workdir": flags.Flag("", "its folder")})

    if __name__ == "__main__":
        flags.run(main, PROGRAM)

where `main` imports jax inside, after its flags are known to be right. The environment variable
ATTENTION_LAB_DEBUG=1 shows tracebacks.
"""

import logging
import os
import shlex
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab.config import all_fields
from attention_lab.config import parse as overrides
from attention_lab.config.load import load
from attention_lab.storage import environment, xla


class Flag(NamedTuple):
    """A program's own flag: its default, whose type is the flag's type, and its meaning.

    A flag whose default is False is switched on by naming it; one whose default is () may be given
    several times; `required` ones have no default.
    """

    default: Any
    meaning: str
    required: bool = False


class Options(types.SimpleNamespace):
    """What was asked for: the program's flags by name, and what the config flags said.

    Fields:
      config: Config of the file with the overrides put in; None without --config.
      given: the overrides as (dotted key, text) pairs, for programs that start from a run's config.
      words: what stood without a flag.
      file: what --config= named.
      experiment: name of the config file, `translation` for configs/translation.py; "" without.
      command: the command line, quoted for a shell.
    """


class Program(NamedTuple):
    """How a program is called; config is "required", "overrides" (no file, only keys) or "none".

    `words` names what may stand without a flag, such as "list|show|diff [DIR ...]"; "" allows nothing.
    `keys` are the config fields that may be given; None allows all. `device` is False for one that never
    starts jax.
    """

    name: str
    meaning: str
    flags: Mapping[str, Flag]
    config: str = "required"
    words: str = ""
    keys: Sequence[str] | None = None
    device: bool = True


def run(main: Callable[[Options], int | None], program: Program, argv: Sequence[str] | None = None) -> None:
    """Parses `argv`, by default the shell's, calls `main(options)` and exits.

    The status is 0, or 2 for a user's error, or 130 when interrupted.

    ValueError and OSError from `main` are the user's to mend: one line on stderr, no traceback.
    """
    warnings = _Warnings(program.name)
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        if any(word in ("--help", "-h", "--helpfull") for word in argv):
            from experiments.usage import usage
            print(usage(program, argv))
            status = 0
        else:
            options = parse(program, argv)
            if program.device and (line := xla.avoid_wrong_sums()):
                print(f"{program.name}: {line}", file=sys.stderr, flush=True)
            status = main(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; a second complaint at exit is headed off.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except (ValueError, OSError, KeyboardInterrupt, RuntimeError, AssertionError) as error:
        line = _one_line(error)
        if isinstance(error, (RuntimeError, AssertionError)):
            line = environment.missing_device()  # which jax raises either of, depending on its version
        if os.environ.get("ATTENTION_LAB_DEBUG") == "1" or not line:
            raise
        print(f"{program.name}: error: {line}", file=sys.stderr, flush=True)
        status = 130 if isinstance(error, KeyboardInterrupt) else 2
    finally:
        warnings.close()
    sys.exit(status)


class _Warnings(logging.Handler):
    """Warnings of the package as lines of the program, until it is closed."""

    def __init__(self, name: str):
        super().__init__(logging.WARNING)
        self.logger, self.program = logging.getLogger("attention_lab"), name
        self.propagated, self.logger.propagate = self.logger.propagate, False
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        print(f"{self.program}: warning: {record.getMessage()}", file=sys.stderr, flush=True)

    def close(self) -> None:
        self.logger.removeHandler(self)
        self.logger.propagate = self.propagated
        super().close()


def parse(program: Program, argv: Sequence[str]) -> Options:
    """The options that the words after a program's name mean.

    Raises:
      ValueError: an unknown or repeated flag, a missing or wrong value, a config that is refused.
    """
    values: dict[str, Any] = {}
    given: list[tuple[str, str]] = []
    plain: list[str] = []
    known = list(program.flags) + (["config"] if program.config == "required" else [])
    words = list(argv)
    while words:
        word = words.pop(0)
        if program.words and not word.startswith("-"):
            plain.append(word)
            continue
        if not word.startswith("--") or word == "--":
            raise ValueError(f"{word!r} is not a flag: flags are spelled --name=value; see --help")
        flag, equals, text = word[2:].partition("=")
        if flag.startswith("config.") and program.config != "none":
            key = flag.removeprefix("config.")
            if program.keys is not None and key in all_fields() and key not in program.keys:
                raise ValueError(f"--config.{key} is settled by the run: allowed are "
                                 f"{', '.join(program.keys)}")
            given.append((key, _value(flag, equals, text, words)))
            continue
        negated = flag.startswith("no") and flag[2:] in known and flag not in known
        name = flag[2:] if negated else flag
        if name not in known:
            raise ValueError(f"--{flag} is not a flag of {program.name}{_nearest(flag, program)}")
        default = program.flags[name].default if name in program.flags else ""
        if isinstance(default, tuple):
            values[name] = (*values.get(name, ()), _value(flag, equals, text, words))
            continue
        if name in values:
            raise ValueError(f"--{name} is given twice")
        if isinstance(default, bool):
            values[name] = (not negated) if not equals else _typed(name, text, default)
        elif negated:
            raise ValueError(f"--{flag}: --{name} takes a value and can't be negated")
        else:
            values[name] = _typed(name, _value(flag, equals, text, words), default)
    for name, flag in program.flags.items():
        if flag.required and name not in values:
            raise ValueError(f"--{name} is required: {flag.meaning}")
    return _options(program, values, given, plain, argv)


def _options(program: Program, values: dict, given: list, plain: list, argv: Sequence[str]) -> Options:
    config, experiment, file = None, "", ""
    if program.config == "required":
        if "config" not in values:
            raise ValueError("--config is required: --config=FILE.py[:variant[,variant...]], such "
                             "as --config=configs/translation.py")
        config = overrides.apply(load(values["config"]), given)
        file = values.pop("config")
        experiment = Path(file.partition(":")[0]).stem
    else:
        # Known wrong before the run's folder is opened: keys and types need no base.
        for key, text in given:
            overrides.parse(key, text)
    defaults = {name: flag.default for name, flag in program.flags.items()}
    command = shlex.join(["python", "-m", f"experiments.{program.name}", *argv])
    return Options(**(defaults | values), config=config, given=given, words=plain,
                   experiment=experiment, file=file, command=command)


def _value(flag: str, equals: str, text: str, words: list[str]) -> str:
    """The value of `--flag=value`, or of `--flag value`, whose second word is taken off `words`."""
    if equals:
        return text
    if not words or words[0].startswith("--"):
        raise ValueError(f"--{flag} needs a value: --{flag}=VALUE")
    return words.pop(0)


def _typed(name: str, text: str, default: Any) -> Any:
    try:
        return overrides.read(type(default), text)
    except ValueError:
        kind = {bool: "true or false", int: "an integer", float: "a number"}[type(default)]
        raise ValueError(f"--{name}={text} is not {kind}") from None


def _nearest(flag: str, program: Program) -> str:
    if flag == "config" and program.config == "overrides":
        return ": the config is its run's, with --config.KEY=VALUE put in"
    known = [*program.flags, "help"] + ["config"] * (program.config == "required")
    if program.config != "none":
        known += [f"config.{key}" for key in all_fields()]
    spelled = [f"--{name}" for name in known]
    return overrides.nearest("--" + flag.replace("-", "_"), spelled) or "; see --help"


def _one_line(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, OSError) and error.strerror:
        where = " -> ".join(str(name) for name in (error.filename, error.filename2) if name)
        return f"{where}: {error.strerror}" if where else error.strerror
    return " ".join(str(error).split()) or type(error).__name__
