"""Parses a command line to Options with absl.

`--config=file.py:variant[,variant...]` is read first. Every config field then becomes an absl flag, such as
`--config.model.width=64`, whose default is the file's value, beside the program's flags. Each call has its
own FlagValues, so that programs can be called repeatedly in one process.
"""

import contextlib
import re
import shlex
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags

from attention_lab.config import PATHS, Config, Field, all_fields, get
from attention_lab.config import parse as overrides
from attention_lab.config.load import load
from attention_lab.config.values import allowed, show
from experiments.program import Flag, Options, Program

CONFIG = Flag("", "the experiment, FILE.py[:variant[,variant...]], such as configs/translation.py:smoke",
              required=True)
# Sections of the help.
PROGRAM_FLAGS, FIELDS, COMMON = "flags", "fields of the config", "flags of every program"
HELP = {"help": ("shows the program's flags and the fields of the config", (PROGRAM_FLAGS, FIELDS)),
        "helpshort": ("shows the program's flags", (PROGRAM_FLAGS,)),
        "helpfull": ("shows all flags", (PROGRAM_FLAGS, FIELDS, COMMON))}


def parse(program: Program, argv: Sequence[str]) -> Options:
    """The options in the arguments of a program; --help prints its text and exits.

    Raises:
      ValueError: an unknown or repeated flag, a missing or wrong value, an invalid config.
      OSError: a --flagfile that can't be read.
    """
    try:
        return _parse(program, argv)
    # absl's errors become ours here and nowhere else.
    except flags.UnrecognizedFlagError as error:
        raise ValueError(_unknown(error, program)) from None
    except flags.CantOpenFlagFileError as error:
        raise error.__context__ from None
    except flags.Error as error:
        raise ValueError(re.sub(r"^Missing value for flag (\S+)$", r"\1 needs a value: \1=VALUE",
                                str(error))) from error


def _parse(program: Program, argv: Sequence[str]) -> Options:
    first = _first_flags(program)
    words = ["--help" if word == "-h" else word for word in first.read_flags_from_files(argv)]
    bare = {f"--{name}": flag.bare for name, flag in program.flags.items() if flag.bare}
    words = [f"{word}={bare[word]}" if word in bare else word for word in words]
    for word in words:
        _check_spelling(word)
    first([program.name, *words], known_only=True)
    file = first["config"].value if "config" in first else ""
    base = load(file) if "config" in first and first["config"].present else Config()
    values = _all_flags(program, base, file)
    for name, (_, parts) in HELP.items():
        if first[name].value:
            print(f"python -m experiments.{program.name} {program.words}".rstrip() + "\n",
                  flags.text_wrap(" ".join(program.meaning.split()), indent="  "),
                  *map(values.module_help, parts), sep="\n")
            sys.stdout.flush()
            sys.exit(0)
    plain = values([program.name, *words])[1:]
    if plain and not program.words:
        raise ValueError(_not_a_flag(plain[0]))
    required = {"config": CONFIG} if program.config == "required" else {}
    for name, flag in {**required, **program.flags}.items():
        if flag.required and name in values and not values[name].present:
            raise ValueError(f"--{name} is required: {flag.meaning}")
    given = [(key, values[f"config.{key}"].text) for key in _fields(program)
             if values[f"config.{key}"].present]
    flag_values = {name: tuple(values[name].value) if flag.default == () else values[name].value
                   for name, flag in program.flags.items()}
    swept = {text.partition("=")[0].strip().removeprefix("config.") for text in flag_values.get("sweep", ())}
    config = overrides.apply(base, given, whole=swept.isdisjoint(PATHS)) if file else None
    return Options(**flag_values, config=config, given=given, words=plain, file=file,
                   experiment=Path(file.partition(":")[0]).stem,
                   command=shlex.join(["python", "-m", f"experiments.{program.name}", *words]))


class _Once(flags.Flag):
    """A flag that may be given once; keeps its text."""

    def parse(self, argument: str) -> None:
        if self.present:
            raise flags.IllegalFlagValueError(f"--{self.name} is given twice: {self.text} and {argument}")
        super().parse(argument)
        self.text = show(self.value) if self.boolean else argument


class _Parser(flags.ArgumentParser):
    """Parses text as a value of a field; the text of its error is the whole error line.

    Construct with keyword arguments: absl caches instances constructed with positional ones for ever.
    """

    def __init__(self, name: str, field: Any, note: str):
        super().__init__()
        self.name, self.field = name, field
        self.syntactic_help = "; ".join(filter(None, (allowed(field), note)))

    def parse(self, argument: Any) -> Any:
        if not isinstance(argument, str):
            return argument  # a default
        if argument.startswith("--"):
            raise flags.IllegalFlagValueError(f"--{self.name} needs a value: --{self.name}=VALUE")
        try:
            if self.field.type is bool:
                with contextlib.suppress(ValueError):
                    return flags.BooleanParser().parse(argument)
            return overrides.value_of(self.field, argument)
        except ValueError as error:
            raise flags.IllegalFlagValueError(str(error)) from error


def _define(values: flags.FlagValues, part: str, name: str, field: Any, default: Any, note: str = "",
            kind: Any = _Once) -> None:
    flag = kind(_Parser(name=name, field=field, note=note), None, name, default, field.meaning,
                boolean=field.type is bool)
    flag.default_as_str = None if default in ("", ()) else show(default)
    flags.DEFINE_flag(flag, values, part)


def _define_flag(values: flags.FlagValues, part: str, name: str, flag: Flag) -> None:
    several = flag.default == ()
    field = types.SimpleNamespace(key=f"--{name}", type=str if several else type(flag.default),
                                  **flag._asdict())
    _define(values, part, name, field, flag.default, "required" if flag.required else "",
            flags.MultiFlag if several else _Once)


def _first_flags(program: Program) -> flags.FlagValues:
    """The flags that decide which others exist and whether they are parsed: --config, --help, --flagfile."""
    values = flags.FlagValues()
    values.set_gnu_getopt()  # flags may follow positional arguments
    for name, (meaning, _) in HELP.items():
        _define_flag(values, COMMON, name, Flag(False, meaning))
    _define_flag(values, COMMON, "flagfile", Flag("", "a file of flags, one a line; # begins a comment"))
    if program.config in ("required", "optional"):
        _define_flag(values, PROGRAM_FLAGS, "config", CONFIG)
    return values


def _all_flags(program: Program, base: Config, file: str) -> flags.FlagValues:
    values = _first_flags(program)
    for name, flag in program.flags.items():
        _define_flag(values, PROGRAM_FLAGS, name, flag)
    for key, field in _fields(program).items():
        default = get(base, key)
        note = "" if default == field.default else f"{show(field.default)} without {file}"
        _define(values, FIELDS, f"config.{key}", field, default, note)
    return values


def _fields(program: Program) -> dict[str, Field]:
    """The config fields that the program's command line may override."""
    if program.config == "none":
        return {}
    return {key: field for key, field in all_fields().items() if program.keys is None or key in program.keys}


def _check_spelling(word: str) -> None:
    """ValueError for what absl accepts: -name for --name, and --undefok, which silences unknown flags."""
    if word == "--" or re.match("-[A-Za-z]", word):
        raise ValueError(_not_a_flag(word))
    if word.partition("=")[0] == "--undefok":
        raise ValueError("--undefok is not allowed: an unknown flag is always an error")


def _unknown(error: flags.UnrecognizedFlagError, program: Program) -> str:
    """The error line for an unknown flag."""
    name, fields = error.flagname, _fields(program)
    if not error.flagvalue.startswith("--"):
        return _not_a_flag(error.flagvalue)
    if name.startswith("config.") and fields:
        key = name.removeprefix("config.")
        overrides.field_of(key)  # raises an error with the nearest field for an unknown key
        return f"--{name} is fixed by the run: allowed are {', '.join(fields)}"
    if name == "config" and program.config == "overrides":
        return (f"--config is not a flag of {program.name}: the config is its run's, with "
                "--config.KEY=VALUE put in")
    names = list(_all_flags(program, Config(), ""))
    if name.startswith("no") and name[2:] in names:
        return f"--{name}: --{name[2:]} takes a value and can't be negated"
    near = overrides.nearest("--" + name.replace("-", "_"), [f"--{other}" for other in names])
    return f"--{name} is not a flag of {program.name}{near or '; see --help'}"


def _not_a_flag(word: str) -> str:
    return f"{word!r} is not a flag: flags are spelled --name=value; see --help"
