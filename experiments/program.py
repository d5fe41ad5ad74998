"""The declaration of a program of experiments/, and its parsed options."""

import types
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Flag(NamedTuple):
    """A flag of a program; the type of the default is the flag's type.

    A flag with default False is a switch; one with default () may be repeated; one with `bare` has that value
    where it is given without one. Choices and bounds as in a config field.
    """

    default: Any
    meaning: str
    required: bool = False
    choices: Sequence[str] | None = None
    low: float | None = None
    high: float | None = None
    above: float | None = None
    bare: str = ""


class Program(NamedTuple):
    """A program, called as `python -m experiments.NAME`.

    Fields:
      meaning: what it does, in sentences. flags: by name.
      config: "required", "optional", "overrides" (--config.KEY alone, applied to a run's config) or "none".
      words: usage of positional arguments, such as "list|show|diff [DIR ...]"; "" allows none.
      keys: the config fields that may be overridden; None: all.
      device: False for a program that never starts jax.
      lists: names of switches, such as --list, with which it lists or estimates and computes nothing.
    """

    name: str
    meaning: str
    flags: Mapping[str, Flag]
    config: str = "required"
    words: str = ""
    keys: Sequence[str] | None = None
    device: bool = True
    lists: Sequence[str] = ()


class Options(types.SimpleNamespace):
    """A parsed command line: the program's flags by name, and these.

    Fields:
      config: the Config of the file with the overrides applied; None without --config.
      given: the overrides as (dotted key, text).
      words: positional arguments.
      file: the value of --config.
      experiment: stem of the config file, such as "translation"; "" without --config.
      command: the command line, quoted for a shell, with the lines of a --flagfile inserted.
    """
